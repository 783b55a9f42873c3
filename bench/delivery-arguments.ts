// What the delivery bench was asked for. Its workers are given the same words.

import { parseArgs } from 'node:util'

const { values } = parseArgs({
  options: {
    mails: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    large: { type: 'string', default: '0' },
    only: { type: 'string' },
    far: { type: 'string', default: '0' },
  },
})

/** How long each byte takes to the relay, and back from it. 0: the relay is next door. */
export const farMs = Number(values.far)
const isFar = farMs > 0
/** Of each kind of run, over all rounds. With fewer, the unequal ends of the last claims are a part of the figure. */
export const mails = Number(values.mails ?? (isFar ? 12_000 : 120_000))
/** Other work on the machine comes and goes: each of our runs stands between two of the baseline's, and the median counts. */
export const rounds = Number(values.rounds)
export const baselineMails = 1500
/** Sent by each worker before the clock starts: it runs for weeks, not for ten seconds. The baseline gets as long. */
export const warmUpMails = isFar ? 1000 : 4000
export const large = Number(values.large)
export const connections = isFar ? 10 : 20
/** In each story: mails of 37 kB, and of 23 kB. */
export const paragraphs = isFar ? 14 : 8

const only = values.only?.split(',') ?? (isFar ? ['one'] : null)
export const wants = (run: string): boolean => only === null || only.includes(run)

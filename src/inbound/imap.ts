// Reads the mailbox of INBOUND_IMAP while a worker runs: one process at a time, with one connection, which is opened again when it
// ends. A mail is only checked for being ours; the chore does the rest.

import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { ImapMailbox } from '../base/inbound-ways.ts'
import type { Context } from '../db/context.ts'
import { endLease, holdLease } from '../db/leases.ts'
import { findSetting, setSetting } from '../db/settings.ts'
import { ImapSession, type Progress } from './imap-session.ts'
import { isOurs } from './ours.ts'
import { storeInbound } from './store.ts'

const lease = 'inbound-imap'
const leaseSeconds = 60
/** Setting: the state of the connection, for the console and `doctor`. */
export const imapStateKey = 'inbound_imap'

export interface ImapState {
  /** null: the mailbox is being read. */
  problem: string | null
  /** The start of this state. */
  since: string
}

export interface ImapTimes {
  /** How long the current mail may take after a stop. */
  graceMs: number
  renewMs: number
  /** The pause after the n-th failure in a row. */
  backoffMs: (failures: number) => number
}
const usual: ImapTimes = {
  graceMs: 5000,
  renewMs: 20_000,
  backoffMs: (failures) => Math.min(5000 * 2 ** (failures - 1), 300_000) * (0.75 + Math.random() / 2),
}

/** Returns the stop function, which resolves after the current mail. */
export function startImap(ctx: Context, mailbox: ImapMailbox, times: ImapTimes = usual): () => Promise<void> {
  const closing = new AbortController()
  const reading = read(ctx, mailbox, times, closing.signal)
  return async () => {
    closing.abort()
    await reading
  }
}

async function read(ctx: Context, mailbox: ImapMailbox, times: ImapTimes, signal: AbortSignal): Promise<void> {
  const holder = randomUUID()
  const rest = (ms: number) => pause(ms, undefined, { signal, ref: false }).catch(() => {})
  let failures = 0
  while (!signal.aborted) {
    const isHeld = await holdLease(ctx.db, lease, holder, leaseSeconds).catch(() => false)
    if (!isHeld) {
      await rest(times.renewMs)
      continue
    }
    try {
      await readWhileHeld(ctx, mailbox, times, { signal, holder, opened: () => (failures = 0) })
      if (!signal.aborted) throw new Error('The connection ended.')
    } catch (error) {
      failures++
      const problem = explain(error)
      ctx.log.warn({ mailbox: mailbox.name, problem }, 'the mailbox of INBOUND_IMAP can’t be read')
      await noteState(ctx, problem).catch(() => {})
      await endLease(ctx.db, lease, holder).catch(() => {})
      await rest(times.backoffMs(failures))
    }
  }
  await endLease(ctx.db, lease, holder).catch(() => {})
}

interface Holding {
  signal: AbortSignal
  holder: string
  opened: () => void
}

async function readWhileHeld(
  ctx: Context,
  mailbox: ImapMailbox,
  times: ImapTimes,
  { signal, holder, opened }: Holding,
): Promise<void> {
  const progressKey = `inbound_imap ${mailbox.user}@${mailbox.name}/${mailbox.folder}`
  const session = new ImapSession(mailbox, {
    now: () => ctx.clock.now(),
    progress: async () => (await findSetting<Progress>(ctx.db, progressKey)) ?? null,
    setProgress: (progress) => setSetting(ctx.db, progressKey, progress),
    async take(raw) {
      if (!(await isOurs(ctx, raw))) return 'not ours'
      await storeInbound(ctx.db, { source: 'imap', envelopeTo: null, raw, receivedAt: ctx.clock.now() })
      return 'kept'
    },
  })
  const done = new AbortController()
  let cutting: NodeJS.Timeout | undefined
  const stop = () => {
    done.abort()
    // A silent server must not keep the program from ending.
    cutting = setTimeout(() => session.cut(), times.graceMs)
  }
  signal.addEventListener('abort', stop)
  const renewing = renew(ctx, holder, times, done)
  try {
    await session.open()
    await noteState(ctx, null)
    opened()
    await session.run(done.signal)
  } finally {
    signal.removeEventListener('abort', stop)
    done.abort()
    await Promise.all([renewing, session.close()])
    clearTimeout(cutting)
  }
}

/** Ends the session when the lease is lost, or when the database doesn't answer for the length of the lease. */
async function renew(ctx: Context, holder: string, times: ImapTimes, done: AbortController): Promise<void> {
  let heldAt = Date.now()
  while (!done.signal.aborted) {
    await pause(times.renewMs, undefined, { signal: done.signal, ref: false }).catch(() => {})
    if (done.signal.aborted) return
    const isHeld = await holdLease(ctx.db, lease, holder, leaseSeconds).catch(() => null)
    if (isHeld) heldAt = Date.now()
    else if (isHeld === false || Date.now() - heldAt > leaseSeconds * 1000) done.abort()
  }
}

async function noteState(ctx: Context, problem: string | null): Promise<void> {
  const before = await findSetting<ImapState>(ctx.db, imapStateKey)
  if (before && before.problem === problem) return
  await setSetting(ctx.db, imapStateKey, { problem, since: ctx.clock.now().toISOString() } satisfies ImapState)
}

/** A sentence without the password, with the server's own words. */
export function explain(error: unknown): string {
  const { code, authenticationFailed, responseText, message } = error as {
    code?: string
    authenticationFailed?: boolean
    responseText?: string
    message: string
  }
  if (authenticationFailed) return `It refuses the user name or the password${responseText ? `: ${responseText}` : ''}.`
  if (code === 'ECONNREFUSED') return 'The connection was refused.'
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'Its host name has no address.'
  if (code?.includes('TIMEOUT') || code === 'ETIMEDOUT') return 'It did not answer in time.'
  if (/certificate|self.signed/i.test(message)) return `Its certificate is not valid (${code ?? message}).`
  return responseText ? `It said: ${responseText}` : message
}

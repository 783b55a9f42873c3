// Sentences about the hold on sending, the same for console, API, command line and alert.

import { holdSentence, type SendingHold } from '../delivery/sending-hold.ts'

/** What an operator must know before deciding; null: nothing is missing. Pure. */
export function missingSentence({ knownUntil, since }: SendingHold): string | null {
  if (knownUntil === null) return null
  return `The database knows nothing of the time between ${knownUntil} and ${since}: who signed up, changed a choice or unsubscribed, and what was sent. Anyone who unsubscribed then would be mailed again, so suppress such addresses first.`
}

export function holdView(hold: SendingHold | null) {
  return {
    isHeld: hold !== null,
    since: hold?.since ?? null,
    why: hold?.why ?? null,
    knownUntil: hold?.knownUntil ?? null,
    text: hold && [holdSentence(hold), missingSentence(hold)].filter(Boolean).join(' '),
  }
}

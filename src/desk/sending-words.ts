// That sending is held, in words: the same for console, API, command line and alert.

import type { SendingHold } from '../delivery/sending-hold.ts'

/** Pure. What happened, what isn't known, and that nothing goes out. */
export function holdSentence(hold: SendingHold): string {
  return `${hold.why} No mail is sent until sending is released.`
}

/** What an operator must know before deciding; null: nothing is missing. Pure. */
export function missingSentence({ knownUntil, since }: SendingHold): string | null {
  if (knownUntil === null) return null
  return `What happened between ${knownUntil} and ${since} is missing: who signed up, changed a choice or unsubscribed in it isn't known, nor what was sent. Who unsubscribed in it would be mailed again; take such addresses from your own notes, or from the relay's log, and suppress them first.`
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

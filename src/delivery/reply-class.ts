// What a refusal on the wire means for its mail. The default is mild: only a reply that says "this address is dead" counts against
// the address; most 5xx say something about us, the message or the moment. Why a server refuses is in reasons.ts.

import { deadReasons, type Reason, reasonFor } from './reasons.ts'
import type { SmtpStage } from './smtp-dialogue.ts'
import type { SmtpReply } from './smtp-reply.ts'

export type ReplyClass =
  /** Later, perhaps. */
  | 'temporary'
  /** Too fast for them. */
  | 'throttled'
  /** Nobody will ever get mail there. */
  | 'dead'
  /** This mail to this address: never; the address lives (full, disabled, too big). */
  | 'refused'
  /** Us, whoever the recipient is: policy, authentication, reputation. */
  | 'policy'
  /** This connection is over; says nothing about the mail. */
  | 'connection'

const aboutMailbox: ReadonlySet<Reason> = new Set<Reason>(['mailbox_full', 'too_big', 'suspended'])
const aboutUs: ReadonlySet<Reason> = new Set<Reason>(['relaying', 'blocked', 'policy'])

export function classifyReply(stage: SmtpStage, { code, enhanced, text }: SmtpReply): ReplyClass {
  if (code === 421) return 'connection'
  const reason = reasonFor(text, enhanced)
  if (code < 500) {
    // 4.2.x is one mailbox: full, or getting too much from all the world.
    if (/grey|gray/i.test(text) || enhanced?.startsWith('4.2.')) return 'temporary'
    return code === 454 || enhanced?.startsWith('4.7.') || reason === 'throttled' ? 'throttled' : 'temporary'
  }
  if (stage === 'mail' || aboutUs.has(reason)) return 'policy'
  if (aboutMailbox.has(reason)) return 'refused'
  // After the data a domain that isn't found may be one that the mail names.
  if (deadReasons.has(reason) && (stage === 'rcpt' || reason !== 'host_unknown' || enhanced?.startsWith('5.1.')))
    return 'dead'
  return stage === 'rcpt' ? 'refused' : 'policy'
}

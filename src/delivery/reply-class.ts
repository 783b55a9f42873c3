// What a refusal on the wire means for its mail. The default is mild: only a reply that means "this address is dead" counts
// against the address. Most 5xx are about the sender, the message or the moment. reasons.ts says why a server refuses.

import { deadReasons, type Reason, reasonFor } from './reasons.ts'
import type { SmtpStage } from './smtp-dialogue.ts'
import type { SmtpReply } from './smtp-reply.ts'

export type ReplyClass =
  /** Later, perhaps. */
  | 'temporary'
  /** Too many mails at once. */
  | 'throttled'
  /** Mail to this address can never arrive. */
  | 'dead'
  /** This mail can't be delivered to this address, but the address exists (full, disabled, too big). */
  | 'refused'
  /** The sender is refused, for every recipient: policy, authentication, reputation. */
  | 'policy'
  /** This connection is over. That says nothing about the mail. */
  | 'connection'

const aboutMailbox: ReadonlySet<Reason> = new Set<Reason>(['mailbox_full', 'too_big', 'suspended'])
const aboutUs: ReadonlySet<Reason> = new Set<Reason>(['relaying', 'blocked', 'policy'])

export function classifyReply(stage: SmtpStage, { code, enhanced, text }: SmtpReply): ReplyClass {
  if (code === 421) return 'connection'
  const reason = reasonFor(text, enhanced)
  if (code < 500) {
    // 4.2.x is about one mailbox: full, or getting too much mail in total.
    if (/grey|gray/i.test(text) || enhanced?.startsWith('4.2.')) return 'temporary'
    return code === 454 || enhanced?.startsWith('4.7.') || reason === 'throttled' ? 'throttled' : 'temporary'
  }
  if (stage === 'mail' || aboutUs.has(reason)) return 'policy'
  if (aboutMailbox.has(reason)) return 'refused'
  // After DATA, "domain not found" may be about a domain in the mail.
  if (deadReasons.has(reason) && (stage === 'rcpt' || reason !== 'host_unknown' || enhanced?.startsWith('5.1.')))
    return 'dead'
  return stage === 'rcpt' ? 'refused' : 'policy'
}

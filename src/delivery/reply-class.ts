// What a refusal means, as one table. The default is mild: only a reply that says "this address is dead" counts against the
// address; most 5xx say something about us, the message or the moment.
//
// RFC 3463 codes first, as they were made for this; then the texts of servers that give none.

import type { SmtpStage } from './smtp-connection.ts'
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

const deadStatus = new Set(['5.1.1', '5.1.2', '5.1.3', '5.1.6', '5.1.10', '5.0.350'])
const deadText =
  /(user|recipient|mailbox|address|account|addressee)\b.{0,40}\b(unknown|not found|does(n't| not) exist|no longer (valid|exists|available)|not exist|invalid|rejected: undeliverable)|unknown (user|recipient|mailbox|local|address)|no such (user|recipient|mailbox|person|account|address)|no mailbox (here|by that name)|not a (valid|known) (mailbox|user|recipient)|invalid (recipient|mailbox|user)|(host|domain).{0,20}(unknown|not found|does not exist)/i
/** Looks dead, but is about us: an unauthenticated sender is often told "user unknown" in the same breath. */
const policyText =
  /spam|blocked|block ?list|blacklist|black list|\brbl\b|dnsbl|spamhaus|reputation|policy|dmarc|\bdkim\b|\bspf\b|authenticat|relay(ing)? (access )?denied|not permitted|unsolicited|banned|listed|greylist/i
const refusedText =
  /quota|mailbox (is )?full|over ?quota|insufficient storage|disabled|suspended|inactive|too (large|big)|size/i
const throttleText =
  /too many|too fast|rate|throttl|try again later|temporarily deferred|concurren|limit exceeded|slow down/i
const greyText = /grey|gray/i

export function classifyReply(stage: SmtpStage, reply: SmtpReply): ReplyClass {
  const { code, text } = reply
  const status = reply.enhanced
  if (code === 421) return 'connection'
  if (code < 500) {
    if (greyText.test(text)) return 'temporary'
    if (code === 454 || status?.startsWith('4.7.') || throttleText.test(text)) return 'throttled'
    return 'temporary'
  }
  if (stage === 'mail') return 'policy'
  if (status) {
    if (deadStatus.has(status)) return stage === 'rcpt' || !policyText.test(text) ? deadUnlessPolicy(text) : 'policy'
    if (status.startsWith('5.2.') || status.startsWith('5.3.4')) return 'refused'
    if (status.startsWith('5.7.')) return 'policy'
    if (status.startsWith('5.5.') || status.startsWith('5.6.') || status.startsWith('5.3.')) return 'policy'
    if (status.startsWith('5.4.')) return 'refused'
  }
  if (policyText.test(text)) return 'policy'
  if (stage === 'rcpt' && deadText.test(text)) return 'dead'
  if (refusedText.test(text)) return 'refused'
  return stage === 'rcpt' ? 'refused' : 'policy'
}

/** Some answer 5.1.1 to what is a block: the text tells. */
function deadUnlessPolicy(text: string): ReplyClass {
  return policyText.test(text) && !deadText.test(text) ? 'policy' : 'dead'
}

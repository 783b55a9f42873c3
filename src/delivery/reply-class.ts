// What a refusal means, as one table. The default is mild: only a reply that says "this address is dead" counts against the
// address; most 5xx say something about us, the message or the moment.
//
// RFC 3463 codes first, as they were made for this; then the texts of servers that give none.

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

const deadStatus = new Set(['5.1.1', '5.1.2', '5.1.3', '5.1.6', '5.1.10'])
/** Our address or our sending is meant: bad sender address, its domain, our quota at the relay. */
const senderStatus = new Set(['5.1.7', '5.1.8', '5.4.5'])
const deadUser =
  /(user|recipient|mailbox|address|account|addressee|empf[^ ]*nger|benutzer)\b.{0,40}\b(unknown|not found|does(n't| not) exist|no longer (valid|exists|available)|not exist|invalid|rejected: undeliverable|nicht bekannt)|unknown (user|recipient|mailbox|local|address)|no such (user|recipient|mailbox|person|account|address)|no mailbox (here|by that name)|not a (valid|known) (mailbox|user|recipient)|invalid (recipient|mailbox|user)|does(n't| not) have an? \S+ account|not listed in .{0,30}directory/i
const deadHost = /(host|domain).{0,20}(unknown|not found|does not exist)/i
/** Postfix and Exim judge the sender, the greeting and our host when they hear RCPT: "Domain not found" is then our domain. */
const senderText =
  /sender (address |domain |verify |verification |is |was )?(rejected|failed|denied|refused|not |unknown|invalid)|verification failed for|envelope (sender|from)|mail from|return.path|(helo|ehlo)\b.{0,20}(rejected|invalid)|client host|bad outbound sender|sending (quota|limit)/i
/** Looks dead, but is about us: an unauthenticated sender is often told "user unknown" in the same breath. */
const policyText =
  /spam|blocked|block ?list|blacklist|black list|\brbl\b|dnsbl|spamhaus|reputation|polic(y|ies)|dmarc|\bdkim\b|\bspf\b|authenticat|relay(ing)? (access )?denied|unable to relay|rcpthosts|not permitted|unsolicited|banned|(?<!not )listed|greylist|\bptr\b|reverse dns|\bip (address|range)\b|permanently deferred|access denied, |spoof/i
const refusedText =
  /quota|mailbox (is )?full|storage|disabled|discontinued|deactivated|suspended|locked|inactiv|too (large|big)|size/i
const throttleText =
  /too many|too fast|\brates?\b|rate.?limit|throttl|try again later|temporarily deferred|concurren|limit exceeded|slow down|server busy/i
const greyText = /grey|gray/i

/** Longer replies say nothing new in the rest, and no expression below should read megabytes. */
const longestReply = 2000
const addresses = /[^\s<>()[\]{},;:"']{1,64}@[^\s<>()[\]{},;:"']{1,255}/g
const quotedNames = [
  // Sendmail: "550 5.1.1 ada... User unknown".
  /^(?:\d\.\d{1,3}\.\d{1,3} )?\S{1,255}\.\.\. /,
  /<[^\s<>]{1,320}>/g,
  addresses,
  /"[^\s"]{1,320}"|(?<!\w)'[^\s']{1,320}'(?!\w)/g,
]
const hostNames = /\bhttps?:\/\/\S{1,500}|\b(?:[a-z0-9-]{1,63}\.){1,10}[a-z]{2,24}\b/gi

/** For what is kept apart from the person. Pure. */
export function withoutAddresses(text: string): string {
  return text.slice(0, longestReply).replace(addresses, '…')
}

/** What a reply says, without what it quotes: `No such user: policy@paper.example` is about a user, not about policy. Pure. */
function wordsOf(text: string): string {
  return quotedNames.reduce((words, name) => words.replace(name, ' '), text.slice(0, longestReply))
}

export function classifyReply(stage: SmtpStage, reply: SmtpReply): ReplyClass {
  const words = wordsOf(reply.text)
  const plain = words.replace(hostNames, ' ')
  // The name of a host, or of a page that explains, counts only where nothing else is said: "rejected, see spamhaus.org/…".
  const isSaid = [senderText, policyText, deadUser, deadHost, refusedText].some((said) => said.test(plain))
  return classify(stage, reply, isSaid ? plain : words)
}

function classify(stage: SmtpStage, reply: SmtpReply, text: string): ReplyClass {
  const { code } = reply
  const status = reply.enhanced
  if (code === 421) return 'connection'
  if (code < 500) {
    // 4.2.x is one mailbox: full, or getting too much from all the world.
    if (greyText.test(text) || status?.startsWith('4.2.')) return 'temporary'
    if (code === 454 || status?.startsWith('4.7.') || throttleText.test(text)) return 'throttled'
    return 'temporary'
  }
  if (stage === 'mail' || senderText.test(text) || (status !== null && senderStatus.has(status))) return 'policy'
  const isPolicy = policyText.test(text)
  const isDead = deadUser.test(text) || (stage === 'rcpt' && deadHost.test(text))
  if (status) {
    if (deadStatus.has(status)) {
      // Some answer 5.1.1 to what is a block, or a full mailbox: the text tells.
      if (isPolicy && (stage !== 'rcpt' || !isDead)) return 'policy'
      return !isDead && refusedText.test(text) ? 'refused' : 'dead'
    }
    if (status.startsWith('5.2.')) return isDead && !isPolicy && !refusedText.test(text) ? 'dead' : 'refused'
    if (status.startsWith('5.3.4') || status.startsWith('5.4.')) return 'refused'
    if (/^5\.[3567]\./.test(status)) {
      // Yandex says "5.7.1 No such user!", Outlook "5.5.0 mailbox unavailable".
      if (stage === 'rcpt' && isDead && !isPolicy) return 'dead'
      return stage === 'rcpt' && /mailbox unavailable/i.test(text) ? 'refused' : 'policy'
    }
  }
  if (isPolicy) return 'policy'
  // "This account has been disabled": it exists.
  if (refusedText.test(text) && !deadUser.test(text)) return 'refused'
  if (isDead) return 'dead'
  return stage === 'rcpt' ? 'refused' : 'policy'
}

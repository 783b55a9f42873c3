// The meaning of one refusal: its status, its reason, its class.

import { deadReasons, type Reason, reasonFor } from '../delivery/reasons.ts'
import type { InboundReport } from './mail.ts'
import type { OpenMail } from './open.ts'

export interface Refusal {
  recipient: string | null
  /** The report's text about this recipient, then its other text. */
  said: readonly string[]
  /** The reason that this sender always means. */
  reason?: Reason | undefined
  /** It reports about its own users. */
  knowsUsers?: boolean
  /** Fields of RFC 3464, if there are any. */
  action?: string
  status?: string | null
  /** The remote server's answer. */
  diagnostic?: string
  remoteHost?: string | null
}

const statusPattern = /(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])/
const codePattern = /(?<![\d.,:-])[45][0-5]\d(?=[ -])/
/** Phrases of Microsoft and others for an unknown user. In a direct reply to RCPT they may mean something else. */
const notHere = /recipient address rejected(?:: access denied|\.? *$)|requested action not taken: mailbox unavailable/i
/** RFC 7504: a host or a domain that accepts no mail. */
const takesNoMail: ReadonlySet<number> = new Set([521, 556])
/** Exim's own finding, not the remote server's answer. */
const unrouteable = /unroute?able (?:mail domain|address)/i
/** RCPT was refused, so the answer is about the user. Sendmail's lines after a transcript say that. */
const atRecipient =
  /(?:after|for|to|our|was|sent <<<|>>>) rcpt\b|\[rcpt_to\]|does not like recipient|recipient address rejected/i
/** The reply contains the address, as replies to RCPT do: "550 <ada@a.example>: User unknown". */
const namesRecipient = /\b55\d[ :-]{1,3}(?:5\.\d\.\d )?<[^\s<>@]{1,64}@[^\s<>]{1,255}>(?:\.\.\.|:)/
const afterMessage = /(?:in reply to|after) (?:end of )?data\b|>>> ?data\b|end of data/i
/** Yahoo and Mail.ru report it in their own delivery, after accepting the mail. */
const byDelivery = /delivery error: dd .{0,200}\baccount\b|local mailbox \S{1,320} is unavailable: user not found/i
const delayedSubject = /delay|warning|still being retried|temporar/i
const delayedWords =
  /warning message only|this is a warning|not yet been delivered|(?:has been|is) delayed|will be retried|will continue to be made|temporary failure report/i

export function judge(
  { subject, said: everything }: Pick<OpenMail, 'subject' | 'said'>,
  refusal: Refusal,
): InboundReport {
  const { recipient, said, diagnostic = '', remoteHost = null } = refusal
  const words = diagnostic || said[0] || ''
  const status =
    statusPattern.exec(diagnostic)?.[0] ??
    firstStatus(refusal.status) ??
    firstStatus(diagnostic || said.join('\n')) ??
    null
  const code = Number(codePattern.exec(words)?.[0]) || null
  const report = { recipient, status, code, text: words.trim().slice(0, 1000), remoteHost }
  const action = refusal.action?.toLowerCase() ?? ''
  if (/^(?:deliver|relayed|expanded)/.test(action)) return { ...report, reason: 'other', class: 'delivered' }
  const isDelay = action ? action.startsWith('delayed') : delayedSubject.test(subject) && delayedWords.test(everything)
  if (isDelay) return { ...report, reason: 'delayed', class: 'soft' }
  const reason = refusal.reason ?? reasonOf(diagnostic, said, status, code)
  const isTemporary = status ? status.startsWith('4') : code !== null && code < 500
  const isDead = deadReasons.has(reason) && !isTemporary && (reason !== 'user_unknown' || isConfirmed(status, refusal))
  return { ...report, reason, class: isDead ? 'hard' : 'soft' }
}

/** Words alone don't prove that a user is unknown: some servers use them to refuse the content of a mail. */
function isConfirmed(status: string | null, { said, diagnostic = '', knowsUsers }: Refusal): boolean {
  if (status !== null && status.startsWith('5.1.')) return true
  const texts = [diagnostic, ...said].map(oneLine)
  const isAny = (pattern: RegExp) => texts.some((text) => pattern.test(text))
  if (isAny(byDelivery)) return true
  // 5.2 is about an existing mailbox.
  const isNamed = isAny(namesRecipient) && !status?.startsWith('5.2.')
  return !isAny(afterMessage) && (knowsUsers || isNamed || isAny(atRecipient))
}

/** The remote server's own words count first, then the report's about this recipient, the status, and any other text. */
function reasonOf(
  diagnostic: string,
  [own = '', ...rest]: readonly string[],
  status: string | null,
  code: number | null,
): Reason {
  if (code === null && unrouteable.test(diagnostic || own)) return 'host_unknown'
  if (notHere.test(oneLine(diagnostic || own))) return 'user_unknown'
  const texts: [string, string | null][] = [
    // A status about the sender never concerns the address, whatever the words.
    [diagnostic, status && /^5\.1\.[78]$/.test(status) ? status : null],
    [own, status],
    ...rest.map((text) => [text, null] as [string, null]),
  ]
  for (const [text, known] of texts) {
    const reason = reasonFor(oneLine(text), known)
    if (reason === 'other') continue
    return reason === 'system' && takesNoMail.has(code ?? 0) ? 'host_unknown' : reason
  }
  return takesNoMail.has(code ?? 0) ? 'host_unknown' : 'other'
}

function firstStatus(field: string | null | undefined): string | null {
  const status = field ? statusPattern.exec(field)?.[0] : undefined
  return status && !/^5\.0\.0$/.test(status) ? status : null
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

// What one refusal means: its status, its reason, its class.

import { deadReasons, type Reason, reasonFor } from '../delivery/reasons.ts'
import type { InboundReport } from './mail.ts'
import type { OpenMail } from './open.ts'

export interface Refusal {
  recipient: string | null
  /** The report's words on this recipient, then whatever else it says. */
  said: readonly string[]
  /** What this sender always means. */
  reason?: Reason | undefined
  /** Fields of RFC 3464, where there are any. */
  action?: string
  status?: string | null
  /** What the remote server said. */
  diagnostic?: string
  remoteHost?: string | null
}

const statusPattern = /(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])/
const codePattern = /(?<![\d.,:-])[45][0-5]\d(?=[ -])/
/** Exim's own finding, not the remote server's answer. */
const unrouteable = /unroute?able (?:mail domain|address)/i
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
    statusPattern.exec(diagnostic)?.[0] ?? firstStatus(refusal.status) ?? statusPattern.exec(words)?.[0] ?? null
  const code = Number(codePattern.exec(words)?.[0]) || null
  const report = { recipient, status, code, text: words.trim().slice(0, 1000), remoteHost }
  const action = refusal.action?.toLowerCase() ?? ''
  if (/^(?:deliver|relayed|expanded)/.test(action)) return { ...report, reason: 'other', class: 'delivered' }
  const isDelay = action ? action.startsWith('delayed') : delayedSubject.test(subject) && delayedWords.test(everything)
  if (isDelay) return { ...report, reason: 'delayed', class: 'soft' }
  const reason = refusal.reason ?? reasonOf(diagnostic, said, status, code)
  const isTemporary = status ? status.startsWith('4') : code !== null && code < 500
  return { ...report, reason, class: deadReasons.has(reason) && !isTemporary ? 'hard' : 'soft' }
}

/** The remote server's own words count first, then the report's about this recipient, the status, and whatever else it says. */
function reasonOf(
  diagnostic: string,
  [own = '', ...rest]: readonly string[],
  status: string | null,
  code: number | null,
): Reason {
  if (code === null && unrouteable.test(diagnostic || own)) return 'host_unknown'
  const texts: [string, string | null][] = [
    // A status of the sender's is never the address's, whatever the words.
    [diagnostic, status && /^5\.1\.[78]$/.test(status) ? status : null],
    [own, status],
    ...rest.map((text) => [text, null] as [string, null]),
  ]
  for (const [text, known] of texts) {
    const reason = reasonFor(oneLine(text), known)
    if (reason !== 'other') return reason
  }
  return 'other'
}

function firstStatus(field: string | null | undefined): string | null {
  const status = field ? statusPattern.exec(field)?.[0] : undefined
  return status && !/^5\.0\.0$/.test(status) ? status : null
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

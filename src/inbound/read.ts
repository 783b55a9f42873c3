// Reads a mail that came back. Standards first: RFC 3464 (delivery status), RFC 5965 (complaints), RFC 3834 (automatic replies),
// X-Failed-Recipients. Pure; runs in the parser's thread (reader.ts).

import { deadReasons, type Reason, reasonFor } from '../delivery/reasons.ts'
import type { InboundMail, InboundReport, OwnAddresses } from './mail.ts'
import { type OpenMail, openMail } from './open.ts'
import { returnedMail } from './returned.ts'

export async function readInbound(raw: Uint8Array, own: OwnAddresses): Promise<InboundMail> {
  const mail = await openMail(raw)
  const first = (name: string) => mail.headers.get(name)?.[0] ?? null
  const about = {
    messageId: first('message-id')?.replace(/[<>\s]/g, '') ?? null,
    returned: returnedMail(mail, own),
  }
  if (mail.parts.some(({ type }) => type === 'message/feedback-report'))
    return { kind: 'complaint', reports: [complaint(mail)], ...about }
  const reports = [...deliveryStatuses(mail), ...failedRecipients(mail)].filter(
    ({ recipient }) => !recipient || !own.addresses.includes(recipient),
  )
  if (reports.length) return { kind: 'bounce', reports, ...about }
  const auto = first('auto-submitted')
  if (auto && /^auto-(replied|generated)/i.test(auto))
    return { kind: 'autoreply', reports: [{ ...nothing, class: 'autoreply' }], ...about }
  if (/^u-[0-9a-z]{1,11}-[a-z2-7]{20}@/i.test(first('to')?.replace(/^.*</, '') ?? ''))
    return { kind: 'unsubscribe', reports: [], ...about }
  return { kind: 'other', reports: [], ...about }
}

const nothing = { recipient: null, status: null, code: null, reason: 'other' as Reason, text: '', remoteHost: null }

function fieldsOf(block: string): Map<string, string> {
  const lines = block.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)
  return new Map(
    lines.flatMap((line) => {
      const colon = line.indexOf(':')
      return colon > 0 ? [[line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const] : []
    }),
  )
}

function complaint(mail: OpenMail): InboundReport {
  const fields = fieldsOf(mail.parts.find(({ type }) => type === 'message/feedback-report')!.text)
  const recipient = addressIn(fields.get('original-rcpt-to') ?? fields.get('removal-recipient') ?? '')
  return { ...nothing, recipient, class: 'complaint' }
}

function deliveryStatuses(mail: OpenMail): InboundReport[] {
  const part = mail.parts.find(({ type }) => /^message\/(global-)?delivery-status$/.test(type))
  if (!part) return []
  return part.text.split(/\r?\n[ \t]*\r?\n/).flatMap((block): InboundReport[] => {
    const fields = fieldsOf(block)
    const recipient = addressIn(fields.get('final-recipient') ?? fields.get('original-recipient') ?? '')
    if (!recipient) return []
    const text = (fields.get('diagnostic-code') ?? '').replace(/^[\w-]+;\s*/, '')
    const status = /\b[245]\.\d{1,3}\.\d{1,3}\b/.exec(fields.get('status') ?? text)?.[0] ?? null
    const action = fields.get('action')?.toLowerCase() ?? 'failed'
    const code = Number(/\b[45]\d\d\b/.exec(text)?.[0]) || null
    const remoteHost = fields.get('remote-mta')?.replace(/^[\w-]+;\s*/, '') ?? null
    if (/^(delivered|relayed|expanded)/.test(action))
      return [{ recipient, status, code, reason: 'other', class: 'delivered', text, remoteHost }]
    const reason = action.startsWith('delayed') ? 'delayed' : reasonFor(text, status)
    const isHard = deadReasons.has(reason) && !status?.startsWith('4')
    return [{ recipient, status, code, reason, class: isHard ? 'hard' : 'soft', text, remoteHost }]
  })
}

function failedRecipients(mail: OpenMail): InboundReport[] {
  if (mail.parts.some(({ type }) => type === 'message/delivery-status')) return []
  return (mail.headers.get('x-failed-recipients') ?? []).flatMap((value) =>
    value.split(',').flatMap((each): InboundReport[] => {
      const recipient = addressIn(each)
      const reason = reasonFor(mail.text.slice(0, 2000), null)
      return recipient
        ? [
            {
              ...nothing,
              recipient,
              reason,
              class: deadReasons.has(reason) ? 'hard' : 'soft',
              text: mail.text.slice(0, 500),
            },
          ]
        : []
    }),
  )
}

function addressIn(text: string): string | null {
  return /[^\s<>()[\]{},;:"']{1,64}@[^\s<>()[\]{},;:"']{1,255}/.exec(text)?.[0].toLowerCase() ?? null
}

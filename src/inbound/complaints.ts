// Complaints: RFC 5965, and providers that forward a complaint in another format.

import { addressesIn } from './addresses.ts'
import { fieldsOf } from './fields.ts'
import type { InboundReport } from './mail.ts'
import type { OpenMail } from './open.ts'

/** Feedback reports that aren't complaints: failed authentication, "not spam". */
const noComplaint = /^(?:auth-failure|not-spam|virus|dmarc)/i
/** Amazon SES, if SNS sends its notifications by mail. */
const snsComplaint = /"notificationType\\?":\\?"Complaint/
const snsRecipients = /emailAddress\\?":\\?"([^"\\]{3,320})/g

export function complaintsIn(mail: OpenMail, returnedTo: string | null): InboundReport[] {
  const fields = mail.feedback === null ? null : fieldsOf(mail.feedback)
  if (
    fields ? noComplaint.test(fields.get('feedback-type')?.[0] ?? '') : !isPlainComplaint(mail) && !isSnsComplaint(mail)
  )
    return []
  const named = ['original-rcpt-to', 'removal-recipient'].flatMap((name) =>
    (fields?.get(name) ?? []).flatMap(addressesIn),
  )
  if (!fields) named.push(...[...mail.said.matchAll(snsRecipients)].flatMap(([, address]) => addressesIn(address!)))
  const recipients: (string | null)[] = named.length ? [...new Set(named)] : [returnedTo]
  const text = (fields ? (fields.get('feedback-type')?.[0] ?? 'abuse') : mail.subject).slice(0, 200)
  return recipients.map((recipient) => ({
    recipient,
    status: null,
    code: null,
    reason: 'other',
    class: 'complaint',
    text,
    remoteHost: null,
  }))
}

function isSnsComplaint({ from, said }: OpenMail): boolean {
  return /@sns\.amazonaws\.com/i.test(from) && snsComplaint.test(said)
}

/** Hotmail's format: "complaint about message from 192.0.2.1", and the message. */
function isPlainComplaint({ subject, from, returned }: OpenMail): boolean {
  return /^\s*complaint about message from/i.test(subject) && /staff@|abuse|feedback/i.test(from) && returned !== ''
}

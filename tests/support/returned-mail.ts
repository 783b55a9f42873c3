// Mails that come back, as servers write them, and the SMTP that brings them.

import nodemailer from 'nodemailer'
import type { ReceivedMail } from './inbox.ts'

export type SentMail = Pick<ReceivedMail, 'to' | 'returnPath' | 'raw'>

export interface BounceOptions {
  recipient?: string
  status?: string
  diagnostic?: string
  action?: string
  /** Of our mail: all its headers, some of them, or none. */
  quote?: (header: string) => boolean
  /** Tells mails apart that say the same. */
  nonce?: string
}

const headOf = (raw: Buffer) => {
  const text = raw.toString('latin1')
  return text.slice(0, text.indexOf('\r\n\r\n')).split(/\r\n(?![ \t])/)
}

/** A report of RFC 3464 about a mail that an inbox got. */
export function bounceOf(mail: SentMail, options: BounceOptions = {}): string {
  const { status = '5.1.1', action = 'failed', recipient = mail.to, nonce = '1', quote = () => true } = options
  const { diagnostic = `550 ${status} <${recipient}>: Recipient address rejected: User unknown` } = options
  return [
    'From: MAILER-DAEMON@mx.example (Mail Delivery System)',
    `To: ${mail.returnPath}`,
    `Message-ID: <${nonce}@mx.example>`,
    'Auto-Submitted: auto-replied',
    'Subject: Undelivered Mail Returned to Sender',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status; boundary="=_1"',
    '',
    '--=_1',
    'Content-Type: text/plain',
    '',
    'I am sorry to have to inform you that your message could not be delivered.',
    '--=_1',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.example',
    '',
    `Final-Recipient: rfc822; ${recipient}`,
    `Action: ${action}`,
    `Status: ${status}`,
    `Diagnostic-Code: smtp; ${diagnostic}`,
    '--=_1',
    'Content-Type: text/rfc822-headers',
    '',
    ...headOf(mail.raw).filter(quote),
    '--=_1--',
    '',
  ].join('\r\n')
}

/** A report of RFC 5965: its reader called a mail spam. */
export function complaintOf(mail: SentMail, quote: (header: string) => boolean = () => true): string {
  return [
    'From: feedback@provider.example',
    `To: ${mail.returnPath}`,
    'Subject: FW: complaint',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=feedback-report; boundary="=_1"',
    '',
    '--=_1',
    'Content-Type: text/plain',
    '',
    'This is an email abuse report.',
    '--=_1',
    'Content-Type: message/feedback-report',
    '',
    'Feedback-Type: abuse',
    'User-Agent: Feedback/1.0',
    'Version: 1',
    '--=_1',
    'Content-Type: message/rfc822',
    '',
    ...headOf(mail.raw).filter(quote),
    '',
    'Hello.',
    '--=_1--',
    '',
  ].join('\r\n')
}

export function plainMailTo(to: string, headers: readonly string[] = [], text = 'Please stop.'): string {
  return [`From: ada@example.org`, `To: ${to}`, 'Subject: Hello', ...headers, '', text, ''].join('\r\n')
}

/** Hands a mail to a server on this machine, with the null sender. Rejects with the server's answer. */
export async function handTo(port: number, to: string | readonly string[], raw: string | Buffer, lmtp = false) {
  const transport = nodemailer.createTransport({ host: '127.0.0.1', port, ignoreTLS: true, lmtp })
  try {
    return await transport.sendMail({ envelope: { from: '', to: [to].flat() }, raw })
  } finally {
    transport.close()
  }
}

// multipart/alternative: text first, HTML second, both quoted-printable. Mails to one person are nodemailer's work.
//
// Digests and announcements share their fragments: those are encoded once per edition and spliced (quoted-printable.ts), as nodemailer
// would encode 40 kB anew for each subscriber. Their boundary is the same in every mail: it holds "=_", which quoted-printable never
// writes, so no text can imitate it, and everything around the two parts is one shared Buffer.

import MailComposer from 'nodemailer/lib/mail-composer'
import PostalMime from 'postal-mime'
import type { Mail } from '../delivery/composer.ts'

const boundary = '=_broadsheet_alternative'

export const alternativeType = `multipart/alternative; boundary="${boundary}"`

const partHead = (type: string) =>
  `--${boundary}\r\nContent-Type: ${type}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n`

/** What comes before the text part, between the parts, and after the HTML part. Each part must end in a hard line break. */
export const beforeText = Buffer.from(partHead('text/plain'))
export const beforeHtml = Buffer.from(`\r\n${partHead('text/html')}`)
export const afterHtml = Buffer.from(`\r\n--${boundary}--\r\n`)

/** A whole mail from two texts. What nodemailer writes above its body is left out: delivery writes the headers of all mails. */
export async function composeAlternative(parts: {
  text: string
  html: string
}): Promise<Pick<Mail, 'contentType' | 'body' | 'htmlBytes'>> {
  const node = new MailComposer({ ...parts, encoding: 'quoted-printable', newline: 'windows' }).compile()
  const message = await node.build()
  return {
    contentType: `multipart/alternative; boundary="${node.boundary}"`,
    body: [message.subarray(message.indexOf('\r\n\r\n') + 4)],
    htmlBytes: Buffer.byteLength(parts.html),
  }
}

/** Both parts, as a reader's program shows them. */
export async function readAlternative({
  contentType,
  body,
}: Pick<Mail, 'contentType' | 'body'>): Promise<{ text: string; html: string }> {
  const head = Buffer.from(`MIME-Version: 1.0\r\nContent-Type: ${contentType}\r\n\r\n`)
  const { text, html } = await PostalMime.parse(Buffer.concat([head, ...body]))
  return { text: text!, html: html! }
}

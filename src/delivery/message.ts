// Turns a composed mail into the bytes for the wire: headers (encoded, folded, without line ends from outside), Date, a Message-ID
// that is the same at every attempt, DKIM-Signature, and the dot-stuffed body.

import { rfcDate } from '../base/dates.ts'
import type { Mail } from './composer.ts'
import { type Dkim, signMail } from './dkim.ts'
import { encodeText, foldField, formatMailbox } from './header-text.ts'

/**
 * Always the same for the same delivery, so that receivers can merge a mail that was sent twice. `site` distinguishes two
 * installations with the same sender.
 */
export function makeMessageId(deliveryId: number, site: string, fromAddress: string): string {
  return `<${deliveryId.toString(36)}.${site}@${fromAddress.slice(fromAddress.lastIndexOf('@') + 1)}>`
}

/** As SMTP takes it, in parts. Parts of the body may be shared with other mails. */
export async function buildMessage(
  mail: Mail,
  delivery: { recipient: string; messageId: string; date: Date },
  dkim: Dkim | null,
): Promise<Buffer[]> {
  const headers: [string, string][] = [
    ['From', formatMailbox(mail.from)],
    ['To', delivery.recipient],
    ['Subject', encodeText(mail.subject)],
    ['Date', rfcDate(delivery.date)],
    ['Message-ID', delivery.messageId],
  ]
  if (mail.replyTo) headers.push(['Reply-To', formatMailbox(mail.replyTo)])
  for (const [name, value] of mail.headers) headers.push([name, value])
  headers.push(['MIME-Version', '1.0'], ['Content-Type', mail.contentType])
  let fields = ''
  for (const header of headers) {
    const [name, value] = header
    if (!/^[A-Za-z0-9-]+$/.test(name) || !/^[\x20-\x7e]*$/.test(value) || hasLongWord(value))
      throw new Error(`a mail's ${name} header can't be sent as it is`)
    // On one line: some relays unfold it, and some receivers read only the first line.
    header[1] = name === 'List-Unsubscribe' ? ` ${value}` : foldField(name, value)
    fields += `${name}:${header[1]}\r\n`
  }
  const head = (await signMail(dkim, headers, mail.body)) + fields
  return [Buffer.from(`${head}\r\n`, 'latin1'), ...(mail.isDotFree ? mail.body : stuffDots(mail.body))]
}

/** Whether a word is longer than a line may be (998 bytes). */
function hasLongWord(value: string): boolean {
  return value.length > 900 && /\S{900}/.test(value)
}

const lineDot = Buffer.from('\r\n.')

/** RFC 5321 §4.5.2: a line that starts with a dot gets another one. If no line does, the same parts are returned. */
function stuffDots(body: readonly Buffer[]): Buffer[] {
  const parts: Buffer[] = []
  let atLineStart = true
  for (const part of body) {
    if (!part.length) continue
    if (atLineStart && part[0] === 0x2e) parts.push(Buffer.from('.'))
    let from = 0
    for (let at = part.indexOf(lineDot); at >= 0; at = part.indexOf(lineDot, at + 2)) {
      parts.push(part.subarray(from, at + 2), Buffer.from('.'))
      from = at + 2
    }
    parts.push(from === 0 ? part : part.subarray(from))
    atLineStart = part[part.length - 1] === 0x0a
  }
  return parts
}

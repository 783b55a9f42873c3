// A composed mail becomes bytes for the wire: headers (encoded, folded, free of line ends from outside), Date, a Message-ID that
// is the same at every attempt, DKIM-Signature, and the body dot-stuffed.

import type { Mailbox } from '../base/mailbox.ts'
import type { Mail } from './composer.ts'
import { type Dkim, signMail } from './dkim.ts'

/** The same for the same delivery whatever happens, so that receivers can merge a mail that was sent twice. `site` tells two
 * installations with the same sender apart. */
export function makeMessageId(deliveryId: number, site: string, fromAddress: string): string {
  return `<${deliveryId.toString(36)}.${site}@${fromAddress.slice(fromAddress.lastIndexOf('@') + 1)}>`
}

/** As SMTP takes it, in parts: those of the body may be shared with other mails. */
export async function buildMessage(
  mail: Mail,
  delivery: { recipient: string; messageId: string; date: Date },
  dkim: Dkim | null,
): Promise<Buffer[]> {
  const headers: [string, string][] = [
    ['From', formatMailbox(mail.from)],
    ['To', delivery.recipient],
    ['Subject', foldText(encodeWords(mail.subject), 9)],
    ['Date', formatDate(delivery.date)],
    ['Message-ID', delivery.messageId],
  ]
  if (mail.replyTo) headers.push(['Reply-To', formatMailbox(mail.replyTo)])
  for (const [name, value] of mail.headers) headers.push([name, foldText(encodeWords(value), name.length + 2)])
  headers.push(['MIME-Version', '1.0'], ['Content-Type', foldText(mail.contentType, 14)])
  for (const [name, value] of headers)
    if (!/^[A-Za-z0-9-]+$/.test(name) || !isHeaderText(value))
      throw new Error(`a mail's ${name} header can't be sent as it is`)
  let head = await signMail(dkim, headers, mail.body)
  for (const [name, value] of headers) head += `${name}: ${value}\r\n`
  return [Buffer.from(`${head}\r\n`, 'latin1'), ...(mail.isDotFree ? mail.body : stuffDots(mail.body))]
}

/** ASCII whose line ends are folds. */
function isHeaderText(value: string): boolean {
  return /^[\x20-\x7e\t]*$/.test(value) || /^[\x20-\x7e\t]*$/.test(value.replace(/\r\n(?=[ \t])/g, ''))
}

const lineDot = Buffer.from('\r\n.')

/** RFC 5321 §4.5.2: a line that starts with a dot gets one more. The parts come back as they are when none does. */
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

// oxlint-disable-next-line no-control-regex
const controls = /[\x00-\x1f\x7f\u2028\u2029\u0085]+/g

/** `Name <address>`, the name quoted or encoded where it must be. */
export function formatMailbox({ name, address }: Mailbox): string {
  if (!name) return address
  const clean = name.replace(controls, ' ').trim()
  if (/^[A-Za-z0-9 !#$%&'*+/^_`{|}~-]*$/.test(clean)) return foldText(`${clean} <${address}>`, 6)
  if (/^[\x20-\x7e]*$/.test(clean) && !clean.includes('=?'))
    return foldText(`"${clean.replace(/["\\]/g, '\\$&')}" <${address}>`, 6)
  // Words left plain between encoded ones would have to be quoted: all of it is encoded.
  return foldText(`${encodeRun(clean)} <${address}>`, 6)
}

/** RFC 2047, UTF-8, base64: each run of words that isn't plain ASCII becomes encoded words of at most 75 characters. Line ends
 * and other controls become a space. */
export function encodeWords(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text) && !text.includes('=?')) return text.trim()
  const clean = text.replace(controls, ' ').trim()
  if (/^[\x20-\x7e]*$/.test(clean) && !clean.includes('=?')) return clean
  const words = clean.split(' ')
  const out: string[] = []
  let run: string[] = []
  const flush = () => {
    if (run.length) out.push(encodeRun(run.join(' ')))
    run = []
  }
  for (const word of words)
    if (/^[\x21-\x7e]*$/.test(word) && !word.includes('=?')) {
      flush()
      out.push(word)
    } else run.push(word)
  flush()
  return out.join(' ')
}

function encodeRun(text: string): string {
  const chunks: string[] = []
  let chunk = ''
  for (const character of text) {
    // 36 bytes are 48 characters of base64, 60 with =?utf-8?B?…?=: beside a header's name within a line of 76.
    if (Buffer.byteLength(chunk + character) > 36) {
      chunks.push(chunk)
      chunk = ''
    }
    chunk += character
  }
  chunks.push(chunk)
  return chunks.map((part) => `=?utf-8?B?${Buffer.from(part).toString('base64')}?=`).join(' ')
}

/** Folds at spaces so that lines stay within 78 characters where words allow it. `used`: what stands before it. */
export function foldText(text: string, used: number): string {
  if (used + text.length <= 78) return text
  let line = used
  let out = ''
  for (const [i, word] of text.split(' ').entries()) {
    if (i > 0 && line + 1 + word.length > 76 && word.length > 0 && line > 1) {
      out += '\r\n '
      line = 1
    } else if (i > 0) {
      out += ' '
      line++
    }
    out += word
    line += word.length
  }
  return out
}

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** RFC 5322, in UTC. */
export function formatDate(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  return `${days[date.getUTCDay()]}, ${date.getUTCDate()} ${months[date.getUTCMonth()]} ${date.getUTCFullYear()} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`
}

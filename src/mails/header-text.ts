// Text in headers: RFC 2047 encoded words where a text isn't plain ASCII, addresses as RFC 5322 wants them, folding at 78. Control
// characters are removed here, at the assignment, so that no title, name or setting can start a header of its own.

import type { Mailbox } from '../base/config.ts'

const lineLength = 76
// "=?utf-8?B?" and "?=" around at most 45 bytes (60 characters of base64): 72 of the 75 that RFC 2047 §2 allows.
const wordBytes = 45

/** Line ends and other control characters become one space; so do the separators that some programs take for line ends. */
export function cleanHeaderText(text: string): string {
  return (
    text
      // oxlint-disable-next-line no-control-regex
      .replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, ' ')
      .replace(/ {2,}/g, ' ')
      .trim()
  )
}

/** An unstructured header value (Subject), encoded where needed and folded. `name` is the header's, for the first line's length. */
export function encodeHeaderText(name: string, text: string): string {
  const clean = cleanHeaderText(text)
  if (isPlain(clean) && clean.split(' ').every((word) => word.length <= lineLength - 2))
    return foldWords(clean.split(' '), name.length + 2)
  return encodeWords(clean, name.length + 2)
}

/** `Name <address>`, the name quoted or encoded as it needs. */
export function encodeMailbox(name: string, mailbox: Mailbox): string {
  const display = cleanHeaderText(mailbox.name)
  if (!display) return mailbox.address
  // RFC 5322 §3.2.3: atoms need no quotes.
  const phrase = !isPlain(display)
    ? encodeWords(display, name.length + 2)
    : /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+$/.test(display)
      ? display
      : `"${display.replace(/["\\]/g, '\\$&')}"`
  const last = phrase.slice(phrase.lastIndexOf('\n') + 1).length + (phrase.includes('\n') ? 0 : name.length + 2)
  return last + mailbox.address.length + 3 > lineLength
    ? `${phrase}\r\n <${mailbox.address}>`
    : `${phrase} <${mailbox.address}>`
}

/** Folds a structured value (List-Unsubscribe, References) before the given separators' following spaces. */
export function foldHeader(name: string, value: string): string {
  const clean = cleanHeaderText(value)
  return name.length + 2 + clean.length <= lineLength ? clean : foldWords(clean.split(' '), name.length + 2)
}

function isPlain(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text) && !text.includes('=?')
}

function foldWords(words: readonly string[], firstColumn: number): string {
  let folded = ''
  let column = firstColumn
  for (const word of words) {
    if (folded === '') {
      folded = word
      column += word.length
    } else if (column + 1 + word.length > lineLength) {
      folded += `\r\n ${word}`
      column = 1 + word.length
    } else {
      folded += ` ${word}`
      column += 1 + word.length
    }
  }
  return folded
}

/** Whole characters per word, as RFC 2047 §5 demands; white space between two encoded words disappears when read. */
function encodeWords(text: string, firstColumn: number): string {
  const words: string[] = []
  let chunk = ''
  let bytes = 0
  // The first line also holds the header's name.
  let room = Math.max(6, Math.min(wordBytes, Math.floor((lineLength - firstColumn - 12) / 4) * 3))
  for (const character of text) {
    const length = Buffer.byteLength(character)
    if (bytes + length > room) {
      words.push(chunk)
      chunk = ''
      bytes = 0
      room = wordBytes
    }
    chunk += character
    bytes += length
  }
  if (chunk) words.push(chunk)
  return words.map((word) => `=?utf-8?B?${Buffer.from(word).toString('base64')}?=`).join('\r\n ')
}

// Words, addresses and folds of header fields, written by nodemailer's mime-funcs. Our code only decides when to encode:
// nodemailer leaves encoded words, repeated spaces and overlong words as they are, and receivers read each of them differently.

import { encodeWord, foldLines, quoteString } from 'nodemailer/lib/mime-funcs'
import type { Mailbox } from '../base/mailbox.ts'

/**
 * Text of a header such as Subject. Receivers decode it to exactly this text, except that controls become a space and spaces at
 * both ends are removed.
 */
export function encodeText(text: string): string {
  if (isPlain(text)) return text
  const clean = withoutControls(text)
  return isPlain(clean) ? clean : encodeAll(clean, 52)
}

/** `Name <address>`. The name is quoted or encoded if necessary. */
export function formatMailbox({ name, address }: Mailbox): string {
  const clean = withoutControls(name)
  if (!clean) return address
  const quoted = /^[\w ]+$/.test(clean) ? clean : quoteString(clean)
  // In as few encoded words as possible: some programs show a space between two of them in a name (Python's email package does).
  return `${isPlain(quoted) ? quoted : encodeAll(clean, 75)} <${address}>`
}

const lineLength = 76

/** The value of a field, in lines of at most 76 characters. Longer words aren't split. */
export function foldField(name: string, value: string): string {
  if (name.length + 2 + value.length <= lineLength) return ` ${value}`
  return foldLines(`${name}: ${value}`, lineLength).slice(name.length + 1)
}

/**
 * Printable ASCII that every receiver reads as written: no encoded word, no space at either end or next to another (folding loses
 * them), no word too long for a line.
 */
function isPlain(text: string): boolean {
  return /^(?:[\x21-\x7e]{1,70}(?: (?=[\x21-\x7e])|$))*$/.test(text) && !text.includes('=?')
}

/**
 * Encodes the whole text, because some programs lose spaces between encoded and plain words. Uses Q if the result is mostly
 * readable.
 */
function encodeAll(text: string, wordLength: number): string {
  const letters = text.match(/[a-z]/gi)?.length ?? 0
  const others = text.match(/[^\x20-\x7e]/g)?.length ?? 0
  return encodeWord(text, letters > others ? 'Q' : 'B', wordLength)
}

function withoutControls(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, ' ').trim()
}

// Words, addresses and folds of header fields, written by nodemailer's mime-funcs. Ours is only when to encode: nodemailer passes
// on what looks like an encoded word, several spaces and words too long for a line, and receivers read each of them differently.

import { encodeWord, foldLines, quoteString } from 'nodemailer/lib/mime-funcs'
import type { Mailbox } from '../base/mailbox.ts'

/** Text of a header such as Subject, as receivers decode it again: exact but for controls, which become a space, and spaces at its
 * ends. */
export function encodeText(text: string): string {
  if (isPlain(text)) return text
  const clean = withoutControls(text)
  return isPlain(clean) ? clean : encodeAll(clean, 52)
}

/** `Name <address>`, the name quoted or encoded where it must be. */
export function formatMailbox({ name, address }: Mailbox): string {
  const clean = withoutControls(name)
  if (!clean) return address
  const quoted = /^[\w ]+$/.test(clean) ? clean : quoteString(clean)
  // In as few words as can be: between two of them in a name some programs show a space (Python's email package among them).
  return `${isPlain(quoted) ? quoted : encodeAll(clean, 75)} <${address}>`
}

const lineLength = 76

/** What follows the colon of a field, in lines of at most 76 characters but for longer words. */
export function foldField(name: string, value: string): string {
  if (name.length + 2 + value.length <= lineLength) return ` ${value}`
  return foldLines(`${name}: ${value}`, lineLength).slice(name.length + 1)
}

/** Printable ASCII that every receiver reads as it is written: no encoded word, no space at an end or beside another (they are
 * lost when lines are folded), no word too long for a line. */
function isPlain(text: string): boolean {
  return /^(?:[\x21-\x7e]{1,70}(?: (?=[\x21-\x7e])|$))*$/.test(text) && !text.includes('=?')
}

/** All of it, as spaces between encoded words and plain ones are lost in some programs. In Q where that is mostly readable. */
function encodeAll(text: string, wordLength: number): string {
  const letters = text.match(/[a-z]/gi)?.length ?? 0
  const others = text.match(/[^\x20-\x7e]/g)?.length ?? 0
  return encodeWord(text, letters > others ? 'Q' : 'B', wordLength)
}

function withoutControls(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]+/g, ' ').trim()
}

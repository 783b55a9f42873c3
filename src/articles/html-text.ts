// Printable text from markup: entities decoded, on one line, without control characters, and without characters that reverse or
// cover the text around them. The input is from strangers, so its time grows linearly with the length of the text, never with the
// square.

import { decodeHTMLAttribute } from 'entities'

/** As in attributes: `&copy=1` and `&region` aren't entities with a missing semicolon. `&nbspand` and `&quotHe` are. */
export function decodeEntities(raw: string): string {
  if (!raw.includes('&')) return raw
  return decodeHTMLAttribute(raw.replace(/&(amp|nbsp|quot)(?!;|\w*=)/g, '&$1;'))
}

/**
 * Characters that are escaped once too often, also between real tags. Entities that may be intended as written (`&amp;`, `&lt;`)
 * aren't included.
 */
export function decodeTypography(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(
    /&(?:#(?:1[3-9]\d|[2-9]\d\d|\d{4,5})|#x[2-9a-f][\da-f]{2,4}|nbsp|hellip|[lr][sd]quo|[nm]dash);/gi,
    decodeHTMLAttribute,
  )
}

/** Control characters, all kinds of line ends and runs of white space (including U+00A0) become one space. */
export function cleanSpace(text: string): string {
  const clean = collapse(text).trim()
  return balanced(mayHaveMarks.test(clean) ? clean.replace(manyMarks, '$1') : clean)
}

/** The same for a part of a text: spaces at its ends stay, and characters that are valid only in combination aren't checked. */
export function collapse(text: string): string {
  if (!/[^ -~]| {2}/.test(text)) return text
  return (
    text
      // oxlint-disable-next-line no-control-regex
      .replace(/[\x80-\x9f]/g, (control) => windows1252[control.charCodeAt(0) - 0x80]!)
      // Overrides and embeddings change the direction of the text around them.
      .replace(/[\u202a-\u202e]+/g, '')
      .replace(spaces, ' ')
  )
}

/** A single space, the usual case, isn't replaced. */
const spaces =
  // oxlint-disable-next-line no-control-regex
  / ?[\x00-\x1f\x7f\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff][\s\x00-\x1f\x7f\ufeff]*| {2}[\s\x00-\x1f\x7f\ufeff]*/g

/** No script needs more marks on one letter. Without a limit they cover the lines above and below. */
// oxlint-disable-next-line no-misleading-character-class
const mayHaveMarks = /[\u0300-\u1fff\u20d0-\u20ff\ufe20-\ufe2f]{5}/
const manyMarks = /([\p{Mn}\p{Me}]{4})[\p{Mn}\p{Me}]+/gu

/** The characters that are meant by the control characters from 0x80: `&#146;` is an apostrophe. */
const windows1252 = '€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ'

/** Pairs of isolates stay: a name in another direction. A single one would affect the text that follows. */
function balanced(text: string): string {
  if (!/[\u2066-\u2069]/.test(text)) return text
  const dropped = new Set<number>()
  const open: number[] = []
  for (const { 0: mark, index } of text.matchAll(/[\u2066-\u2069]/g)) {
    if (mark !== '\u2069') open.push(index)
    else if (open.pop() === undefined) dropped.add(index)
  }
  for (const index of open) dropped.add(index)
  return text.replace(/[\u2066-\u2069]/g, (mark, index: number) => (dropped.has(index) ? '' : mark))
}

/** At most `most` characters, cut at a word, with an ellipsis if something was cut. Pure. */
export function cutAtWord(text: string, most: number): string {
  if (text.length <= most) return text
  const cut = text.slice(0, most)
  const space = /\s/.test(text[most]!) ? most : cut.lastIndexOf(' ')
  // Scripts without spaces, and very long words: cut at a whole character.
  const end = space > most * 0.6 ? cut.slice(0, space) : cut.replace(/[\ud800-\udbff]$/, '')
  let length = end.length
  while (length > 0 && atWordEnd.test(end[length - 1]!)) length--
  return `${balanced(end.slice(0, length))}…`
}

const atWordEnd = /[\s.,;:!?–—-]/

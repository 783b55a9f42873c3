// In which direction a text is written (UAX #9). Pure.

export type Direction = 'ltr' | 'rtl'

/** Letters and the invisible marks that count as letters, and the isolates, whose inside doesn't count. */
const signs = /[\u2066-\u2068]|\u2069|[\p{L}\u200e\u200f\u061c]/gu

const letters = /[\p{L}\u200e\u200f\u061c]/gu

const rightToLeft =
  /[\p{sc=Arabic}\p{sc=Hebrew}\p{sc=Syriac}\p{sc=Thaana}\p{sc=Nko}\p{sc=Adlam}\p{sc=Samaritan}\p{sc=Mandaic}\p{sc=Hanifi_Rohingya}\p{sc=Yezidi}\p{sc=Mende_Kikakui}\u200f\u061c]/u

/** By the first strong character, as browsers read `dir="auto"` (rules P2 and P3). `fallback`: of a text without letters, such as
 * "2026" or "!". */
export function directionOf(text: string, fallback: Direction = 'ltr'): Direction {
  let depth = 0
  for (const [sign] of text.matchAll(signs)) {
    if (sign === '\u2069') depth = Math.max(0, depth - 1)
    else if (sign >= '\u2066' && sign <= '\u2068') depth++
    else if (depth === 0) return rightToLeft.test(sign) ? 'rtl' : 'ltr'
  }
  return fallback
}

/** A text within a sentence of direction `around`. One with letters of the other direction is isolated (U+2068 … U+2069), so that
 * neither changes the order of the other, and punctuation stays on its side. */
export function isolate(text: string, around: Direction): string {
  for (const [sign] of text.matchAll(letters))
    if (rightToLeft.test(sign) !== (around === 'rtl')) return `\u2068${text}\u2069`
  return text
}

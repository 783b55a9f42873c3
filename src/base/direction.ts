// The direction of a text by its first strong character, as browsers read `dir="auto"` (UAX #9, rules P2 and P3).

type Direction = 'ltr' | 'rtl'

/** Letters and the invisible marks that count as letters, and the isolates, whose inside doesn't count. */
const signs = /[\u2066-\u2068]|\u2069|[\p{L}\u200e\u200f\u061c]/gu

const rightToLeft =
  /[\p{sc=Arabic}\p{sc=Hebrew}\p{sc=Syriac}\p{sc=Thaana}\p{sc=Nko}\p{sc=Adlam}\p{sc=Samaritan}\p{sc=Mandaic}\p{sc=Hanifi_Rohingya}\p{sc=Yezidi}\p{sc=Mende_Kikakui}\u200f\u061c]/u

/** `fallback`: of a text without letters, such as "2026" or "!". Pure. */
export function directionOf(text: string, fallback: Direction = 'ltr'): Direction {
  let depth = 0
  for (const [sign] of text.matchAll(signs)) {
    if (sign === '\u2069') depth = Math.max(0, depth - 1)
    else if (sign >= '\u2066' && sign <= '\u2068') depth++
    else if (depth === 0) return rightToLeft.test(sign) ? 'rtl' : 'ltr'
  }
  return fallback
}

// Plain text: shortening and wrapping by what people see, not by code units.

import { directionOf } from '../base/direction.ts'

const directionMarks = { ltr: '\u200e', rtl: '\u200f' } as const

const segments = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** At most `most` characters, cut at a word where there is one near, with an ellipsis. Pure. */
export function clip(text: string, most: number): string {
  if (text.length <= most) return text
  let cut = ''
  let count = 0
  for (const { segment } of segments.segment(text)) {
    if (count + 1 >= most) break
    cut += segment
    count++
  }
  if (cut.length + 1 >= text.length) return text
  const space = cut.lastIndexOf(' ')
  // Languages without spaces, and words without end, are cut where they are.
  const atWord = space > cut.length * 0.7 ? cut.slice(0, space) : cut
  return `${atWord.replace(/[\s.,;:–—-]+$/, '')}…`
}

/** Lines of at most `width` characters where the words allow; a word is never broken, so an address stays usable. A program shows each
 * line as a paragraph of its own: one that begins with a word of the other direction gets an invisible mark. Pure. */
export function wrap(text: string, width = 72): string {
  return text
    .split('\n')
    .map((paragraph) => {
      if (paragraph.length <= width) return paragraph
      const lines: string[] = []
      let line = ''
      for (const word of paragraph.split(' ')) {
        if (line !== '' && line.length + 1 + word.length > width) {
          lines.push(line)
          line = word
        } else line = line === '' ? word : `${line} ${word}`
      }
      lines.push(line)
      const dir = directionOf(paragraph)
      return lines.map((each) => (directionOf(each, dir) === dir ? each : directionMarks[dir] + each)).join('\n')
    })
    .join('\n')
}

/** A rule as long as the heading above it. */
export function underline(text: string, sign = '='): string {
  return sign.repeat(Math.min(72, [...text].length))
}

/** A preheader with invisible characters behind it, so that an inbox doesn't go on with the first words of the mail. */
export function padded(preheader: string): string {
  return preheader + '\u00a0\u200c'.repeat(fillers)
}

/** An inbox shows up to 150 characters or so. */
const fillers = 120

/** A capital where a sentence or a line begins with a word that has none, such as a weekday in French. Pure. */
export function capitalised(text: string, locale: string): string {
  const [first = ''] = text
  return first.toLocaleUpperCase(locale) + text.slice(first.length)
}

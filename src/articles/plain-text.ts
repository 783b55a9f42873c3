// A piece of HTML as one line of text, for names and labels.

import { readHtml, textOf } from './html-reader.ts'
import { cleanSpace } from './html-text.ts'

/** The text of a name or label: markup removed, entities decoded (twice if they were escaped twice), on one line. */
export function plainText(html: string): string {
  if (!/[<&]/.test(html)) return cleanSpace(html.slice(0, 20_000))
  let reading = readHtml(html, 2000)
  let text = textOf(reading.blocks)
  for (let pass = 0; pass < 2 && isEscapedAgain(text, reading.hasTags); pass++) {
    reading = readHtml(text, 2000)
    text = textOf(reading.blocks)
  }
  return text
}

/**
 * `&amp;#8217;` or `&amp;lt;b&amp;gt;` in the document: after decoding it still contains entities, or tags of HTML. If it contains
 * a real tag, escaped text is meant to be visible.
 */
export function isEscapedAgain(text: string, hasTags: boolean): boolean {
  if (hasTags) return false
  return /&(?:#\d|#x[\da-f]|[a-z]{2,8};)/i.test(text) || (text.includes('<') && knownTag.test(text))
}

const knownTag =
  /<\/?(?:a|abbr|b|big|blockquote|br|cite|code|data|del|dfn|div|em|embed|figure|font|form|h[1-6]|hr|i|iframe|img|input|ins|kbd|li|link|mark|math|meta|object|ol|p|pre|q|s|samp|script|section|small|span|strike|strong|style|sub|sup|svg|table|td|th|time|tr|tt|u|ul|var|video|wbr)(?=[\s/>])[^<>]*>/i

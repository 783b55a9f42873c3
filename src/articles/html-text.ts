// What people read in a piece of HTML, and the pictures in it. A scanner, not a parser: it has to be fast (every summary of every
// poll goes through it), stops when it has enough, and must never let markup out. What looks like a tag is one. Strangers write
// what it reads: its time grows with the length of the text, never with its square.

import { decodeHTML, decodeHTMLAttribute } from 'entities'
import { TagScanner } from './html-tags.ts'

export interface HtmlReading {
  /** White space collapsed, entities decoded. */
  text: string
  pictures: HtmlPicture[]
}

export interface HtmlPicture {
  url: string
  width: number | null
}

/** Their content is not for readers. */
const unread =
  /^(?:script|style|iframe|object|svg|math|noembed|template|head|title|textarea|select|form|button|video|audio)$/
/** Never closed, they go on to the end, as they do in a browser. */
const isCode = /^(?:script|style|textarea|noembed)$/
/** A word doesn't end where these begin or end. */
const inline =
  /^(?:a|abbr|acronym|b|bdi|bdo|big|cite|code|data|del|dfn|em|font|i|ins|kbd|mark|nobr|q|s|samp|small|span|strike|strong|sub|sup|time|tt|u|var|wbr)$/

/** Reads until it has `most` characters of text, and the pictures up to there (or all, with `allPictures`). */
export function readHtml(html: string, most: number, options: { allPictures?: boolean } = {}): HtmlReading {
  const pictures: HtmlPicture[] = []
  const tags = new TagScanner(html)
  // Tags that are opened and never closed: looked for once, not again at each of a hundred thousand of them.
  const unclosed = new Set<string>()
  const mostRaw = most * 10 + 1000
  let raw = ''
  let at = 0
  while (at < html.length) {
    const tagAt = html.indexOf('<', at)
    const end = tagAt < 0 ? html.length : tagAt
    // Ten times the length covers entities and white space; nothing here gets long by repetition.
    if (raw.length < mostRaw) raw += html.slice(at, Math.min(end, at + mostRaw))
    else {
      if (options.allPictures) addPictures(pictures, html, at, tags)
      break
    }
    if (tagAt < 0) break
    const found = tags.tagAt(tagAt)
    if (!found) {
      raw += '<'
      at = tagAt + 1
      continue
    }
    at = found.end
    if (found.cdata !== undefined) raw += found.cdata.slice(0, mostRaw).replaceAll('<', ' <')
    if (!found.name) continue
    const tag = found.name.length > longestTag ? '' : found.name.toLowerCase()
    if (!inline.test(tag)) raw += ' '
    if (found.isClosing) continue
    if (tag === 'img' || tag === 'amp-img') addPicture(pictures, found.attributes)
    else if (unread.test(tag) && !found.attributes.endsWith('/')) {
      const close = unclosed.has(tag) ? -1 : closeOf(html, tag, at)
      if (close >= 0) at = close
      else {
        unclosed.add(tag)
        if (isCode.test(tag)) at = html.length
      }
    }
  }
  return { text: cleanSpace(decodeEntities(raw)), pictures }
}

/** Longer ones are nothing that HTML knows. */
const longestTag = 20
/** More of one text are no choice. */
const mostPictures = 100

/** Behind the next `</tag …>`; -1: there is none. */
function closeOf(html: string, tag: string, from: number): number {
  const closing = new RegExp(`</${tag}\\b`, 'gi')
  closing.lastIndex = from
  return closing.exec(html) ? html.indexOf('>', closing.lastIndex) + 1 || -1 : -1
}

/** As in attributes: `&copy=1` and `&region` are no signs with a missing semicolon. `&nbspand` and `&quotHe` are. */
function decodeEntities(raw: string): string {
  return decodeHTMLAttribute(raw.replace(/&(amp|nbsp|quot)(?!;|\w*=)/g, '&$1;'))
}

/** Text of a title or label: markup stripped, entities decoded (twice where they were escaped twice), one line. */
export function plainText(html: string): string {
  if (!/[<&]/.test(html)) return cleanSpace(html.slice(0, 20_000))
  const once = readHtml(html, 2000).text
  return unescapeAgain(once, 2000)
}

/** Reads a text as HTML as often as it still is HTML: feeds escape up to three times. */
export function unescapeAgain(text: string, most: number): string {
  let read = text
  for (let pass = 0; pass < 2 && isEscapedTwice(read); pass++) read = readHtml(read, most).text
  return read
}

/** `&amp;#8217;` or `&amp;lt;b&amp;gt;` in the document: after decoding there are still entities, or tags that HTML knows. */
function isEscapedTwice(text: string): boolean {
  return (
    /&(?:#\d|#x[\da-f]|[a-z]{2,8};)/i.test(text) ||
    (text.includes('<') &&
      /<\/?(?:a|abbr|b|big|blockquote|br|cite|code|del|div|em|embed|font|form|h[1-6]|hr|i|iframe|img|input|ins|li|link|mark|math|meta|object|ol|p|pre|q|s|script|small|span|strike|strong|style|sub|sup|svg|table|td|th|tr|tt|u|ul|video|wbr)(?=[\s/>])[^<>]*>/i.test(
        text,
      ))
  )
}

/** Control characters, line ends of every kind, bidi overrides and runs of white space (U+00A0 too) become one space. */
export function cleanSpace(text: string): string {
  return (
    text
      // oxlint-disable-next-line no-control-regex
      .replace(/[\x80-\x9f]/g, (control) => windows1252[control.charCodeAt(0) - 0x80]!)
      // oxlint-disable-next-line no-control-regex
      .replace(/[\s\x00-\x1f\x7f\u00a0\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]+/g, ' ')
      .trim()
  )
}

/** What people mean by the control characters from 0x80: `&#146;` is an apostrophe. */
const windows1252 = '€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ'

/** At most `most` characters, ended at a word with an ellipsis where something was cut. Pure. */
export function cutAtWord(text: string, most: number): string {
  if (text.length <= most) return text
  const cut = text.slice(0, most)
  const space = /\s/.test(text[most]!) ? most : cut.lastIndexOf(' ')
  // Scripts without spaces, and very long words: at a whole character.
  const end = space > most * 0.6 ? cut.slice(0, space) : cut.replace(/[\ud800-\udbff]$/, '')
  let length = end.length
  while (length > 0 && atWordEnd.test(end[length - 1]!)) length--
  return `${end.slice(0, length)}…`
}

const atWordEnd = /[\s.,;:!?–—-]/

/** Those after `from`, past everything else, until there are enough to choose from. */
function addPictures(pictures: HtmlPicture[], html: string, from: number, tags: TagScanner): void {
  const image = /<(?:amp-)?img\b/gi
  image.lastIndex = from
  for (let looked = 0; looked < 200 && pictures.length < 20; looked++) {
    const start = image.exec(html)?.index
    if (start === undefined) return
    const tag = tags.tagAt(start)
    if (!tag) continue
    image.lastIndex = tag.end
    addPicture(pictures, tag.attributes)
  }
}

const read = new Set(['width', 'height', 'src', 'srcset', 'data-src', 'data-lazy-src', 'data-original'])

function addPicture(pictures: HtmlPicture[], attributes: string): void {
  if (pictures.length >= mostPictures) return
  const found: Record<string, string> = {}
  for (const [, written, , double, single, bare] of attributes.matchAll(
    // The value is optional so that a long name without one is passed over once, not from each of its letters.
    /([a-zA-Z][\w:-]*)(?:\s*=\s*("([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g,
  )) {
    const name = written!.length > longestTag ? '' : written!.toLowerCase()
    if (read.has(name)) found[name] ??= decodeHTML(double ?? single ?? bare ?? '').trim()
  }
  const width = size(found.width)
  const height = size(found.height)
  if ((width !== null && width < 40) || (height !== null && height < 40)) return
  const lazy = found['data-src'] || found['data-lazy-src'] || found['data-original']
  const src = found.src && !found.src.startsWith('data:') ? found.src : undefined
  const url = lazy || src || /^[^\s,]*/.exec(found.srcset ?? '')?.[0]
  if (url) pictures.push({ url, width })
}

function size(value: string | undefined): number | null {
  const match = /^\s*(\d{1,5})(?:px)?\s*$/.exec(value ?? '')
  return match ? Number(match[1]) : null
}

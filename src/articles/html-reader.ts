// The visible text of a piece of HTML, block by block, and its pictures. This is a scanner, not a parser: it must be fast (every
// summary of every poll goes through it), stops when it has enough, and must never let markup through. Whatever looks like a tag
// counts as a tag. The input is from strangers, so its time grows linearly with the length of the text, never with the square.

import {
  attributesOf,
  type Candidate,
  type HtmlPicture,
  isNoStory,
  pictureOf,
  posterOf,
  sourcesOf,
} from './html-pictures.ts'
import { TagScanner } from './html-tags.ts'
import { cleanSpace, collapse, decodeEntities } from './html-text.ts'

export interface HtmlReading {
  blocks: Block[]
  pictures: HtmlPicture[]
  /** Tags of HTML: if there are any, escaped text is meant to be visible. */
  hasTags: boolean
}

export interface Block {
  /** White space collapsed, entities decoded. */
  text: string
  links: BlockLink[]
  /** A caption, a credit, a box about the author, or share buttons. */
  isAside: boolean
}

export interface BlockLink {
  href: string
  /** The position of its text in the block's text. */
  from: number
  to: number
}

/** Their content isn't visible. */
const unread =
  /^(?:script|style|iframe|object|svg|math|noembed|template|head|title|textarea|select|form|button|video|audio)$/
/** If they are never closed, they continue to the end, as in a browser. */
const isCode = /^(?:script|style|textarea|noembed)$/
/** A word doesn't end at these tags. */
const inline =
  /^(?:a|abbr|acronym|b|bdi|bdo|big|cite|code|data|del|dfn|em|font|i|ins|kbd|mark|nobr|q|s|samp|small|span|strike|strong|sub|sup|time|tt|u|var|wbr)$/
/** Elements that contain text. */
const known =
  /^(?:a|abbr|address|article|aside|b|big|blockquote|br|center|cite|code|dd|del|div|dl|dt|em|figure|figcaption|font|h[1-6]|hr|i|img|ins|kbd|li|main|mark|ol|p|pre|q|s|samp|section|small|span|strike|strong|sub|sup|table|tbody|td|th|time|tr|tt|u|ul|var)$/
const empty = /^(?:area|br|col|embed|hr|img|input|link|meta|source|track|wbr)$/
const isCaption =
  /(?:^|\s)(?:wp-caption(?:-text)?|wp-element-caption|(?:[\w-]*[-_])?(?:caption|credits?)(?:[-_](?:text|line))?|(?:photo|image|media)(?:caption|credits?)|copyright)(?:\s|$)/i
const className = /\bclass\s{0,5}=\s{0,5}(?:"([^"]*)|'([^']*))/i
const ofLink: ReadonlySet<string> = new Set(['href'])

/** HTML has no longer names. */
const longestTag = 20
/** The most pictures per text. */
const mostPictures = 100
const mostLinks = 50

export interface ReadingOptions {
  /** Also those after the part that is read. */
  allPictures?: boolean
  /** After so many characters in blocks that aren't asides, plus the next block, only pictures are read. */
  enough?: number
}

/** Reads until it has `most` characters of text, and the pictures up to there (or all, with `allPictures`). */
export function readHtml(html: string, most: number, options: ReadingOptions = {}): HtmlReading {
  const pictures: HtmlPicture[] = []
  const tags = new TagScanner(html)
  const text = new TextOfBlocks(options.enough)
  // Tags that are opened and never closed: searched once, not again at each of a hundred thousand of them.
  const unclosed = new Set<string>()
  // Ten times the length covers entities and white space. No repetition here makes it longer.
  const mostRaw = most * 10 + 1000
  let raw = 0
  let at = 0
  let hasTags = false
  let sources: Candidate[] | null = null
  const aside = new Aside(text)
  const add = (written: string) => {
    raw += written.length
    text.add(written)
  }
  const addPicture = (picture: HtmlPicture | null) => {
    if (picture && !aside.isNoStory && pictures.length < mostPictures) pictures.push(picture)
    aside.sawPicture()
  }
  while (at < html.length) {
    const tagAt = html.indexOf('<', at)
    const end = tagAt < 0 ? html.length : tagAt
    if (raw >= mostRaw) {
      if (options.allPictures) restOfPictures(pictures, html, at, tags)
      break
    }
    add(html.slice(at, Math.min(end, at + mostRaw)))
    if (tagAt < 0) break
    const found = tags.tagAt(tagAt)
    if (!found) {
      add('<')
      at = tagAt + 1
      continue
    }
    at = found.end
    if (found.cdata !== undefined) add(found.cdata.slice(0, mostRaw).replaceAll('<', ' <'))
    if (!found.name) continue
    const tag = found.name.length > longestTag ? '' : found.name.toLowerCase()
    // Each one costs reading time, even without text.
    raw++
    hasTags ||= known.test(tag)
    if (!inline.test(tag)) text.end()
    if (found.isClosing) {
      if (tag === 'a') text.endLink()
      else if (tag === 'picture') sources = null
      aside.close(tag)
      continue
    }
    const { attributes } = found
    if (!empty.test(tag) && !attributes.endsWith('/')) aside.open(tag, attributes)
    if (tag === 'a') text.startLink(attributes)
    else if (tag === 'img' || tag === 'amp-img') addPicture(pictureOf(attributes, sources ?? []))
    else if (tag === 'picture') sources = []
    else if (tag === 'source') sources?.push(...(sources.length < mostPictures ? sourcesOf(attributes) : []))
    else if (unread.test(tag) && !attributes.endsWith('/')) {
      if (tag === 'video') addPicture(posterOf(attributes))
      const close = unclosed.has(tag) ? -1 : closeOf(html, tag, at)
      if (close >= 0) at = close
      else {
        unclosed.add(tag)
        if (isCode.test(tag)) at = html.length
      }
      aside.close(tag)
    }
  }
  text.end()
  return { blocks: text.blocks, pictures, hasTags }
}

export function textOf(blocks: readonly Block[]): string {
  return cleanSpace(blocks.map(({ text }) => text).join(' '))
}

/** The blocks of a text while it is being read. */
class TextOfBlocks {
  readonly blocks: Block[] = []
  isAside = false
  #text = ''
  #links: BlockLink[] = []
  #open: { href: string; from: number } | null = null
  readonly #enough: number
  #length = 0
  #isFull = false

  constructor(enough = Infinity) {
    this.#enough = enough
  }

  add(raw: string): void {
    if (!raw || this.#isFull) return
    const text = collapse(decodeEntities(raw))
    const isDouble = text.startsWith(' ') && (this.#text === '' || this.#text.endsWith(' '))
    this.#text += isDouble ? text.slice(1) : text
  }

  end(): void {
    const open = this.#open
    this.endLink()
    const text = this.#text.trimEnd()
    if (text) {
      this.#isFull = this.#length > this.#enough
      if (!this.isAside) this.#length += text.length
      this.blocks.push({ text, links: this.#links, isAside: this.isAside })
    }
    this.#text = ''
    this.#links = []
    // A link may contain blocks.
    if (open) this.#open = { ...open, from: 0 }
  }

  startAside(): void {
    this.end()
    this.isAside = true
  }

  startLink(attributes: string): void {
    this.endLink()
    if (this.#links.length < mostLinks)
      this.#open = { href: attributesOf(attributes, ofLink).href ?? '', from: this.#text.length }
  }

  endLink(): void {
    if (this.#open && this.#text.length > this.#open.from) this.#links.push({ ...this.#open, to: this.#text.length })
    this.#open = null
  }
}

/** Captions and boxes: where one begins, and the tag that ends it. */
class Aside {
  readonly #text: TextOfBlocks
  #tag = ''
  #depth = 0
  /** Its pictures aren't the story's either. */
  isNoStory = false

  constructor(text: TextOfBlocks) {
    this.#text = text
  }

  open(tag: string, attributes: string): void {
    if (this.#tag) {
      if (tag === this.#tag) this.#depth++
      if (tag === 'figcaption') this.#text.startAside()
      return
    }
    const given = attributes.length < 9 ? null : className.exec(attributes)
    const names = (given?.[1] ?? given?.[2] ?? '').slice(0, 1000)
    const isNoStoryHere = names !== '' && isNoStory.test(names)
    if (tag !== 'figure' && tag !== 'figcaption' && !isNoStoryHere && !isCaption.test(names)) return
    // A figure may be a listing or a quotation.
    if (tag === 'figure') this.#text.end()
    else this.#text.startAside()
    this.isNoStory = isNoStoryHere
    this.#tag = tag
    this.#depth = 1
  }

  /** Text after the picture of a figure is about the picture. */
  sawPicture(): void {
    if (this.#tag === 'figure') this.#text.startAside()
  }

  close(tag: string): void {
    if (tag !== this.#tag || --this.#depth > 0) return
    this.#text.end()
    this.#text.isAside = false
    this.isNoStory = false
    this.#tag = ''
  }
}

/** The position after the next `</tag …>`; -1: there is none. */
function closeOf(html: string, tag: string, from: number): number {
  const closing = new RegExp(`</${tag}\\b`, 'gi')
  closing.lastIndex = from
  return closing.exec(html) ? html.indexOf('>', closing.lastIndex) + 1 || -1 : -1
}

/** The pictures after `from`, skipping everything else, until there are enough. */
function restOfPictures(pictures: HtmlPicture[], html: string, from: number, tags: TagScanner): void {
  const image = /<(?:(?:amp-)?img|video)\b/gi
  image.lastIndex = from
  for (let looked = 0; looked < 200 && pictures.length < 20; looked++) {
    const start = image.exec(html)?.index
    if (start === undefined) return
    const tag = tags.tagAt(start)
    if (!tag) continue
    image.lastIndex = tag.end
    const picture = tag.name.toLowerCase() === 'video' ? posterOf(tag.attributes) : pictureOf(tag.attributes)
    if (picture) pictures.push(picture)
  }
}

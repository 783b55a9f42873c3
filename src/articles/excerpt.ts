// The excerpt of a story: the first of its texts that has content, without what blog programs add. Nothing is cut because of words
// inside a sentence. A part that is cut has a certain form: a block or link of its own, a link to the story and one to the site.

import { canonicalHost, canonicalLink } from './canonical-link.ts'
import { excerptLength } from './entry.ts'
import type { HtmlPicture } from './html-pictures.ts'
import { type Block, type HtmlReading, readHtml, textOf } from './html-reader.ts'
import { cleanSpace, cutAtWord, decodeTypography } from './html-text.ts'
import { isEscapedAgain } from './plain-text.ts'
import {
  isCredit,
  isReadOn,
  isReadOnWithTitle,
  isSameText,
  plainFooter,
  startOfSentence,
  straight,
  wordsOf,
} from './phrases.ts'
import type { About } from './phrases.ts'

export interface WrittenText {
  written: string
  /** Its format declares it as text. */
  isText?: boolean
}

export interface ReadTexts {
  excerpt: string
  pictures: HtmlPicture[]
  /** The name of the site, if the last sentence contains it. */
  source: string | null
  /** The parts left out of the excerpt, as written. */
  cut: string[]
}

/** In characters. Longer text is cut anyway. */
const enough = excerptLength * 2

const nobody: About = { title: null, link: null, feedTitle: '', siteUrl: null }

/**
 * Returns the first text that says more than the title as a clean excerpt, and the pictures in order: those of all texts, unless
 * the feed declares one.
 */
export function readTexts(
  texts: readonly (WrittenText | undefined)[],
  about: About = nobody,
  { hasPicture = false }: { hasPicture?: boolean } = {},
): ReadTexts {
  const pictures: HtmlPicture[] = []
  let chosen: Trimmed | null = null
  let spare: Trimmed | null = null
  let source: string | null = null
  for (const text of texts) {
    if (!text?.written || (chosen && (hasPicture || !/<(?:amp-)?img|<video/i.test(text.written)))) continue
    const reading = readText(text, !hasPicture)
    pictures.push(...reading.pictures)
    if (chosen) continue
    const trimmed = trim(reading, about)
    source ??= trimmed.source
    if (isNothing(trimmed.text)) continue
    // A text that only repeats the title is used if there is no other.
    if (isSameText(trimmed.text, about.title ?? '')) spare ??= trimmed
    else chosen = trimmed
  }
  const found = chosen ?? spare
  return { excerpt: found?.text ?? '', pictures, source, cut: found?.cut ?? [] }
}

function readText({ written, isText }: WrittenText, allPictures: boolean): HtmlReading {
  const isPlain = isText && !/<\/[a-z][a-z0-9]*>|<br ?\/?>|<img\s/i.test(written)
  const html = isPlain ? written.replaceAll('&', '&amp;').replaceAll('<', '&lt;') : written
  const reading = readHtml(html, excerptLength, { allPictures, enough })
  const { pictures } = reading
  let read = reading
  for (let pass = 0; pass < 2 && !read.hasTags; pass++) {
    const text = textOf(read.blocks)
    // In plain text, only entities are decoded again.
    if (!isEscapedAgain(text, isPlain === true && text.includes('<'))) break
    read = readHtml(text, excerptLength, { allPictures, enough })
    pictures.push(...read.pictures)
  }
  return { ...read, pictures }
}

/** No content: only dots, or only an address (some feeds put the link into the description). */
function isNothing(text: string): boolean {
  return /^(?:[\s.…[\]()]*|https?:\/\/\S+)$/i.test(text)
}

interface Trimmed {
  text: string
  source: string | null
  cut: string[]
}

function trim(reading: HtmlReading, about: About): Trimmed {
  const cut: string[] = []
  const drop = (text: string) => {
    if (text.trim() && cut.length < 10) cut.push(cutAtWord(text.trim(), 200))
  }
  const hasText = reading.blocks.some((block) => !block.isAside)
  const blocks: Block[] = []
  let length = 0
  let isWhole = true
  for (const block of reading.blocks) {
    // Longer text is cut anyway.
    if (length > enough) {
      isWhole = false
      break
    }
    if (block.isAside && hasText) drop(block.text)
    else {
      length += block.text.length
      blocks.push(block)
    }
  }
  while (blocks.length > 1 && (isCredit(blocks[0]!.text) || isSameText(blocks[0]!.text, about.title ?? '')))
    drop(blocks.shift()!.text)
  let source: string | null = null
  for (let left = isWhole ? 5 : 0; left > 0 && blocks.length > 0; left--) {
    const last = blocks.at(-1)!
    const footer = footerOf(last, about)
    source ??= footer?.site ?? null
    const from = footer?.from ?? readOnFrom(last, about, blocks.length > 1)
    if (from === null) break
    drop(last.text.slice(from))
    blocks.pop()
    const text = last.text.slice(0, from).trimEnd()
    if (text) blocks.push({ ...last, text, links: last.links.filter(({ to }) => to <= text.length) })
  }
  const joined = decodeTypography(textOf(blocks))
  const end = isWhole ? behindEllipsis(joined) : null
  if (end !== null) drop(joined.slice(end))
  const bare = end === null ? joined : joined.slice(0, end)
  return { text: cutAtWord(isWhole ? withPlainEllipsis(bare) : bare, excerptLength), source, cut }
}

/** A summary that ends with a full sentence needs no dots; one that was cut keeps them. */
function withPlainEllipsis(text: string): string {
  const at = Math.max(0, text.length - 30)
  const end = text
    .slice(at)
    .replace(
      /([.!?…]['"’”)]*)?\s?\[ ?(?:…|\.\.\.|&hellip;) ?\]\s?$/,
      (_all, sentence: string | undefined) => sentence ?? '…',
    )
    .replace(/\s…$/, '…')
  return `${text.slice(0, at)}${end}`.trim()
}

interface Footer {
  from: number
  site: string | null
}

/** The last sentence of WordPress's feeds, in any language: it names the story or links to it, and links to the site. */
function footerOf({ text, links }: Block, about: About): Footer | null {
  const plain = plainFooter(text, about)
  const site = links.findLast((link) => isSite(link.href, about))
  if (!site || text.length - site.to > 80) return plain
  const before = links.filter((link) => link !== site)
  const own = before.findLast(
    (link) => isOwn(link.href, about) || isSameText(text.slice(link.from, link.to), about.title ?? ''),
  )
  const titleAt = own ? own.from : about.title ? straight(text).lastIndexOf(straight(about.title), site.from) : -1
  if (titleAt < 0 || Math.abs(site.from - titleAt) > 700) return plain
  const from = startOfSentence(text, Math.min(titleAt, site.from))
  return from === null ? plain : { from, site: siteName(text.slice(site.from, site.to)) }
}

function siteName(text: string): string | null {
  const name = cleanSpace(text)
  return name && name.length <= 100 ? name : null
}

/** The start of a link or block that only says "read on". */
function readOnFrom({ text, links }: Block, about: About, hasMore: boolean): number | null {
  if (text.length <= 200 && isReadOn(text)) return 0
  if (hasMore && text.length <= 700 && isReadOnWithTitle(text, about.title)) return 0
  const link = links.at(-1)
  if (!link || text.length - link.to > 10 || /[\p{L}\p{N}]/u.test(text.slice(link.to))) return null
  const said = text.slice(link.from, link.to)
  const before = text.slice(0, link.from).trimEnd()
  const isLoose = before === '' ? hasMore : /(?:[.!?…。！？»”"’)\]]|\.\.\.|[[(|→–—-])$/.test(before)
  const isOwnLink = isOwn(link.href, about)
  if (isReadOn(said) && isOwnLink && before) return before.length
  if (!isLoose) return null
  const isShort = wordsOf(said) <= 8 && !/[.!?。！？]["'”’»)]*$/.test(said.replace(/(?:\.{2,}|…).?$/, ''))
  const repeats = about.title !== null && about.title.length >= 10 && straight(said).includes(straight(about.title))
  if (isReadOn(said) || (isOwnLink && (isShort || repeats))) return before.replace(/[[(|→–—-]$/, '').trimEnd().length
  return null
}

/** The end of a text that is followed by an ellipsis and a few words that don't belong to it. */
function behindEllipsis(text: string): number | null {
  const from = Math.max(0, text.length - 200)
  const last = [...text.slice(from).matchAll(/\s?(?:\[ ?(?:…|\.{3,}) ?\]|\(…\)|…|\.{3,})/g)].at(-1)
  if (!last) return null
  const end = from + last.index + last[0].length
  const tail = text.slice(end).trim()
  if (!tail || !/[\p{L}\p{N}]/u.test(tail)) return tail && end < text.length && /^[\s»›→>|]+$/.test(tail) ? end : null
  if (isReadOn(tail)) return end
  const mark = last[0].trim()
  const isLoose = mark.startsWith('[') || /^\s/.test(last[0]) || /^[[(|→»]/.test(tail)
  const isQuoted = isInQuotes(text.slice(0, end))
  const sentences = (tail.match(/[.!?。！？](?=["'”’»)]*(?:\s|$))/g) ?? []).length
  const beginsNew = /^[^\p{L}\p{N}]*[^\p{Ll}]/u.test(tail)
  const isEnded = /[.!?。！？]["'”’»)]*$/.test(tail)
  if (!beginsNew || isQuoted || sentences > 1) return null
  if (mark.startsWith('[')) return wordsOf(tail) <= 25 ? end : null
  return (isLoose || !isEnded) && wordsOf(tail) <= 8 ? end : null
}

function isInQuotes(text: string): boolean {
  const count = (sign: RegExp) => (text.match(sign) ?? []).length
  return count(/“/g) > count(/”/g) || count(/«/g) > count(/»/g) || count(/"/g) % 2 === 1
}

function isOwn(href: string, { link }: About): boolean {
  if (!link || !href) return false
  const url = URL.parse(href, link)
  // A link to another part of the same page isn't a link to the story.
  if (!url || (url.hash && !/^#more-?\d*$/.test(url.hash))) return false
  const bare = (address: string) => canonicalLink(address)?.replace(/#.*$/, '')
  return bare(url.href) === bare(link)
}

/** The front page of the story's or the feed's site. */
function isSite(href: string, { link, siteUrl }: About): boolean {
  const url = href ? URL.parse(href, link ?? undefined) : null
  if (!url || url.search || (url.protocol !== 'http:' && url.protocol !== 'https:')) return false
  const canonical = canonicalLink(url.href)?.replace(/#.*$/, '')
  if (!canonical) return false
  const hosts = [link, siteUrl].flatMap((one) => (one && URL.parse(one)?.hostname) || [])
  const isHere = hosts.some((host) => canonicalHost(host) === canonicalHost(url.hostname))
  if (isHere && url.pathname === '/') return true
  if (siteUrl && canonical === canonicalLink(siteUrl)) return true
  // A site in a folder: the story's address lies below its front page.
  return isHere && link !== null && url.pathname.split('/').length <= 3 && !isOwn(href, { ...nobody, link })
    ? (canonicalLink(link)?.startsWith(`${canonical}/`) ?? false)
    : false
}

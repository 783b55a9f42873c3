// What the format adapters share: addresses resolved and made safe, pictures chosen, texts made into excerpts.

import { createHash } from 'node:crypto'
import { addressLength, authorLength, excerptLength, labelLength, titleLength } from './entry.ts'
import { cutAtWord, plainText, readHtml, unescapeAgain } from './html-text.ts'

/** Absolute http(s), or null. `base` null: relative ones can't be told from nonsense and stay as written where they look like
 * a path. Backslashes, line ends inside and spaces are what browsers make of them. */
export function resolveLink(written: string | null | undefined, base: string | null): string | null {
  const text = decodeAmpersands(
    (written ?? '')
      .replace(/[\t\r\n]+\s*/g, '')
      // oxlint-disable-next-line no-control-regex
      .replace(/[\x00-\x1f\x7f]/g, '')
      .trim(),
  )
  if (!text || text.length > addressLength) return null
  if (/^[a-z][a-z0-9+.-]*:/i.test(text)) {
    if (!/^https?:\/*[^/\s]/i.test(text)) return null
    return isWebAddress(text) ? keepAsWritten(text) : null
  }
  if (text.startsWith('//') && !base) return isWebAddress(`https:${text}`) ? `https:${text}` : null
  if (base) {
    try {
      const url = new URL(text, base)
      return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : null
    } catch {
      return null
    }
  }
  // www.site.example/story: the scheme was forgotten.
  if (/^www\.[\w-]+\.[\w.-]+(\/|$)/i.test(text)) return `http://${text}`
  return /^[./?#\w%~-]\S*$/.test(text) ? text : null
}

export function isWebAddress(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, hostname } = new URL(text)
  return (protocol === 'http:' || protocol === 'https:') && hostname !== ''
}

/** Parsing would rewrite what is fine as it is (and links are compared as written); only what would break out of an attribute,
 * or isn't an address as it stands, is rewritten. */
function keepAsWritten(text: string): string {
  return /^https?:\/\/[^\s"'<>\\^`{|}]+$/i.test(text) ? text : new URL(text).href
}

export function titleOf(html: string): string | null {
  const title = plainText(html)
  return title ? cutAtWord(title, titleLength) : null
}

/** As written. One that is longer than any that means something ends in a hash of the whole. */
export function boundedGuid(guid: string | null): string | null {
  if (!guid || guid.length <= addressLength) return guid
  return `${guid.slice(0, addressLength - 100).toWellFormed()} ${createHash('sha256').update(guid).digest('base64url')}`
}

export function labelOf(html: string): string {
  return cutAtWord(plainText(html), labelLength)
}

/** Several names become one text, each once. null: nobody is named. */
export function authorsOf(names: readonly string[]): string | null {
  const given = [...new Set(names.filter(Boolean))]
  return given.length ? cutAtWord(given.join(', '), authorLength) : null
}

/** `jane@paper.example (Jane Doe)` and `Jane Doe <jane@paper.example>` are Jane Doe; an address alone is nobody's name to print. */
export function personName(text: string): string | null {
  const named = behindAddress(text) ?? beforeAddress(text) ?? text.trim()
  return named && !isEmailAddress(named) ? named : null
}

function behindAddress(text: string): string | undefined {
  const open = text.indexOf('(')
  if (open < 0 || !text.endsWith(')') || !isEmailAddress(text.slice(0, open).trim())) return undefined
  return text.slice(open + 1, -1).trim() || undefined
}

function beforeAddress(text: string): string | undefined {
  const open = Math.max(text.lastIndexOf('<'), text.lastIndexOf('('))
  if (open < 0 || !/[>)]$/.test(text) || !isEmailAddress(text.slice(open + 1, -1))) return undefined
  return text.slice(0, open).trim() || undefined
}

/** One word with an @ inside. */
function isEmailAddress(text: string): boolean {
  const at = text.indexOf('@', 1)
  return at > 0 && at < text.length - 1 && !/\s/.test(text)
}

/** The first of the texts that says anything, as a clean excerpt; and the pictures of all of them, first to last. */
export function readTexts(texts: readonly (string | undefined)[]): { excerpt: string; pictures: string[] } {
  let excerpt = ''
  const pictures: string[] = []
  for (const text of texts) {
    if (!text || (excerpt && !/<img/i.test(text))) continue
    const reading = readHtml(text, excerptLength, { allPictures: true })
    for (const picture of reading.pictures) pictures.push(picture.url)
    if (!excerpt && !isOnlyAddress(reading.text)) excerpt = toExcerpt(reading.text)
  }
  return { excerpt, pictures }
}

/** Some put the link into the description: nothing to read. */
function isOnlyAddress(text: string): boolean {
  return /^https?:\/\/\S+$/i.test(text)
}

/** Without the lines that blog programs add at the end, cut at a word. White space in `text` is collapsed. */
export function toExcerpt(text: string): string {
  const once = unescapeAgain(text, excerptLength * 2)
  const bare = once
    .replace(/\s?The post .{1,600}? (?:first )?appeared first on .{1,200}$/s, '')
    .replace(/\s?(?:\(?Continue reading|\[?Read more|Weiterlesen|Lire la suite|Leer más|Читать далее)\b.{0,200}$/i, '')
    // A summary that ends with its sentence needs no dots; one that was cut keeps them.
    .replace(/([.!?…]['"’”)]*)?\s?\[(?:…|\.\.\.|&hellip;)\]\s?$/, (_all, end: string | undefined) => end ?? '…')
    .replace(/\s?This (?:post|article) (?:first )?appeared (?:first )?on .{1,200}$/i, '')
    .trim()
  return cutAtWord(bare.replace(/\s…$/, '…'), excerptLength)
}

export interface Picture {
  url: string
  /** As declared; null when nothing is. */
  width: number | null
  /** MIME type or medium, lower case; '' when nothing is declared. */
  type: string
}

const pictureFile = /\.(?:jpe?g|png|gif|webp|avif)(?:$|[?#&;:!])/i
const otherFile = /\.(?:mp[34]|m4[av]|mov|webm|ogg|og[av]|wav|aac|flac|pdf|zip|epub|m3u8|swf|html?|svg)(?:$|[?#])/i
/** Beacons and smileys: no feed means them as a picture. SVG: no mail program shows it. */
const beacon =
  /^https?:\/\/(?:[^/]*\.)?(?:feedburner\.com|feedsportal\.com|doubleclick\.net|google-analytics\.com|pheedo\.com)\/|^https?:\/\/(?:pixel|stats?|analytics|counter|feeds\.wordpress)\.|\/(?:(?:[\w-]*[_-])?(?:pixel|1x1|spacer)|blank|transparent|clear|counter|b)\.(?:gif|png|php)(?:$|\?)|\/(?:pixel|tracker|track)(?:$|[/?])|smil(?:ies|eys)\/|\/(?:tw)?emoji\/|\.svg(?:$|[?#])/i
/** Buttons that stand in the text. */
const button = /\/(?:[\w-]*[_-])?(?:twitter|facebook|linkedin|rss|share|email|print)[_-]?(?:icon|button)/i
const avatar = /gravatar\.com\/|\/avatars?\//i

/** What the feed declares is the publisher's choice and comes before what stands in the text, unless it's an icon; among the declared
 * ones the first that isn't known to be small, else the widest. An avatar last of all. */
export function choosePicture(
  declared: readonly Picture[],
  inText: readonly string[],
  base: string | null,
): string | null {
  const resolved = (pictures: readonly Picture[]) =>
    pictures
      .map((one) => ({ ...one, url: resolvePicture(one.url, base) ?? '' }))
      .filter((one) => one.url && !beacon.test(one.url))
  const own = resolved(declared.filter((one) => isImage(one)))
  const read = resolved(inText.map((url) => ({ url, width: null, type: '' }))).filter((one) => !button.test(one.url))
  const good = own.filter((one) => !avatar.test(one.url))
  const byWidth = good.toSorted((a, b) => (b.width ?? 0) - (a.width ?? 0))
  const chosen =
    good.find((one) => one.width === null || one.width >= 300) ??
    byWidth.find((one) => (one.width ?? 0) >= iconWidth) ??
    read.find((one) => !avatar.test(one.url)) ??
    byWidth[0] ??
    own[0] ??
    read[0]
  return chosen?.url ?? null
}

/** Narrower is no picture of a story. */
const iconWidth = 60

function isImage(picture: Picture): boolean {
  if (/^image(?:$|\/(?!svg|x-icon|vnd))/.test(picture.type)) return true
  if (picture.type) return false
  return pictureFile.test(picture.url) || !otherFile.test(picture.url)
}

function resolvePicture(url: string, base: string | null): string | null {
  const resolved = resolveLink(url, base)
  return resolved && isWebAddress(resolved) ? resolved : null
}

/** Often escaped twice. */
function decodeAmpersands(url: string): string {
  return url.includes('&') ? url.replace(/&(?:amp|#0?38);/g, '&') : url
}

// What the format adapters share: addresses resolved and made safe, pictures chosen, texts made into excerpts.

import { excerptLength, titleLength } from './entry.ts'
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
  if (!text || text.length > 4000) return null
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

/** The first of the texts that says anything, as a clean excerpt; and the pictures of all of them, first to last. */
export function readTexts(texts: readonly (string | undefined)[]): { excerpt: string; pictures: string[] } {
  let excerpt = ''
  const pictures: string[] = []
  for (const text of texts) {
    if (!text || (excerpt && !/<img/i.test(text))) continue
    const reading = readHtml(text, excerptLength, { allPictures: true })
    for (const picture of reading.pictures) pictures.push(picture.url)
    if (!excerpt) excerpt = toExcerpt(reading.text)
  }
  return { excerpt, pictures }
}

/** Without the lines that blog programs add at the end, cut at a word. */
export function toExcerpt(text: string): string {
  const once = unescapeAgain(text, excerptLength * 2)
  const bare = once
    .replace(/\s*The post .{1,600}? (?:first )?appeared first on .{1,200}$/s, '')
    .replace(/\s*(?:\(?Continue reading|\[?Read more|Weiterlesen|Lire la suite|Leer más|Читать далее)\b.{0,200}$/i, '')
    // A summary that ends with its sentence needs no dots; one that was cut keeps them.
    .replace(/([.!?…]['"’”)]*)?\s*\[(?:…|\.\.\.|&hellip;)\]\s*$/, (_all, end: string | undefined) => end ?? '…')
    .replace(/\s*This (?:post|article) (?:first )?appeared (?:first )?on .{1,200}$/i, '')
    .trim()
  return cutAtWord(bare.replace(/\s+…$/, '…'), excerptLength)
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
/** Beacons, buttons, smileys, avatars of authors: not what a story looks like. */
const notAPicture =
  /feedburner\.com|feedsportal\.com|doubleclick|\/pixel|pixel\.|1x1|spacer\.|blank\.(?:gif|png)|transparent\.|\/smil(?:ies|eys)\/|\/emoji\/|stats?\.wordpress|feeds\.wordpress\.com|b\.gif|share[_-]?button|\/tracker|counter\.|analytics|(?:twitter|facebook|linkedin|rss|share|email|print)[_-]?(?:icon|logo|button)/i
const avatar = /gravatar\.com\/|\/avatars?\//i

/** The first good one: those the feed declares before those of the text; one known to be tiny only when there's no other, an
 * avatar last of all. */
export function choosePicture(
  declared: readonly Picture[],
  inText: readonly string[],
  base: string | null,
): string | null {
  const fitting = [
    ...declared.filter((one) => isImage(one)),
    ...inText.map((url): Picture => ({ url, width: null, type: '' })),
  ]
    .map((one) => ({ ...one, url: resolvePicture(one.url, base) }))
    .filter((one) => one.url !== null && !notAPicture.test(one.url))
  const wide = fitting.find((one) => (one.width === null || one.width >= 300) && !avatar.test(one.url!))
  if (wide) return wide.url
  const widest = fitting.filter((one) => !avatar.test(one.url!)).sort((a, b) => (b.width ?? 0) - (a.width ?? 0))[0]
  return (widest ?? fitting[0])?.url ?? null
}

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

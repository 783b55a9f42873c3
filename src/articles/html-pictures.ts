// The pictures in a piece of HTML: which of its addresses is the picture (lazy loading, srcset, <picture>), and which pictures
// don't belong to the story (beacons, portraits, buttons).

import { decodeHTMLAttribute } from 'entities'

export interface HtmlPicture {
  url: string
  width: number | null
  /** Width divided by height, from the tag. The chosen file may have another size. */
  ratio?: number | null
  alt: string
}

/** Mails show no picture wider than this at double density. */
const widest = 1200
/** A narrower candidate isn't used if there is another address. */
const tooNarrow = 300

const attribute =
  // The value is optional, so that a long name without a value is skipped once, and not again from each of its letters.
  /([a-zA-Z][\w:-]*)(?:\s*=\s*("([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g

/** Those of `wanted`, decoded and trimmed. The first of each name counts. */
export function attributesOf(written: string, wanted: ReadonlySet<string>): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [, name, , double, single, bare] of written.matchAll(attribute)) {
    const lower = name!.length > 20 ? '' : name!.toLowerCase()
    if (wanted.has(lower)) found[lower] ??= decodeHTMLAttribute(double ?? single ?? bare ?? '').trim()
  }
  return found
}

const sourceSets = ['data-srcset', 'data-lazy-srcset', 'srcset'] as const
const lazy = ['data-large-file', 'data-src', 'data-lazy-src', 'data-original', 'data-lazy', 'data-orig-file'] as const
const ofImage: ReadonlySet<string> = new Set([
  'width',
  'height',
  'src',
  'alt',
  'class',
  'style',
  ...sourceSets,
  ...lazy,
])
const ofSource: ReadonlySet<string> = new Set(['type', 'media', ...sourceSets])
const ofVideo: ReadonlySet<string> = new Set(['poster', 'data-poster'])

export interface Candidate {
  url: string
  /** In pixels, declared or computed from a density. */
  width: number | null
}

/** `<img>`, with the candidates of the `<source>`s before it in the same `<picture>`. null: it isn't meant to be seen. */
export function pictureOf(written: string, sources: readonly Candidate[] = []): HtmlPicture | null {
  const found = attributesOf(written, ofImage)
  const width = size(found.width)
  const height = size(found.height)
  if ((width !== null && width < 40) || (height !== null && height < 40)) return null
  if (isHidden.test(found.style?.slice(0, 1000) ?? '') || isNoStory.test(found.class?.slice(0, 1000) ?? '')) return null
  const src = found.src && !found.src.startsWith('data:') ? found.src : undefined
  const later = lazy.map((name) => found[name]).find((url) => url && !url.startsWith('data:'))
  const sets = sourceSets.flatMap((name) => readSourceSet(found[name], width))
  const own = later ?? src
  const shown = sets.length && own && width !== null ? [{ url: own, width }] : []
  const best = largest([...sets, ...shown, ...sources.filter((one) => one.width !== null)])
  const isBetter = best && (!own || (best.width ?? 0) >= Math.min(width ?? tooNarrow, tooNarrow))
  const url = (isBetter ? best.url : own) ?? sources[0]?.url
  const ratio = width && height ? width / height : null
  return url ? { url, width: isBetter ? best.width : width, ratio, alt: found.alt ?? '' } : null
}

/**
 * The candidates of a `<source>` in a `<picture>`. Mail programs don't show AVIF, and many don't show WebP: these are used if
 * there is no other.
 */
export function sourcesOf(written: string): Candidate[] {
  const found = attributesOf(written, ofSource)
  if (/^(?:image\/avif|image\/jxl|video|audio)/i.test(found.type ?? '') || /\bdark\b/i.test(found.media ?? ''))
    return []
  const candidates = sourceSets.flatMap((name) => readSourceSet(found[name], null))
  return /^image\/webp/i.test(found.type ?? '') ? candidates.map((one) => ({ ...one, width: null })) : candidates
}

export function posterOf(written: string): HtmlPicture | null {
  const { poster, 'data-poster': later } = attributesOf(written, ofVideo)
  const url = later || poster
  return url && !url.startsWith('data:') ? { url, width: null, alt: '' } : null
}

/** The widest up to 1,200 pixels, otherwise the narrowest above. */
function largest(candidates: readonly Candidate[]): Candidate | undefined {
  const fitting = candidates.filter(({ width }) => (width ?? 0) <= widest)
  const byWidth = (list: readonly Candidate[]) => list.toSorted((a, b) => (b.width ?? 0) - (a.width ?? 0))
  return byWidth(fitting)[0] ?? byWidth(candidates).at(-1)
}

/** As in the HTML standard: an address ends at white space, so it may contain commas. */
export function readSourceSet(written: string | undefined, shownWidth: number | null): Candidate[] {
  const candidates: Candidate[] = []
  const text = written?.slice(0, longestSet) ?? ''
  for (let at = 0; at < text.length && candidates.length < mostCandidates;) {
    const start = after(text, at, /[\s,]/)
    let end = start
    while (end < text.length && !/\s/.test(text[end]!)) end++
    let url = text.slice(start, end)
    at = end
    let descriptor = ''
    if (url.endsWith(',')) {
      while (url.endsWith(',')) url = url.slice(0, -1)
    } else {
      const comma = text.indexOf(',', end)
      at = comma < 0 ? text.length : comma
      descriptor = text.slice(end, at).trim()
    }
    const width = widthOf(descriptor, shownWidth)
    if (url && !url.startsWith('data:')) candidates.push({ url, width })
  }
  return candidates
}

const mostCandidates = 50
const longestSet = 20_000

function after(text: string, from: number, skipped: RegExp): number {
  let at = from
  while (at < text.length && skipped.test(text[at]!)) at++
  return at
}

/** `640w`, or `2x` times the shown width: 400 pixels if unknown. */
function widthOf(descriptor: string, shownWidth: number | null): number | null {
  const match = /^(\d{1,5}(?:\.\d{1,3})?)([wx])/.exec(descriptor)
  if (!match) return shownWidth
  return match[2] === 'w' ? Number(match[1]) : Math.round(Number(match[1]) * (shownWidth ?? 400))
}

function size(value: string | undefined): number | null {
  const match = /^\s*(\d{1,5})(?:px)?\s*$/.exec(value ?? '')
  return match ? Number(match[1]) : null
}

/** Beacons are hidden, or one pixel in size. */
const isHidden =
  /(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*hidden|opacity\s*:\s*0\s*(?:;|!|$)|(?:max-)?(?:width|height)\s*:\s*[01](?:px)?\s*(?:;|!|$))/i

/** Class names of portraits, share buttons and the like, on a picture or on its container. */
export const isNoStory =
  /(?:^|\s)(?:[\w-]*avatar(?:[\w-]*)|gravatar|author-?(?:box|bio|photo|image|info|card|img|picture|portrait)?|(?:post|entry|article)-author|byline(?:-[\w-]*)?|userpic|wp-smiley|emoji|share|sharing|sharedaddy|share-?(?:buttons?|links?|bar|icons?|this)|social-?(?:share|sharing|buttons?|links?|icons?)|addtoany[\w-]*|a2a_[\w-]*|jp-relatedposts|related-?(?:posts?|articles?|stories)|feedflare)(?:\s|$)/i

// Which picture is the story's. A picture that the feed declares is the publisher's choice. Beacons, buttons and portraits are in
// the text.

import { altLength } from './entry.ts'
import type { HtmlPicture } from './html-pictures.ts'
import { cleanSpace } from './html-text.ts'
import { isWebAddress, resolveLink } from './links.ts'

export interface Picture {
  url: string
  /** As declared; null if it isn't. */
  width: number | null
  height?: number | null
  /** MIME type or medium, lower case; '' if nothing is declared. */
  type: string
  /** Text for people who can't see the picture. */
  alt?: string | undefined
}

export interface Chosen {
  url: string
  alt: string | null
  /** Width divided by height, to three decimals; null: unknown. */
  ratio: number | null
  isDeclared: boolean
}

const pictureFile = /\.(?:jpe?g|png|gif|webp|avif)(?:$|[?#&;:!])/i
const otherFile = /\.(?:mp[34]|m4[av]|mov|webm|ogg|og[av]|wav|aac|flac|pdf|zip|epub|m3u8|swf|html?|svg)(?:$|[?#])/i
/** Mail programs don't show it. */
const drawing = /\.svgz?(?:$|[?#])/i
const ofPortraits = /^https?:\/\/(?:[\w-]+\.)*gravatar\.com\//i
const beaconHost =
  /^https?:\/\/(?:(?:[^/]*\.)?(?:feedburner\.com|feedsportal\.com|doubleclick\.net|google-analytics\.com|googletagmanager\.com|pheedo\.com|quantserve\.com|scorecardresearch\.com|addtoany\.com)|pixel\.wp\.com|stats\.wp\.com|feeds\.wordpress\.com|(?:www\.)?facebook\.com\/tr)(?:[/?]|$)/i
/** Hosts that only count, unless the file looks like a photo. */
const countingHost = /^https?:\/\/(?:pixel|stats?|analytics|counter|track(?:er|ing)?|beacon)\./i
const photoFile = /\.(?:jpe?g|png|webp|avif)(?:$|[?#])/i
/** File names of transparent pixels and counters. `kitchen-pixel.png` is a photo. */
const beaconFile =
  /\/(?:(?:track(?:ing)?[_-])?pixel|(?:[\w-]*[_-])?1x1|spacer|blank|transparent|clear|counter|b)\.(?:gif|php)(?:$|\?)|\/(?:pixel|(?:[\w-]*[_-])?1x1|spacer|blank|transparent|clear)\.png(?:$|\?)|\/(?:pixel|tracker|track)(?:$|[/?])|smil(?:ies|eys)\/|\/(?:tw)?emoji\//i
const button =
  /\/(?:[\w-]*[_-])?(?:twitter|facebook|linkedin|whatsapp|rss|share|email|print)[_-]?(?:icon|button)|\/(?:twitter|facebook|linkedin|whatsapp|instagram|pinterest|reddit|rss|share|feed-icon|addtoany)(?:[_-]?(?:logo|share|\d{1,3}(?:x\d{1,3})?))*\.(?:png|gif|jpe?g|webp)(?:$|[?#])/i
const portrait =
  /\/avatars?\/|\/(?:authors?|headshots?|profile[_-](?:images|pictures|photos|pics))\/|\/(?:[\w-]*[_-])?(?:headshot|avatar)[_.-]/i
const placeholder =
  /\/(?:[\w-]*[_-])?(?:placeholder|no[_-]?(?:image|photo|thumb(?:nail)?)|image[_-]not[_-]available|lazy[_-]?load(?:er|ing)?|loading)(?:[_-]\d{1,4}x\d{1,4}|[_-](?:image|thumb(?:nail)?|\d{1,4}))?\.(?:png|gif|jpe?g|webp)(?:$|[?#])|\/default(?:[_-](?:image|thumb(?:nail)?))\.(?:png|gif|jpe?g|webp)(?:$|[?#])/i

/** A narrower picture doesn't belong to a story. */
const iconWidth = 60

/**
 * A declared picture comes before those in the text, unless it is an icon, a portrait or a placeholder. Of the declared ones, the
 * first that isn't known to be small is used, otherwise the widest. The same picture by https is preferred.
 */
export function choosePicture(
  declared: readonly Picture[],
  inText: readonly HtmlPicture[],
  base: string | null,
): Chosen | null {
  const own = declared
    .filter((one) => isImage(one) && (one.width === null || one.width > 2))
    .map((one) => ({ ...one, url: resolvePicture(one.url, base) ?? '', isDeclared: true }))
    .filter((one) => one.url && !drawing.test(one.url) && !ofPortraits.test(one.url) && !beaconHost.test(one.url))
  const good = own.filter((one) => !portrait.test(one.url) && !placeholder.test(one.url))
  const byWidth = good.toSorted((a, b) => (b.width ?? 0) - (a.width ?? 0))
  const read = inText
    .map((one) => ({ ...one, url: resolvePicture(one.url, base) ?? '', isDeclared: false }))
    .filter((one) => one.url && isOfStory(one.url))
  const large = good.filter((one) => one.width === null || one.width >= 300)
  const wide = byWidth.filter((one) => (one.width ?? 0) >= iconWidth)
  const chosen: (typeof own)[number] | (typeof read)[number] | undefined =
    securely(large) ?? securely(wide) ?? read[0] ?? byWidth[0] ?? own[0]
  if (!chosen) return null
  const same = [...read, ...own].filter((one) => isSameFile(one.url, chosen.url))
  const alt = cleanSpace(chosen.alt || (same.find((one) => one.alt)?.alt ?? ''))
    .slice(0, altLength)
    .toWellFormed()
  const ratio = [chosen, ...same].map(ratioOf).find((known) => known !== null) ?? null
  return { url: securely([chosen, ...same])!.url, alt: alt || null, ratio, isDeclared: chosen.isDeclared }
}

function ratioOf({ width, height, ratio }: { width: number | null; height?: number | null; ratio?: number | null }) {
  const found = ratio ?? (width && height ? width / height : null)
  return found !== null && found >= flattest[0] && found <= flattest[1] ? Math.round(found * 1000) / 1000 : null
}

/** Outside this range, a picture was measured wrongly or isn't a photo. */
const flattest = [0.2, 5] as const

/** If so, pictures far down in the text needn't be searched. */
export function declaresPicture(declared: readonly Picture[]): boolean {
  return declared.some((one) => isImage(one) && (one.width ?? iconWidth) >= iconWidth && !isWeak(one.url))
}

function isWeak(url: string): boolean {
  return ofPortraits.test(url) || portrait.test(url) || placeholder.test(url) || drawing.test(url)
}

/** The first that a mail shows: not by http. */
function securely<T extends { url: string }>(pictures: readonly T[]): T | undefined {
  return pictures.find(({ url }) => url.startsWith('https:')) ?? pictures[0]
}

function isSameFile(a: string, b: string): boolean {
  const bare = (url: string) => url.replace(/^https?:/, '').replace(/[?#].*$/, '')
  return bare(a) === bare(b)
}

function isOfStory(url: string): boolean {
  if (drawing.test(url) || ofPortraits.test(url) || beaconHost.test(url) || beaconFile.test(url)) return false
  if (countingHost.test(url) && !photoFile.test(url)) return false
  return !button.test(url) && !portrait.test(url) && !placeholder.test(url)
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

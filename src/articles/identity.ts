// When are two entries one story? By keys: the guid wins, then the canonical link, then a hash of (feed, title, day); a story keeps all it was
// ever known by. A key that occurs twice in one document, or is a site's home page, identifies nothing; two entries of one
// document with different titles are two stories. Pure.

import { createHash } from 'node:crypto'
import type { Entry } from './entry.ts'

export type KeyKind = 'guid' | 'link' | 'hash'

export interface IdentityKeys {
  guid: string | null
  link: string | null
  hash: string | null
}

export const keyOrder = ['guid', 'link', 'hash'] as const satisfies readonly KeyKind[]

export interface FeedIdentity {
  id: number
  url: string
  siteUrl: string | null
}

const tracking =
  /^(?:utm_.*|at_(?:medium|campaign|custom\d?)|mc_[ce]id|fbclid|gclid|dclid|yclid|msclkid|igshid|_ga|_gl|ns_.*|ito|cmpid|cmp|ocid|ncid|sr_share|smid|smtyp|partner|emc|traffic_source|source|ref|ref_src|rss|feed|ftag|xtor|wt_mc|spm|from|guccounter|__twitter_impression|amp)$/i

/** The address without what differs between copies of it: scheme, www, tracking parameters, fragment, a slash at the end. null:
 * not an address. */
export function canonicalLink(link: string): string | null {
  const url = URL.parse(link.trim())
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) return null
  const host = url.hostname.replace(/^www\./, '').replace(/\.$/, '')
  const port = url.port && url.port !== '80' && url.port !== '443' ? `:${url.port}` : ''
  const query = url.search ? canonicalQuery(url.searchParams) : ''
  const fragment = /^#!?\/./.test(url.hash) ? url.hash : ''
  return shorten(`${host}${port}${url.pathname.replace(/\/+$/, '')}${query}${fragment}`)
}

function canonicalQuery(parameters: URLSearchParams): string {
  const kept = [...parameters].filter(([name]) => !tracking.test(name)).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return kept.length ? `?${new URLSearchParams(kept).toString()}` : ''
}

/** Addresses that stand for the feed itself. */
function homesOf(feed: FeedIdentity): ReadonlySet<string | null> {
  return new Set([feed.siteUrl ? canonicalLink(feed.siteUrl) : null, canonicalLink(feed.url)])
}

/** The keys of one entry on its own, before its neighbours are looked at. */
export function keysOf(
  entry: Entry,
  feed: FeedIdentity,
  publishedAt: Date | null,
  homes: ReadonlySet<string | null> = homesOf(feed),
): IdentityKeys {
  const link = entry.link ? canonicalLink(entry.link) : null
  const isHome = (key: string | null) => key === null || homes.has(key) || !/[/?#]/.test(key)
  return {
    guid: guidKey(entry, feed, isHome),
    link: isHome(link) ? null : link,
    hash: hash(`${feed.id}\n${titleKey(entry)}\n${publishedAt ? publishedAt.toISOString().slice(0, 10) : ''}`),
  }
}

/** Addresses are the world's; numbers and names are only their site's own. */
function guidKey(entry: Entry, feed: FeedIdentity, isHome: (key: string | null) => boolean): string | null {
  const guid = entry.guid?.replace(/\s+/g, ' ').trim()
  if (!guid) return null
  if (/^https?:\/\//i.test(guid)) {
    const bare = guid.replace(/^https?:\/\/(?:www\.)?/i, '')
    return isHome(canonicalLink(guid)) ? null : shorten(bare)
  }
  if (/^(?:tag:|urn:)/i.test(guid) || /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i.test(guid)) return shorten(guid)
  const host =
    URL.parse(entry.link ?? '')?.hostname ?? URL.parse(feed.siteUrl ?? '')?.hostname ?? URL.parse(feed.url)?.hostname
  return shorten(`${(host ?? '').replace(/^www\./, '')} ${guid}`)
}

export function titleKey(entry: Entry): string {
  return (entry.title ?? entry.excerpt)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()
}

export interface Identified {
  entry: Entry
  keys: IdentityKeys
  /** Its place in the document. */
  place: number
}

/** Looks at a whole document: the second copy of an entry is a duplicate, a key that several stories share is dropped from all. */
export function identify(
  entries: readonly { entry: Entry; publishedAt: Date | null; place: number }[],
  feed: FeedIdentity,
): { stories: Identified[]; duplicates: Entry[] } {
  const stories: Identified[] = []
  const duplicates: Entry[] = []
  const known = new Set<string>()
  const homes = homesOf(feed)
  for (const { entry, publishedAt, place } of entries) {
    const keys = keysOf(entry, feed, publishedAt, homes)
    const title = titleKey(entry)
    // Same title and a key in common: one story, listed twice. Without a guid or link that means anything, the day decides.
    const marks =
      keys.guid || keys.link
        ? [keys.guid && `guid ${keys.guid}`, keys.link && `link ${keys.link}`]
        : [`hash ${keys.hash}`]
    const own = marks.filter((mark) => mark !== null).map((mark) => `${mark}\n${title}`)
    if (own.some((mark) => known.has(mark))) {
      duplicates.push(entry)
      continue
    }
    for (const mark of own) known.add(mark)
    stories.push({ entry, keys, place })
  }
  for (const kind of keyOrder) {
    const counts = new Map<string, number>()
    for (const { keys } of stories) {
      const key = keys[kind]
      if (key) counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    for (const { keys } of stories) if (keys[kind] && counts.get(keys[kind])! > 1) keys[kind] = null
  }
  return { stories, duplicates }
}

/** Which stored article each story is: the strongest keys first, and each article only once, so that two stories never merge. */
export function match(
  stories: readonly Identified[],
  articleOf: (kind: KeyKind, key: string) => number | undefined,
): Map<Identified, number> {
  const found = new Map<Identified, number>()
  const taken = new Set<number>()
  for (const kind of keyOrder)
    for (const story of stories) {
      const key = story.keys[kind]
      if (!key || found.has(story)) continue
      const article = articleOf(kind, key)
      if (article === undefined || taken.has(article)) continue
      found.set(story, article)
      taken.add(article)
    }
  return found
}

/** Index entries have a limit (2.7 kB in Postgres); no key comes near it. */
function shorten(key: string): string {
  return key.length <= 500 ? key : `${key.slice(0, 400).toWellFormed()} ${hash(key)}`
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

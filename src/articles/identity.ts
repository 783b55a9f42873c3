// Whether two entries are the same story, by keys. A story keeps all of its keys. The guid wins. An unknown guid is a new story,
// unless its link is known together with this title or this published time: then the site has changed its guids. The link alone
// counts for entries without a guid, and a hash of (feed, title, day) for those with neither.
//
// A key that several stories of one document share, or that is a site's home page, identifies nothing. Two entries of one document
// with different titles are two stories. Pure.

import type { Entry } from './entry.ts'
import { canonicalHost, canonicalLink, hashOf, isFrontPage, shorten } from './canonical-link.ts'
import { cutAtWord } from './html-text.ts'

/** The strongest first. `feed-guid`: a guid that another story already has, only within this feed. */
export const keyOrder = ['feed-guid', 'guid', 'link-title', 'link-time', 'link', 'hash'] as const
export type KeyKind = (typeof keyOrder)[number]
export type IdentityKeys = Record<KeyKind, string | null>

export interface FeedIdentity {
  id: number
  url: string
  siteUrl: string | null
}

export interface Identified {
  entry: Entry
  publishedAt: Date | null
  keys: IdentityKeys
  /** Its site and title, for comparing stories of different feeds. */
  titleKey: string | null
  /** Its position in the document. */
  place: number
}

/** Addresses of the feed itself and of its site. */
export function homesOf(feed: Pick<FeedIdentity, 'url' | 'siteUrl'>): ReadonlySet<string | null> {
  return new Set([feed.siteUrl ? canonicalLink(feed.siteUrl) : null, canonicalLink(feed.url)])
}

export function shownTitle(entry: Pick<Entry, 'title' | 'excerpt'>): string {
  return entry.title ?? cutAtWord(entry.excerpt, 80)
}

/** Letters and digits, in lower case; the whole title if it has none. */
function wordsOf(title: string): string {
  return (
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, ' ')
      .trim() || title.trim()
  )
}

/** The keys from a link: alone, with a title, and with a time. */
export function linkKeysOf(
  link: string | null,
  title: string,
  publishedAt: Date | null,
  homes: ReadonlySet<string | null> = new Set(),
): Pick<IdentityKeys, 'link' | 'link-title' | 'link-time'> {
  const key = link ? canonicalLink(link) : null
  if (key === null || isFrontPage(key) || homes.has(key)) return { link: null, 'link-title': null, 'link-time': null }
  return {
    link: key,
    'link-title': hashOf(`${key}\n${wordsOf(title)}`),
    'link-time': publishedAt && hashOf(`${key}\n${publishedAt.toISOString()}`),
  }
}

/** Host and title. */
export function titleKeyOf(link: string | null, title: string): string | null {
  const host = link && URL.parse(link)?.hostname
  return host && title ? hashOf(`${canonicalHost(host)}\n${wordsOf(title)}`) : null
}

/** An opaque string, including its fragment. Addresses are global; numbers and names belong to one site. */
function guidKey(entry: Entry, feed: FeedIdentity, homes: ReadonlySet<string | null>): string | null {
  const guid = guidOf(entry)
  if (!guid) return null
  if (/^https?:\/\//i.test(guid)) {
    const address = canonicalLink(guid)
    const isHome = address === null || isFrontPage(address) || homes.has(address)
    return isHome ? null : shorten(guid.replace(/^https?:\/\/(?:www\.)?/i, ''))
  }
  if (isWorldwide(guid)) return shorten(guid)
  const host =
    URL.parse(entry.link ?? '')?.hostname ?? URL.parse(feed.siteUrl ?? '')?.hostname ?? URL.parse(feed.url)?.hostname
  return shorten(`${canonicalHost(host ?? '')} ${guid}`)
}

function guidOf(entry: Entry): string {
  return entry.guid?.replace(/\s+/g, ' ').trim() ?? ''
}

/** A number or a name that two feeds of one site may use for different stories. */
export function isOfItsSite(entry: Entry): boolean {
  return !isWorldwide(guidOf(entry))
}

function isWorldwide(guid: string): boolean {
  return /^(?:https?:\/\/|tag:|urn:)/i.test(guid) || /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i.test(guid)
}

/**
 * Identifies a whole document: the second copy of an entry is a duplicate, and a key that several stories share is dropped from
 * all.
 */
export function identify(
  entries: readonly { entry: Entry; publishedAt: Date | null; place: number }[],
  feed: FeedIdentity,
): { stories: Identified[]; duplicates: Entry[] } {
  const listed: Identified[] = []
  const duplicates: Entry[] = []
  const known = new Set<string>()
  const homes = homesOf(feed)
  for (const { entry, publishedAt, place } of entries) {
    const guid = guidKey(entry, feed, homes)
    const title = wordsOf(entry.title ?? entry.excerpt)
    const keys = {
      guid,
      'feed-guid': guid && shorten(`${feed.id} ${guid}`),
      ...linkKeysOf(entry.link, shownTitle(entry), publishedAt, homes),
      hash: hashOf(`${feed.id}\n${title}\n${publishedAt ? publishedAt.toISOString().slice(0, 10) : ''}`),
    }
    const marks = marksOf(keys, publishedAt).map((mark) => `${mark}\n${title}`)
    if (marks.some((mark) => known.has(mark))) duplicates.push(entry)
    else listed.push({ entry, publishedAt, keys, titleKey: titleKeyOf(entry.link, shownTitle(entry)), place })
    for (const mark of marks) known.add(mark)
  }
  dropShared(listed)
  const stories: Identified[] = []
  const hashes = new Set<string | null>()
  for (const story of listed) {
    // Known by its title alone, which must then be unique.
    const isSecond = hasOnlyTitle(story.keys) && hashes.has(story.keys.hash)
    hashes.add(story.keys.hash)
    if (isSecond) duplicates.push(story.entry)
    else stories.push(story)
  }
  return { stories, duplicates }
}

/**
 * Entries with the same title and a common mark are one story, listed twice. A guid or a link that a feed uses repeatedly isn't a
 * mark if the times differ.
 */
function marksOf({ guid, link, hash }: IdentityKeys, publishedAt: Date | null): string[] {
  const time = publishedAt?.getTime() ?? ''
  if (!guid) return [link ? `link ${link}` : `hash ${hash}`]
  const marks = [`guid ${guid} ${time}`]
  return link ? [...marks, `both ${guid}\n${link}`, `link ${link} ${time}`] : marks
}

function hasOnlyTitle(keys: IdentityKeys): boolean {
  return keyOrder.every((kind) => kind === 'hash' || !keys[kind])
}

function dropShared(stories: readonly Identified[]): void {
  const shared = (kind: KeyKind) => {
    const counts = new Map<string, number>()
    for (const { keys } of stories) if (keys[kind]) counts.set(keys[kind], (counts.get(keys[kind]) ?? 0) + 1)
    return stories.filter(({ keys }) => keys[kind] && counts.get(keys[kind])! > 1)
  }
  for (const { keys } of shared('guid')) keys.guid = keys['feed-guid'] = null
  for (const { keys } of shared('link')) {
    keys.link = null
    // Without a guid, title and time must tell apart the entries with such a link.
    if (keys.guid) keys['link-title'] = keys['link-time'] = null
  }
  for (const kind of ['link-title', 'link-time'] as const) for (const { keys } of shared(kind)) keys[kind] = null
}

/** The stored article of each story: the strongest keys first, and each article only once, so that two stories never merge. */
export function match(
  stories: readonly Identified[],
  articleOf: (kind: KeyKind, key: string) => number | undefined,
  agrees: (kind: KeyKind, story: Identified, articleId: number) => boolean,
): Map<Identified, number> {
  const found = new Map<Identified, number>()
  const taken = new Set<number>()
  for (const kind of keyOrder)
    for (const story of stories) {
      const key = story.keys[kind]
      if (!key || found.has(story)) continue
      if ((kind === 'link' && story.keys.guid) || (kind === 'hash' && story.keys.link)) continue
      const article = articleOf(kind, key)
      if (article === undefined || taken.has(article) || !agrees(kind, story, article)) continue
      found.set(story, article)
      taken.add(article)
    }
  return found
}

/**
 * The keys of a story that aren't stored yet. `articleId` null: it is new. A guid that another story has becomes this feed's own;
 * the hash of its title is for a story without other keys.
 */
export function unknownKeys(
  { keys }: Identified,
  articleId: number | null,
  articleOf: (kind: KeyKind, key: string) => number | undefined,
): [KeyKind, string][] {
  const owner = keys.guid ? articleOf('guid', keys.guid) : undefined
  const kinds: KeyKind[] = ['guid', 'link', 'link-title', 'link-time']
  if (owner !== undefined && owner !== articleId) kinds.push('feed-guid')
  if (hasOnlyTitle(keys)) kinds.push('hash')
  return kinds.flatMap((kind) => {
    const key = keys[kind]
    return key && articleOf(kind, key) === undefined ? [[kind, key] as [KeyKind, string]] : []
  })
}

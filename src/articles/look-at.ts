// What an address leads to before it is one of our feeds: a feed, a page that names feeds, or something that can't be read.

import type { FeedDocument, Whereabouts } from './entry.ts'
import type { NamedFeed } from './feeds-of-page.ts'
import { parser } from './parser.ts'
import { type FetchOptions, safeFetch } from './safe-fetch.ts'
import { isSameContent } from './same-feed.ts'
import type { WordPressPage } from './wordpress-page.ts'

export type Fetching = Pick<FetchOptions, 'userAgent' | 'allowHosts' | 'timeoutMs'>

/** How a document is read. */
export type ReadingOptions = Pick<Whereabouts, 'base' | 'timezone'>

export interface FoundFeed {
  outcome: 'feed'
  /** The address to store: as given, or its permanent redirect. */
  url: string
  feed: FeedDocument
}

export interface FoundPage {
  outcome: 'page'
  url: string
  /** Empty: the page names none. */
  feeds: NamedFeed[]
  wordpress: WordPressPage | null
  reason: string
}

export interface NothingFound {
  outcome: 'refused'
  reason: string
  /** There was no answer, or a temporary one: the feed may be there later. */
  isForNow: boolean
  /** The page's feed that can't be read. */
  url?: string
}

export type Found = FoundFeed | FoundPage | NothingFound

export async function lookAt(given: string, fetching: Fetching, options: ReadingOptions = {}): Promise<Found> {
  const url = spelledOut(given)
  const result = await safeFetch(url, fetching)
  if (result.outcome === 'failed') return { outcome: 'refused', reason: result.reason, isForNow: true }
  if (result.status < 200 || result.status > 299)
    return { outcome: 'refused', reason: answered(result.status), isForNow: ![404, 410].includes(result.status) }
  const { base = null, timezone = null } = options
  const origin = { base, timezone, location: result.url, contentType: result.headers['content-type'] ?? null }
  const reading = await parser.read(result.bytes, origin, { orPage: true, link: result.headers.link })
  if (reading.outcome === 'feed') return { outcome: 'feed', url: result.permanentUrl ?? url, feed: reading.feed }
  const { reason, namedFeeds: feeds = [], wordpress = null } = reading
  if (feeds.length === 0 && !wordpress) return { outcome: 'refused', reason, isForNow: false }
  return { outcome: 'page', url: result.url, feeds, wordpress, reason }
}

/** A page that names one feed counts as that feed, also if it is there in several formats. */
export async function lookBehind(found: Found, fetching: Fetching, options: ReadingOptions = {}): Promise<Found> {
  if (found.outcome !== 'page') return found
  const [named] = found.feeds
  if (!named) return { outcome: 'refused', reason: found.reason, isForNow: false }
  if (found.feeds.length > 1) return lookAtAll(found, fetching, options)
  const behind = await lookAt(named.url, fetching, options)
  if (behind.outcome === 'feed') return behind
  const reason = `It is a page that names ${named.url}, which is no feed: ${behind.reason}`
  return { outcome: 'refused', reason, isForNow: behind.outcome === 'refused' && behind.isForNow, url: named.url }
}

/** If a page names more, all are listed. */
const mostCompared = 4

/** Of feeds with the same entries in different formats, the first counts. */
async function lookAtAll(page: FoundPage, fetching: Fetching, options: ReadingOptions): Promise<Found> {
  if (page.feeds.length > mostCompared) return page
  const behind = await Promise.all(
    page.feeds.map(async (named) => ({ named, found: await lookAt(named.url, fetching, options) })),
  )
  const kept: typeof behind = []
  for (const one of behind) {
    const isKnown = kept.some(
      ({ found }) =>
        found.outcome === 'feed' && one.found.outcome === 'feed' && isSameContent(found.feed, one.found.feed),
    )
    if (!isKnown) kept.push(one)
  }
  return kept.length === 1 ? kept[0]!.found : { ...page, feeds: kept.map(({ named }) => named) }
}

/** As people copy addresses: with `feed:` in front, or without a scheme. */
export function spelledOut(given: string): string {
  const text = given
    .trim()
    .replace(/^feed:(?:\/\/)?(?=https?:)/i, '')
    .replace(/^feed:\/\//i, 'https://')
  return /^[\p{L}\d-]+(?:\.[\p{L}\d-]+)+(?:[/?#]|$)/u.test(text) ? `https://${text}` : text
}

const meanings: Record<number, string> = {
  401: 'it wants a password',
  403: 'it refuses us',
  404: 'there is nothing at this address',
  410: 'it is gone for good',
  429: 'it was asked too often',
  500: 'its server failed',
  502: 'its server failed',
  503: 'it is not available now',
}

/** "It answered 404: there is nothing at this address." */
export function answered(status: number): string {
  return `It answered ${status}${meanings[status] ? `: ${meanings[status]}` : ''}.`
}

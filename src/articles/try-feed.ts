// What the ingester would make of a feed, entry by entry, before deduplication: for the command line (no database), the console and
// the API. A page's address finds the feeds that the page names.

import type { Category } from '../db/schema.ts'
import type { Entry, ParsedFeed } from './entry.ts'
import { isAhead, isFarAhead, mostDaysAhead, seemsAhead, takenFrom } from './embargo.ts'
import type { NamedFeed } from './feeds-of-page.ts'
import { wrongClock } from './feeds.ts'
import { ignoredBecause } from './ingest.ts'
import { type Fetching, type Found, lookAt, lookBehind } from './look-at.ts'
import { type Mapping, mapEntry } from './mapping.ts'

export interface TriedEntry {
  format: ParsedFeed['format']
  title: string | null
  link: string | null
  guid: string | null
  /** What the feed says; the time of the try when it says nothing. */
  publishedAt: string
  dateSource: 'feed' | 'first-seen'
  categories: string[]
  /** Our slugs. */
  mappedTo: string[]
  author: string | null
  excerpt: string
  image: string | null
  verdict: string
}

export interface TryOptions {
  now: Date
  /** How far back a new feed is taken. */
  firstHours: number
  /** None: nothing is mapped. */
  mapping?: Mapping | undefined
}

export function tryEntries(feed: ParsedFeed, options: TryOptions): TriedEntry[] {
  const { now, mapping } = options
  const isWrong = seemsAhead(feed.entries, now)
  const slugs = new Map<number, Pick<Category, 'slug'>>(mapping?.categories.map((category) => [category.id, category]))
  return feed.entries.map((entry) => {
    const ids = mapping ? mapEntry(entry, mapping) : []
    return {
      format: feed.format,
      title: entry.title,
      link: entry.link,
      guid: entry.guid,
      publishedAt: (entry.publishedAt ?? now).toISOString(),
      dateSource: entry.publishedAt ? 'feed' : 'first-seen',
      categories: entry.categories,
      mappedTo: (ids ?? []).map((id) => slugs.get(id)!.slug),
      author: entry.author,
      excerpt: entry.excerpt,
      image: entry.image,
      verdict: `${verdictOn(entry, options, ids)}${
        isWrong && entry.publishedAt && isAhead(entry.publishedAt, now) ? `; ${wrongClock}` : ''
      }`,
    }
  })
}

/** The verdict on what is mapped to nothing. */
export const nobodys = 'ignored: none of its categories is offered'

function verdictOn(entry: Entry, { now, firstHours, mapping }: TryOptions, ids: number[] | null): string {
  const why = ignoredBecause(entry)
  if (why) return `ignored: ${why}`
  if (ids === null) return 'ignored: a rule leaves it out'
  const date = entry.publishedAt
  if (date && isFarAhead(date, now))
    return `ignored until ${instant(takenFrom(date))}: it is dated more than ${mostDaysAhead} days ahead`
  if (date && date.getTime() < now.getTime() - firstHours * 3_600_000)
    return `ignored at first sight: older than ${firstHours} hours`
  if (mapping && ids.length === 0) return nobodys
  return date && isAhead(date, now) ? `taken, waits until ${instant(date)}` : 'taken'
}

function instant(date: Date): string {
  return date.toISOString().replace('.000', '')
}

export type Tried =
  | { outcome: 'feed'; url: string; feed: ParsedFeed; entries: TriedEntry[] }
  | { outcome: 'page'; url: string; feeds: NamedFeed[] }
  | { outcome: 'refused'; reason: string }

/** Fetches and reads it. A page that names feeds is answered with these; one that names exactly one, with that feed. */
export async function tryFeedUrl(
  url: string,
  fetching: Fetching,
  options: TryOptions & { base?: string | null },
): Promise<Tried> {
  return tryFound(await lookAt(url, fetching, options.base), fetching, options)
}

/** The same of what was fetched already. */
export async function tryFound(
  found: Found,
  fetching: Fetching,
  options: TryOptions & { base?: string | null },
): Promise<Tried> {
  const behind = await lookBehind(found, fetching, options.base)
  if (behind.outcome === 'feed') return { ...behind, entries: tryEntries(behind.feed, options) }
  if (behind.outcome === 'refused') return { outcome: 'refused', reason: behind.reason }
  return { outcome: 'page', url: behind.url, feeds: behind.feeds }
}

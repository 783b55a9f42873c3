// What the ingester would make of a feed, entry by entry, before deduplication: for the command line (without a database), the
// console and the API. For a page, the feeds that it names.

import type { Category } from '../db/schema.ts'
import type { Entry, ParsedFeed } from './entry.ts'
import { isAhead, isFarAhead, mostDaysAhead, seemsAhead, takenFrom } from './embargo.ts'
import type { NamedFeed } from './feeds-of-page.ts'
import { wrongClock } from './feeds.ts'
import { ignoredBecause } from './ingest.ts'
import { type Fetching, type Found, lookAt, lookBehind, type ReadingOptions } from './look-at.ts'
import { type Mapping, placeEntry, type Placing } from './mapping.ts'

export interface TriedEntry {
  format: ParsedFeed['format']
  title: string | null
  link: string | null
  guid: string | null
  /** The feed's date; the current time if it has none. */
  publishedAt: string
  dateSource: 'feed' | 'first-seen'
  categories: string[]
  /** Our slugs. */
  mappedTo: string[]
  /** The reason for each of them: the feed, a label, a rule. */
  mappedBecause: string[]
  author: string | null
  /** The site or paper that the entry names. */
  source: string | null
  excerpt: string
  /** The parts left out of it. */
  cut: string[]
  image: string | null
  imageAlt: string | null
  /** Where the picture comes from, and whether a mail shows it. */
  imageNote: string | null
  verdict: string
  /** When it can be in a mail; null: it isn't stored. */
  sendableAt: string | null
}

export interface TryOptions {
  now: Date
  /** How many hours before now entries of a new feed are stored. */
  firstHours: number
  /** Without: nothing is mapped. */
  mapping?: Mapping | undefined
}

const nowhere: Placing = { places: [], leftOutBy: null }

export function tryEntries(feed: ParsedFeed, options: TryOptions): TriedEntry[] {
  const { now, mapping } = options
  const isWrong = seemsAhead(feed.entries, now)
  const slugs = new Map<number, Pick<Category, 'slug'>>(mapping?.categories.map((category) => [category.id, category]))
  return feed.entries.map((entry) => {
    const placing = mapping ? placeEntry(entry, mapping) : nowhere
    const { verdict, sendableAt } = verdictOn(entry, options, placing)
    return {
      format: feed.format,
      title: entry.title,
      link: entry.link,
      guid: entry.guid,
      publishedAt: (entry.publishedAt ?? now).toISOString(),
      dateSource: entry.publishedAt ? 'feed' : 'first-seen',
      categories: entry.categories,
      mappedTo: placing.places.map(({ id }) => slugs.get(id)!.slug),
      mappedBecause: placing.places.map(({ because }) => because),
      author: entry.author,
      source: entry.source,
      excerpt: entry.excerpt,
      cut: entry.cut,
      image: entry.image,
      imageAlt: entry.imageAlt,
      imageNote: noteOn(entry),
      verdict: `${verdict}${isWrong && entry.publishedAt && isAhead(entry.publishedAt, now) ? `; ${wrongClock}` : ''}`,
      sendableAt: sendableAt?.toISOString() ?? null,
    }
  })
}

/** The verdict on an entry without a category. */
export const nobodys = 'ignored: none of its categories is offered'

function verdictOn(
  entry: Entry,
  { now, firstHours, mapping }: TryOptions,
  { places, leftOutBy }: Placing,
): { verdict: string; sendableAt: Date | null } {
  const ignored = (verdict: string) => ({ verdict, sendableAt: null })
  const why = ignoredBecause(entry)
  if (why) return ignored(`ignored: ${why}`)
  if (leftOutBy !== null) return ignored(`ignored: a rule leaves it out (${leftOutBy})`)
  const date = entry.publishedAt
  if (date && isFarAhead(date, now))
    return ignored(`ignored until ${instant(takenFrom(date))}: it is dated more than ${mostDaysAhead} days ahead`)
  if (date && date.getTime() < now.getTime() - firstHours * 3_600_000)
    return ignored(`ignored at first sight: older than ${firstHours} hours`)
  if (mapping && places.length === 0) return ignored(nobodys)
  return date && isAhead(date, now)
    ? { verdict: `taken, waits until ${instant(date)}`, sendableAt: date }
    : { verdict: 'taken', sendableAt: now }
}

function noteOn({ image, isImageInText }: Entry): string | null {
  if (!image) return null
  const from = isImageInText ? 'it stands in the text' : 'the feed declares it'
  if (/^https:/i.test(image)) return from
  return `${from}; mails show it only if its site has it by https, which is tried when the feed is read`
}

function instant(date: Date): string {
  return date.toISOString().replace('.000', '')
}

export type Tried =
  | { outcome: 'feed'; url: string; feed: ParsedFeed; entries: TriedEntry[] }
  | { outcome: 'page'; url: string; feeds: NamedFeed[] }
  | { outcome: 'refused'; reason: string }

/** Fetches and reads it. A page that names several feeds returns these; one that names exactly one returns that feed. */
export async function tryFeedUrl(
  url: string,
  fetching: Fetching,
  options: TryOptions & ReadingOptions,
): Promise<Tried> {
  return tryFound(await lookAt(url, fetching, options), fetching, options)
}

/** The same for something that was already fetched. */
export async function tryFound(found: Found, fetching: Fetching, options: TryOptions & ReadingOptions): Promise<Tried> {
  const behind = await lookBehind(found, fetching, options)
  if (behind.outcome === 'feed') return { ...behind, entries: tryEntries(behind.feed, options) }
  if (behind.outcome === 'refused') return { outcome: 'refused', reason: behind.reason }
  return { outcome: 'page', url: behind.url, feeds: behind.feeds }
}

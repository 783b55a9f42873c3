// Stores a feed's document, whether it was polled (poll.ts) or pushed by a hub (websub.ts).

import type { Context } from '../db/context.ts'
import type { Feed } from '../db/schema.ts'
import type { ParsedFeed } from './entry.ts'
import { seemsAhead } from './embargo.ts'
import { mappingOf } from './feed-rules.ts'
import type { FeedReport } from './feeds.ts'
import { ingestEntries } from './ingest.ts'
import { withSecurePictures } from './picture-hosts.ts'
import type { FetchOptions, FetchResult } from './safe-fetch.ts'

interface StoreAlso {
  url?: string
  movedFrom?: string
  movedAt?: Date
  moveProblem?: string | null
  etag?: string | null
  lastModified?: string | null
  intervalSeconds?: number
  nextPollAt?: Date
}

/**
 * Ingests a document and updates the feed's row in one transaction, so a validator is never stored without its entries. Used by
 * polls and by pushes from a hub.
 */
export async function storeFeed(
  ctx: Context,
  feed: Feed,
  parsed: ParsedFeed,
  now: Date,
  also: StoreAlso,
  fetch?: (url: string, options: FetchOptions) => Promise<FetchResult>,
): Promise<FeedReport> {
  const entries = await withSecurePictures(ctx, parsed.entries, now, fetch)
  const mapping = await mappingOf(ctx.db, feed.id)
  const takeFrom = feed.takeFrom ?? new Date(now.getTime() - ctx.config.feeds.firstHours * 3_600_000)
  const title = feed.title || parsed.title
  const siteUrl = parsed.siteUrl ?? feed.siteUrl
  const isFirst = feed.takeFrom === null
  const at = now.toISOString()
  const ingested = await ingestEntries(
    ctx.db,
    { feed: { ...feed, title, siteUrl }, mapping, takeFrom },
    entries,
    now,
    (report) =>
      ctx.db
        .updateTable('feeds')
        .set({
          title: title.slice(0, 200),
          siteUrl,
          takeFrom,
          lastPolledAt: now,
          lastSuccessAt: now,
          failures: 0,
          lastError: null,
          readingSince: null,
          lastReport: JSON.stringify({ at, ...report } satisfies FeedReport),
          ...(report.taken > 0 ? { lastNewAt: now } : {}),
          seemsAhead: (isFirst || feed.seemsAhead) && !feed.ignoresDatesAhead && seemsAhead(parsed.entries, now),
          ...also,
          // An entry that will be stored later must be seen again, even if the document doesn't change.
          ...(report.later > 0 ? { etag: null, lastModified: null } : {}),
        })
        .where('id', '=', feed.id),
  )
  return { at, ...ingested }
}

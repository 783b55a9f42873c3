// Polls feeds. The database decides which are due. Claiming a feed moves its next poll, so ten processes share the work, and a
// process that dies delays a feed by five minutes. A failing feed keeps its stories and doesn't affect other feeds. A document
// that crashes the process was recorded as a failure before (attempts.ts).

import { sql, type Updateable } from 'kysely'
import { noteAction } from '../access/audit.ts'
import { ParserClosed } from '../base/parser-thread.ts'
import type { Context } from '../db/context.ts'
import type { Feed, FeedsTable } from '../db/schema.ts'
import { backoff, beginReading, unfinished } from './attempts.ts'
import { allowedHosts, type FeedReport, timezoneOf } from './feeds.ts'
import { type Move, moved, redirected } from './feed-moves.ts'
import { storeFeed } from './feed-store.ts'
import { answered } from './look-at.ts'
import { parser as ownParser, type Parser } from './parser.ts'
import { intervalFor, readMaxAge, readRetryAfter, withJitter } from './poll-times.ts'
import { type FetchOptions, type FetchResult, safeFetch } from './safe-fetch.ts'
import { hubDueAt, hubLink, renewHub } from './websub.ts'

export interface PollOptions {
  fetch?: (url: string, options: FetchOptions) => Promise<FetchResult>
  random?: () => number
  parser?: Parser
}

export type PollOutcome =
  | { outcome: 'polled'; report: FeedReport }
  | { outcome: 'not-modified' }
  | { outcome: 'failed'; reason: string }
  | { outcome: 'gone' }

const claimSeconds = 300
const atOnce = 6

/** Polls everything that is due, a few at a time. Returns how many. */
export async function pollDueFeeds(ctx: Context, options: PollOptions = {}): Promise<number> {
  let polled = 0
  for (;;) {
    const claimed = await claimDue(ctx, ctx.clock.now())
    if (claimed.length === 0) return polled
    const waiting = [...claimed]
    const work = async () => {
      for (let feed = waiting.shift(); feed; feed = waiting.shift())
        await pollOne(ctx, feed, options).catch((error: unknown) =>
          ctx.log.error({ err: error, feedId: feed.id }, 'a poll failed'),
        )
    }
    await Promise.all(Array.from({ length: atOnce }, work))
    polled += claimed.length
  }
}

/** Polls one feed now, even if it isn't due or is paused. undefined: unknown feed. */
export async function pollFeed(
  ctx: Context,
  feedId: number,
  options: PollOptions = {},
): Promise<PollOutcome | undefined> {
  const feed = await ctx.db.selectFrom('feeds').selectAll().where('id', '=', feedId).executeTakeFirst()
  return feed && pollOne(ctx, feed, options)
}

async function claimDue(ctx: Context, now: Date): Promise<Feed[]> {
  return ctx.db
    .updateTable('feeds')
    .set({ nextPollAt: new Date(now.getTime() + claimSeconds * 1000) })
    .where('id', 'in', (eb) =>
      eb
        .selectFrom('feeds')
        .select('id')
        .where('state', '=', 'active')
        .where('nextPollAt', '<=', now)
        .orderBy('nextPollAt')
        .limit(100)
        .forUpdate()
        .skipLocked(),
    )
    .returningAll()
    .execute()
}

/** An unexpected error also counts as a failure of this feed: it backs off, and editors see it. */
async function pollOne(ctx: Context, feed: Feed, options: PollOptions): Promise<PollOutcome> {
  const poll: Poll = { now: ctx.clock.now(), random: options.random ?? Math.random, isCounted: false }
  try {
    return await pollAt(ctx, feed, options, poll)
  } catch (error) {
    if (error instanceof ParserClosed) return { outcome: 'failed', reason: unfinished }
    ctx.log.error({ err: error, feedId: feed.id }, 'a poll failed')
    return fail(ctx, feed, poll, 'What it brought could not be stored; the log says why.')
  }
}

interface Poll {
  now: Date
  random: () => number
  /** It is already recorded as a failure. */
  isCounted: boolean
}

async function pollAt(ctx: Context, feed: Feed, options: PollOptions, poll: Poll): Promise<PollOutcome> {
  const { now, random } = poll
  const fetch = options.fetch ?? safeFetch
  const parser = options.parser ?? ownParser
  const result = await fetch(feed.url, {
    userAgent: ctx.config.feeds.userAgent,
    allowHosts: allowedHosts(ctx.config),
    etag: feed.etag,
    lastModified: feed.lastModified,
  })
  if (result.outcome === 'failed') return fail(ctx, feed, poll, result.reason, { code: result.code })
  if (result.status === 410) return giveUp(ctx, feed, now)
  if (result.status !== 304 && (result.status < 200 || result.status > 299))
    return fail(ctx, feed, poll, answered(result.status), {
      retryAfterSeconds: readRetryAfter(result.headers['retry-after'], now),
    })
  const next = (seconds: number) => {
    const regular = later(now, withJitter(seconds, random))
    // In time to renew the current lease.
    const hubDue = feed.hubExpiresAt && feed.hubExpiresAt > now ? hubDueAt(feed, now) : null
    return hubDue && hubDue < regular ? new Date(Math.max(hubDue.getTime(), now.getTime() + 300_000)) : regular
  }
  if (result.status === 304) {
    const move = await redirected(ctx, feed, result.permanentUrl)
    // A 304 has no document, so what the last document said about a move still holds.
    const problem = move.problem ?? feed.moveProblem
    await succeed(ctx, feed, now, {
      ...changedBy(feed, { ...move, problem }, now),
      nextPollAt: next(feed.intervalSeconds),
    })
    await noteMove(ctx, feed, move)
    await renewHub(ctx, feed.id, { hubUrl: feed.hubUrl, topic: feed.hubTopic ?? feed.url })
    return { outcome: 'not-modified' }
  }
  const reading = await parser.read(
    result.bytes,
    {
      location: result.url,
      contentType: result.headers['content-type'] ?? null,
      timezone: timezoneOf(ctx.config, feed),
    },
    {
      before: async () => {
        await beginReading(ctx, feed, now, random)
        poll.isCounted = true
      },
    },
  )
  if (reading.outcome === 'refused') return fail(ctx, feed, poll, reading.reason, { isFatal: reading.isFatal })
  const interval = feed.isSample
    ? 60
    : intervalFor({
        ttlSeconds: reading.feed.ttlSeconds,
        maxAgeSeconds: readMaxAge(result.headers['cache-control']),
        dates: reading.feed.entries.flatMap((entry) => entry.publishedAt ?? []),
        hasHub: feed.hubExpiresAt !== null && feed.hubExpiresAt > now,
      })
  const { permanentUrl } = result
  const move = await moved(ctx, feed, { permanentUrl, newFeedUrl: reading.feed.newFeedUrl }, { fetch, parser })
  // Its validators belong to another address, or the document must be read again.
  const isUnsettled = move.isByDocument || move.problem !== null
  const also = {
    ...changedBy(feed, move, now),
    etag: isUnsettled ? null : (result.headers.etag ?? null),
    lastModified: isUnsettled ? null : (result.headers['last-modified'] ?? null),
    intervalSeconds: interval,
    nextPollAt: next(interval),
  }
  const report = await storeFeed(ctx, feed, reading.feed, now, also, fetch)
  await noteMove(ctx, feed, move)
  const linked = hubLink(result.headers.link, result.url)
  await renewHub(ctx, feed.id, {
    hubUrl: linked.hub ?? reading.feed.hubUrl,
    topic: linked.self ?? reading.feed.selfUrl ?? feed.url,
  })
  return { outcome: 'polled', report }
}

async function succeed(ctx: Context, feed: Feed, now: Date, also: Updateable<FeedsTable>): Promise<void> {
  await ctx.db
    .updateTable('feeds')
    .set({ lastPolledAt: now, lastSuccessAt: now, failures: 0, lastError: null, readingSince: null, ...also })
    .where('id', '=', feed.id)
    .execute()
}

async function fail(
  ctx: Context,
  feed: Feed,
  { now, random, isCounted }: Poll,
  reason: string,
  {
    retryAfterSeconds = null,
    isFatal,
    code,
  }: { retryAfterSeconds?: number | null; isFatal?: true | undefined; code?: string | undefined } = {},
): Promise<PollOutcome> {
  await ctx.db
    .updateTable('feeds')
    .set({
      lastPolledAt: now,
      lastError: reason,
      nextPollAt: backoff(feed, now, retryAfterSeconds, random),
      ...(isCounted ? {} : { failures: sql<number>`failures + 1` }),
      ...(isFatal ? {} : { readingSince: null }),
    })
    .where('id', '=', feed.id)
    .execute()
  ctx.log.info({ feedId: feed.id, failures: feed.failures + 1, reason, code }, 'a feed could not be read')
  return { outcome: 'failed', reason }
}

async function giveUp(ctx: Context, feed: Feed, now: Date): Promise<PollOutcome> {
  await ctx.db
    .updateTable('feeds')
    .set({
      state: 'gone',
      nextPollAt: null,
      lastPolledAt: now,
      lastError: 'It answered 410 Gone and is no longer polled. Resume it on the feeds page if it came back.',
    })
    .where('id', '=', feed.id)
    .execute()
  return { outcome: 'gone' }
}

function changedBy(feed: Feed, { url, problem }: Move, now: Date) {
  return { url, moveProblem: problem, ...(url === feed.url ? {} : { movedFrom: feed.url, movedAt: now }) }
}

async function noteMove(ctx: Context, feed: Feed, { url, isByDocument }: Move): Promise<void> {
  if (url === feed.url) return
  const detail = { from: feed.url, to: url, why: isByDocument ? 'new-feed-url' : 'permanent redirect' }
  await noteAction(ctx, { actor: 'scheduler', action: 'feed.moved', subject: `feed:${feed.id}`, detail })
}

function later(now: Date, seconds: number): Date {
  return new Date(now.getTime() + seconds * 1000)
}

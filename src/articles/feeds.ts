// The feeds of the site: adding (after one look at them), changing, pausing, removing, and the view for editors.

import { sql } from 'kysely'
import { invalid, Refusal } from '../base/errors.ts'
import type { Config } from '../base/config.ts'
import { isTimeZone } from '../base/time-zone.ts'
import type { Db, Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { Feed } from '../db/schema.ts'
import { getCategory } from './categories.ts'
import type { IngestReport } from './ingest.ts'
import { spelledOut } from './look-at.ts'
import { refuseUrl } from './safe-fetch.ts'

export interface FeedReport extends IngestReport {
  at: string
}

export interface FeedView extends Feed {
  /** Slugs, in display order. */
  categories: string[]
}

/** Private hosts that the fetcher may reach: those of the environment and, in the trial, this program itself. */
export function allowedHosts(config: Config): string[] {
  const own = new URL(config.web.publicUrl)
  const port = own.port || (own.protocol === 'https:' ? '443' : '80')
  const trial = config.trial
    ? [...new Set([own.hostname, '127.0.0.1', 'localhost'])].map((host) => `${host}:${port}`)
    : []
  return [...config.feeds.allowHosts.map((host) => host.toLowerCase()), ...trial]
}

/** The warning for a feed whose newest entries have future dates. */
export const wrongClock = 'the feed’s clock or time zone seems wrong'

/** What seems wrong with a feed that can be read. */
export function warningOf(feed: Feed): string | null {
  return [feed.seemsAhead && wrongClock, feed.moveProblem].filter(Boolean).join('; ') || null
}

/** By id. Includes sample feeds. */
export async function listFeeds(db: Db): Promise<FeedView[]> {
  return db
    .selectFrom('feeds')
    .selectAll()
    .select((eb) =>
      eb
        .selectFrom('feedCategories')
        .innerJoin('categories', 'categories.id', 'feedCategories.categoryId')
        .whereRef('feedCategories.feedId', '=', 'feeds.id')
        .select(
          sql<string[]>`coalesce(json_agg(categories.slug order by categories.position, categories.id), '[]')`.as(
            'slugs',
          ),
        )
        .as('categories'),
    )
    .orderBy('id')
    .execute()
    .then((rows) => rows.map((row) => ({ ...row, categories: row.categories ?? [] })))
}

export async function getFeed(db: Db, id: number): Promise<FeedView> {
  const feed = (await listFeeds(db)).find((one) => one.id === id)
  if (!feed) throw new Refusal('not_found', `There is no feed ${id}.`, [{ field: 'id', message: 'unknown' }])
  return feed
}

export interface NewFeed {
  url: string
  /** Slugs. None: only the items' own labels and the rules decide. */
  categories: readonly string[]
  title?: string | undefined
  ignoresDatesAhead?: boolean | undefined
  /** The zone of its dates without one. Default: the site's. */
  timezone?: string | null | undefined
}

/** Adds it, due at once. Refuses an address that may not be fetched or that exists. Doesn't fetch: see discover.ts. */
export async function addFeed(ctx: Context, input: NewFeed): Promise<FeedView> {
  const url = checkUrl(ctx, input.url)
  const categoryIds = await categoryIdsOf(ctx, input.categories)
  const now = ctx.clock.now()
  const { title = '', ignoresDatesAhead = false } = input
  const timezone = checkTimezone(input.timezone) ?? null
  const id = await ctx.db
    .transaction()
    .execute((trx) => insertFeed(trx, { url, title, ignoresDatesAhead, timezone, categoryIds }, now))
  return getFeed(ctx.db, id)
}

/** The address must be allowed. Refuses one that exists. */
export async function insertFeed(
  trx: Trx,
  feed: {
    url: string
    title: string
    ignoresDatesAhead: boolean
    timezone?: string | null
    categoryIds: readonly number[]
  },
  now: Date,
): Promise<number> {
  const { categoryIds, ...values } = feed
  const added = await trx
    .insertInto('feeds')
    .values({ ...values, nextPollAt: now, createdAt: now })
    .onConflict((conflict) => conflict.column('url').doNothing())
    .returning('id')
    .executeTakeFirst()
  if (!added) throw isThere(feed.url)
  await setFeedCategories(trx, added.id, categoryIds)
  return added.id
}

export interface FeedChange {
  id: number
  url?: string | undefined
  title?: string | undefined
  categories?: readonly string[] | undefined
  /** Paused feeds aren't polled. A feed that was gone (410) is tried again if it is made active. */
  state?: 'active' | 'paused' | undefined
  /** Its waiting stories are released by the next tick. */
  ignoresDatesAhead?: boolean | undefined
  /** null: the site's. */
  timezone?: string | null | undefined
}

export async function changeFeed(ctx: Context, change: FeedChange): Promise<FeedView> {
  const feed = await getFeed(ctx.db, change.id)
  const url = change.url === undefined ? feed.url : checkUrl(ctx, change.url)
  const categoryIds = change.categories && (await categoryIdsOf(ctx, change.categories))
  const ignoresDatesAhead = change.ignoresDatesAhead ?? feed.ignoresDatesAhead
  const timezone = checkTimezone(change.timezone) ?? (change.timezone === null ? null : feed.timezone)
  const isChanged = url !== feed.url || ignoresDatesAhead !== feed.ignoresDatesAhead || timezone !== feed.timezone
  const now = ctx.clock.now()
  await ctx.db.transaction().execute(async (trx) => {
    const other = await trx.selectFrom('feeds').select('id').where('url', '=', url).where('id', '!=', feed.id).execute()
    if (other.length > 0) throw isThere(url)
    await trx
      .updateTable('feeds')
      .set({
        url,
        ignoresDatesAhead,
        timezone,
        ...(url === feed.url ? {} : { moveProblem: null }),
        ...(ignoresDatesAhead ? { seemsAhead: false } : {}),
        ...(isChanged ? { etag: null, lastModified: null } : {}),
        ...(change.title === undefined ? {} : { title: change.title }),
        ...(change.state === undefined ? {} : { state: change.state }),
        ...(change.state === 'active' && feed.state !== 'active'
          ? { nextPollAt: now, failures: 0, lastError: null, readingSince: null }
          : {}),
      })
      .where('id', '=', feed.id)
      .execute()
    if (categoryIds) await setFeedCategories(trx, feed.id, categoryIds)
    if (ignoresDatesAhead) await dateNow(trx, feed.id, now)
  })
  return getFeed(ctx.db, feed.id)
}

/** Its stories with future dates get the current date, and the next tick releases them. */
async function dateNow(trx: Trx, feedId: number, now: Date): Promise<void> {
  await trx
    .updateTable('articles')
    .set({ publishedAt: now, dateSource: 'first-seen', updatedAt: now })
    .where('feedId', '=', feedId)
    .where('sendableAt', 'is', null)
    .where('publishedAt', '>', now)
    .execute()
}

/** Its stories are kept. */
export async function removeFeed(ctx: Context, id: number): Promise<void> {
  await getFeed(ctx.db, id)
  await ctx.db.deleteFrom('feeds').where('id', '=', id).execute()
}

/** The zone of this feed's dates that name none. */
export function timezoneOf(config: Config, feed: Pick<Feed, 'timezone'>): string {
  return feed.timezone ?? config.digest.timezone
}

function checkTimezone(name: string | null | undefined): string | undefined {
  if (name === null || name === undefined) return undefined
  if (!isTimeZone(name)) throw invalid('timezone', `${name} is no time zone: write one such as Europe/Berlin.`)
  return name
}

function isThere(url: string): Refusal {
  return new Refusal('conflict', `${url} is one of the feeds already.`, [
    { field: 'url', message: 'is already one of the feeds' },
  ])
}

/** With a scheme. Refuses an address that may not be fetched. */
export function checkUrl(ctx: Context, given: string): string {
  const text = spelledOut(given)
  const refusal = refuseUrl(text, allowedHosts(ctx.config))
  if (refusal) throw invalid('url', refusal)
  return new URL(text).href
}

async function categoryIdsOf(ctx: Context, slugs: readonly string[]): Promise<number[]> {
  const ids: number[] = []
  for (const slug of new Set(slugs)) {
    const category = await getCategory(ctx, slug, 'categories')
    if (category.retiredAt) throw invalid('categories', `${category.name} is retired. Offer it again first.`)
    ids.push(category.id)
  }
  return ids
}

async function setFeedCategories(trx: Trx, feedId: number, categoryIds: readonly number[]): Promise<void> {
  await trx.deleteFrom('feedCategories').where('feedId', '=', feedId).execute()
  if (categoryIds.length)
    await trx
      .insertInto('feedCategories')
      .values(categoryIds.map((categoryId) => ({ feedId, categoryId })))
      .execute()
}

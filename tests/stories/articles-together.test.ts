// Many documents stored at the same moment, on a real Postgres: what one finds out must hold when it writes.

import assert from 'node:assert/strict'
import { before, beforeEach, test } from 'node:test'
import { sql } from 'kysely'
import { addCategory } from '../../src/articles/categories.ts'
import { controlArticle } from '../../src/articles/control.ts'
import { parseFeed } from '../../src/articles/feed-formats.ts'
import { addFeed, type FeedReport } from '../../src/articles/feeds.ts'
import { storeFeed } from '../../src/articles/feed-store.ts'
import { lockSeq } from '../../src/articles/seq.ts'
import { readConfig } from '../../src/base/config.ts'
import { createLog } from '../../src/base/log.ts'
import type { Context } from '../../src/db/context.ts'
import { freshDatabase } from '../support/database.ts'
import { type Item, rss } from '../support/feed-server.ts'
import { waitFor } from '../support/wait-for.ts'

let ctx: Context
const now = new Date('2026-03-06T07:00:00Z')

before(async () => {
  ctx = { db: undefined as never, clock: { now: () => now }, config: readConfig({}), log: createLog('silent') }
})
beforeEach(async () => {
  ctx = { ...ctx, db: (await freshDatabase('postgres')).database.db }
  await addCategory(ctx, { name: 'Politics' })
  await addCategory(ctx, { name: 'World News' })
})

const feedOf = async (n: number, category: string) => {
  const { id } = await addFeed(ctx, { url: `https://paper-${n}.example/feed`, categories: [category] })
  return ctx.db.selectFrom('feeds').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
}
const parsed = (items: readonly Item[]) => {
  const reading = parseFeed(Buffer.from(rss(items)))
  assert.equal(reading.outcome, 'feed')
  return (reading as Extract<typeof reading, { outcome: 'feed' }>).feed
}
const story = (n: number, more: Partial<Item> = {}): Item => ({
  title: `Story ${n}`,
  link: `https://lantern.example/${n}`,
  guid: `https://lantern.example/?p=${n}`,
  date: now,
  ...more,
})

test('eight feeds with the same forty stories at once: each is one article, in both categories, new once', async () => {
  const feeds = await Promise.all(Array.from({ length: 8 }, (_, n) => feedOf(n, n % 2 ? 'politics' : 'world-news')))
  const stories = Array.from({ length: 40 }, (_, n) => story(n))
  const reports = await Promise.all(
    // Not in the same order, so that nobody waits politely for the first one's first key.
    feeds.map((feed, n) =>
      storeFeed(ctx, feed, parsed([...stories.slice(n * 5), ...stories.slice(0, n * 5)]), now, {}),
    ),
  )
  assert.equal(
    reports.reduce((sum, report) => sum + report.taken, 0),
    40,
  )
  assert.equal(
    reports.reduce((sum, report) => sum + report.changed, 0),
    0,
  )
  const count = async (table: 'articles' | 'articleKeys' | 'articleCategories') =>
    (
      await ctx.db
        .selectFrom(table)
        .select(sql<number>`count(*)::int`.as('count'))
        .executeTakeFirstOrThrow()
    ).count
  assert.equal(await count('articles'), 40)
  assert.equal(await count('articleCategories'), 80)
  // The guid, and the link alone, with the title and with the time.
  assert.equal(await count('articleKeys'), 40 * 4)
})

test('feeds of one site that bring a story under guids and links of their own, at once: it is one article', async () => {
  const feeds = await Promise.all(Array.from({ length: 6 }, (_, n) => feedOf(n, 'politics')))
  const own = (feed: number, n: number) =>
    story(n, { guid: `feed-${feed}-${n}`, link: `https://lantern.example/section-${feed}/${n}` })
  const reports = await Promise.all(
    feeds.map((feed, n) =>
      storeFeed(ctx, feed, parsed(Array.from({ length: 10 }, (_, k) => own(n, (k + n) % 10))), now, {}),
    ),
  )
  assert.equal(
    reports.reduce((sum, report) => sum + report.taken, 0),
    10,
  )
})

test('numbers are visible in their order: after the highest was read, no lower one appears', async () => {
  const feeds = await Promise.all(Array.from({ length: 6 }, (_, n) => feedOf(n, 'politics')))
  const writing = new AbortController()
  const seen = new Set<number>()
  let highest = 0
  const reader = (async () => {
    while (!writing.signal.aborted) {
      const rows = await ctx.db.selectFrom('articleCategories').select('seq').$narrowType<{ seq: number }>().execute()
      const late = rows.filter((row) => row.seq <= highest && !seen.has(row.seq))
      assert.deepEqual(late, [])
      for (const row of rows) seen.add(row.seq)
      highest = Math.max(highest, ...seen)
    }
  })()
  for (let round = 0; round < 5; round++)
    await Promise.all(
      feeds.map((feed, n) =>
        storeFeed(ctx, feed, parsed(Array.from({ length: 20 }, (_, k) => story(round * 1000 + n * 100 + k))), now, {}),
      ),
    )
  writing.abort()
  await reader
  assert.equal((await ctx.db.selectFrom('articleCategories').select('seq').execute()).length, 600)
})

test('a push between reading and writing wins: the feed’s edit is planned again and given up', async () => {
  const feed = await feedOf(1, 'politics')
  await storeFeed(ctx, feed, parsed([story(1), story(2)]), now, {})
  const edits = parsed([story(1, { title: 'Edited 1' }), story(2, { title: 'Edited 2' })])
  const later = (seconds: number) => new Date(now.getTime() + seconds * 1000)
  let storing: Promise<FeedReport> | undefined
  await ctx.db.transaction().execute(async (trx) => {
    await lockSeq(trx)
    storing = storeFeed(ctx, feed, edits, later(60), {})
    await untilSomebodyWaits()
    // What a push writes.
    const first = await trx.selectFrom('articles').select('id').orderBy('id').executeTakeFirstOrThrow()
    await trx
      .updateTable('articles')
      .set({ title: 'Pushed 1', updatedAt: later(30) })
      .where('id', '=', first.id)
      .execute()
    await trx.insertInto('articleKeys').values({ kind: 'publisher', key: 'p-1', articleId: first.id }).execute()
  })
  const report = await storing!
  assert.deepEqual([report.changed, report.unchanged], [1, 1])
  const titles = await ctx.db.selectFrom('articles').select('title').orderBy('id').execute()
  assert.deepEqual(
    titles.map((row) => row.title),
    ['Pushed 1', 'Edited 2'],
  )
})

async function untilSomebodyWaits(): Promise<void> {
  const waiting = sql`select 1 from pg_locks where locktype = 'advisory' and not granted`
  await waitFor(async () => (await waiting.execute(ctx.db)).rows.length > 0)
}

test('editors release stories while feeds edit them: nobody waits for ever, nothing fails', async () => {
  const feed = await feedOf(1, 'politics')
  const stories = Array.from({ length: 30 }, (_, n) => story(n))
  await storeFeed(ctx, feed, parsed(stories), now, {})
  const ids = (await ctx.db.selectFrom('articles').select('id').execute()).map((row) => row.id)
  for (const id of ids) await controlArticle(ctx, id, 'hold')
  await Promise.all([
    ...ids.map((id) => controlArticle(ctx, id, 'release')),
    ...[1, 2, 3].map((edit) =>
      storeFeed(
        ctx,
        feed,
        parsed(stories.map((one) => ({ ...one, title: `${one.title}, edit ${edit}` }))),
        new Date(now.getTime() + edit),
        {},
      ),
    ),
  ])
  const held = await ctx.db.selectFrom('articles').select('id').where('heldAt', 'is not', null).execute()
  assert.deepEqual(held, [])
})

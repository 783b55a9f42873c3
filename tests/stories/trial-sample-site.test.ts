import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import express from 'express'
import request from 'supertest'
import { fixedClock } from '../../src/base/clock.ts'
import { readConfig } from '../../src/base/config.ts'
import { createLog } from '../../src/base/log.ts'
import type { Database } from '../../src/db/connect.ts'
import type { Context } from '../../src/db/context.ts'
import { sampleSite } from '../../src/trial/sample-site.ts'
import { handleErrors } from '../../src/web/errors.ts'
import { placeRequests } from '../../src/web/place.ts'
import { leaveTrial, readFirstStart, seedTrial } from '../../src/trial/trial-data.ts'
import { openMigrated } from '../support/embedded.ts'

const start = new Date('2026-03-06T07:00:00Z')
let database: Database
let ctx: Context
const site = (now: Date) =>
  express()
    .use(placeRequests(ctx.config))
    .use('/gazette', sampleSite({ ...ctx, clock: fixedClock(now) }))
    .use(handleErrors(ctx.config, ctx.log))

before(async () => {
  database = await openMigrated()
  ctx = { db: database.db, clock: fixedClock(start), config: readConfig({}), log: createLog('silent') }
})
after(() => database.close())

test('the first start settles when the trial began, and seeds it once', async () => {
  await seedTrial(ctx)
  await seedTrial({ ...ctx, clock: fixedClock(new Date('2026-03-09T07:00:00Z')) })
  assert.deepEqual(await readFirstStart(ctx), start)
  const feeds = await ctx.db.selectFrom('feeds').selectAll().orderBy('id').execute()
  assert.equal(feeds.length, 4)
  assert.equal(feeds[0]!.url, 'http://127.0.0.1:3000/gazette/category/politics/feed/')
  assert.ok(feeds.every((feed) => feed.isSample))
})

test('a start on another port moves the feeds along', async () => {
  await seedTrial({ ...ctx, config: readConfig({ PORT: '3999' }) })
  const feeds = await ctx.db.selectFrom('feeds').select('url').execute()
  assert.equal(feeds.length, 4)
  assert.ok(feeds.every((feed) => feed.url.startsWith('http://127.0.0.1:3999/')))
  await seedTrial(ctx)
})

test('the front page, every story it lists, and their pictures exist', async () => {
  const front = await request(site(start)).get('/gazette/').expect(200)
  const links = new Set([...front.text.matchAll(/href="(\/gazette\/\d{4}\/[^"]+)"/g)].map((match) => match[1]!))
  assert.equal(links.size, 25)
  for (const link of links) await request(site(start)).get(link).expect(200)
  const picture = /src="(\/gazette\/pictures\/[^"]+)"/.exec(front.text)![1]!
  await request(site(start)).get(picture).expect(200).expect('Content-Type', 'image/png')
})

test('a feed answers a conditional request with 304 until there is a new story', async () => {
  const feed = '/gazette/category/politics/feed/'
  const first = await request(site(start)).get(feed).expect(200)
  assert.match(first.headers['content-type']!, /^application\/rss\+xml/)
  const etag = first.headers['etag']!
  await request(site(start)).get(feed).set('If-None-Match', etag).expect(304)
  await request(site(new Date(start.getTime() + 11 * 60_000)))
    .get(feed)
    .set('If-None-Match', etag)
    .expect(200)
})

test('an old date in a story’s address leads to the right one; a story of the future isn’t there', async () => {
  const front = await request(site(start)).get('/gazette/')
  const link = /href="(\/gazette\/\d{4}\/[^"]+)"/.exec(front.text)![1]!
  const slug = link.split('/').at(-2)!
  await request(site(start)).get(`/gazette/2020/01/01/${slug}/`).expect(301).expect('Location', link)
  await request(site(start)).get('/gazette/2020/01/01/politics-note-41/').expect(404)
})

test('leaving the trial takes the samples and keeps what is the site’s own', async () => {
  const now = start
  const [politics, business] = await Promise.all(
    ['politics', 'business'].map((slug) =>
      ctx.db.selectFrom('categories').select('id').where('slug', '=', slug).executeTakeFirstOrThrow(),
    ),
  )
  const own = await ctx.db
    .insertInto('feeds')
    .values({ url: 'https://news.example/feed' })
    .returning('id')
    .executeTakeFirstOrThrow()
  await ctx.db.insertInto('feedCategories').values({ feedId: own.id, categoryId: business!.id }).execute()
  const subscriber = await ctx.db
    .insertInto('subscribers')
    .values({
      email: 'reader@example.org',
      emailKey: 'reader@example.org',
      emailHash: 'x',
      status: 'active',
      frequencies: 3,
      createdAt: now,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  await ctx.db.insertInto('dueTimes').values({ subscriberId: subscriber.id, nextDueAt: now }).execute()
  await ctx.db
    .insertInto('subscriptions')
    .values([
      { subscriberId: subscriber.id, categoryId: politics!.id, frequency: 'daily' },
      { subscriberId: subscriber.id, categoryId: business!.id, frequency: 'weekly' },
    ])
    .execute()

  const left = await leaveTrial(ctx)
  assert.deepEqual(
    { ...left, categories: left.categories.toSorted() },
    { feeds: 4, stories: 0, categories: ['investing', 'politics', 'world-news'], kept: ['business'] },
  )
  const after = await ctx.db.selectFrom('subscribers').select('frequencies').executeTakeFirstOrThrow()
  assert.equal(after.frequencies, 2)
  await seedTrial(ctx)
  const feeds = await ctx.db.selectFrom('feeds').select('url').execute()
  assert.deepEqual(feeds, [{ url: 'https://news.example/feed' }])
  await assert.rejects(leaveTrial(ctx), /nothing of the trial here/)
})

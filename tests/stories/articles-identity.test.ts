// When two entries are one story and when they are two, as a poll and a push decide it.

import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import fc from 'fast-check'
import { addCategory } from '../../src/articles/categories.ts'
import { parseFeed } from '../../src/articles/feed-formats.ts'
import { storeFeed } from '../../src/articles/feed-store.ts'
import { addFeed, type FeedReport } from '../../src/articles/feeds.ts'
import { pushArticles } from '../../src/articles/push.ts'
import { readConfig } from '../../src/base/config.ts'
import { createLog } from '../../src/base/log.ts'
import type { Database } from '../../src/db/connect.ts'
import type { Context } from '../../src/db/context.ts'
import { openMigrated } from '../support/embedded.ts'
import { type Item, rss } from '../support/feed-server.ts'
import { seedOf } from '../support/seed.ts'

let database: Database
let ctx: Context
let now: Date
let feeds = 0

before(async () => {
  database = await openMigrated()
  ctx = { db: database.db, clock: { now: () => now }, config: readConfig({}), log: createLog('silent') }
  await addCategory(ctx, { name: 'Politics' })
})
after(() => database.close())
beforeEach(() => {
  now = new Date('2026-03-06T07:00:00Z')
  return ctx.db.deleteFrom('articles').execute()
})

const site = 'https://lantern.example'
const pass = (hours: number) => (now = new Date(now.getTime() + hours * 3_600_000))
const hoursAgo = (hours: number) => new Date(now.getTime() - hours * 3_600_000)
const newFeed = async () =>
  (await addFeed(ctx, { url: `https://feeds.example/${++feeds}`, categories: ['politics'] })).id

/** What one poll of this feed brings. */
async function poll(feedId: number, ...items: Item[]): Promise<FeedReport> {
  const reading = parseFeed(Buffer.from(rss(items, { site: `${site}/` })))
  assert.equal(reading.outcome, 'feed')
  const feed = await ctx.db.selectFrom('feeds').selectAll().where('id', '=', feedId).executeTakeFirstOrThrow()
  return storeFeed(ctx, feed, (reading as Extract<typeof reading, { outcome: 'feed' }>).feed, now, {})
}

const stories = async () => (await ctx.db.selectFrom('articles').select('title').orderBy('id').execute()).length

/** Polled one after the other and then all at once, they are so many stories; a second poll brings nothing. */
async function areStories(expected: number, ...items: Item[]): Promise<void> {
  await ctx.db.deleteFrom('articles').execute()
  const one = await newFeed()
  for (const item of items) await poll(one, item)
  assert.equal(await stories(), expected)
  for (const item of items) assert.equal((await poll(one, item)).taken, 0, 'new once more')
  assert.equal((await poll(one, ...items)).taken, 0, 'new together')
  await ctx.db.deleteFrom('articles').execute()
  const other = await newFeed()
  assert.equal((await poll(other, ...items)).taken, expected)
  assert.equal((await poll(other, ...items.toReversed())).taken, 0, 'new the other way round')
  for (const item of items) assert.equal((await poll(other, item)).taken, 0, 'new alone')
}

test('guids that differ make two stories, whatever their links have in common', async () => {
  const first: Item = { title: 'The harbour', guid: 'a', link: `${site}/live`, date: hoursAgo(3) }
  for (const link of [`${site}/live`, `${site}/live#2`, `${site}/live?ref=2`, `${site}/live?source=2`])
    await areStories(2, first, { title: 'The lighthouse', guid: 'b', link, date: hoursAgo(2) })
})

test('links of one guidless feed that differ in the fragment, ref, from or source are two stories', async () => {
  const first: Item = { title: 'The harbour', link: `${site}/live?id=1`, date: hoursAgo(3) }
  for (const more of ['#2', '&ref=2', '&from=2', '&source=2', '&partner=2', '&cmp=2'])
    await areStories(2, first, { title: 'The lighthouse', link: `${first.link}${more}`, date: hoursAgo(2) })
})

test('a site that changes its guids brings nothing new where title or time is the same', async () => {
  const items: Item[] = [1, 2, 3].map((n) => ({
    title: `Story ${n}`,
    guid: `old-${n}`,
    link: `${site}/${n}?a=1`,
    date: hoursAgo(n),
  }))
  const feed = await newFeed()
  assert.equal((await poll(feed, ...items)).taken, 3)
  pass(24)
  const renamed = items.map((item, n) => ({ ...item, guid: `https://lantern.example/?p=${n}` }))
  assert.equal((await poll(feed, ...renamed.map((item) => ({ ...item, date: now })))).taken, 0, 'the same titles')
  await ctx.db.deleteFrom('articles').execute()
  const other = await newFeed()
  await poll(other, ...items.map((item) => ({ ...item, date: hoursAgo(1) })))
  const edited = renamed.map((item) => ({ ...item, title: `${item.title}, edited`, date: hoursAgo(1) }))
  for (const item of edited) assert.equal((await poll(other, item)).taken, 0, 'the same times')
  assert.equal((await poll(other, ...edited)).taken, 0)
  assert.equal((await poll(other, { ...edited[0]!, guid: 'new', title: 'Another', date: now })).taken, 1)
})

test('a known link with its title is the same story, whatever its guid and time are', async () => {
  const feed = await newFeed()
  const item = { title: 'The harbour', guid: 'a', link: `${site}/harbour`, date: hoursAgo(1) }
  assert.equal((await poll(feed, item)).taken, 1)
  for (const days of [1, 3]) {
    pass(days * 24)
    assert.equal((await poll(feed, { ...item, guid: `a-${days}`, date: hoursAgo(1) })).taken, 0)
  }
})

test('an entry that a document lists twice is one story; the same title under two guids and times is two', async () => {
  const item: Item = { title: 'The harbour', guid: 'a', link: `${site}/1`, date: hoursAgo(1) }
  const feed = await newFeed()
  const twice = await poll(feed, item, item, { ...item, guid: 'b' }, { ...item, link: `${site}/1/amp` })
  assert.deepEqual([twice.taken, twice.ignored], [1, 3])
  await areStories(
    2,
    { title: 'Letters', guid: 'c', link: `${site}/letters/1`, date: hoursAgo(2) },
    { title: 'Letters', guid: 'd', link: `${site}/letters/2`, date: hoursAgo(1) },
  )
})

test('a guid that a document repeats identifies nothing, and each of its stories stays one', async () => {
  const items: Item[] = [1, 2, 3].map((n) => ({
    title: `Story ${n}`,
    guid: 'same',
    link: `${site}/${n}`,
    date: hoursAgo(n),
  }))
  const feed = await newFeed()
  assert.equal((await poll(feed, ...items)).taken, 3)
  assert.equal((await poll(feed, items[1]!)).taken, 0)
  assert.equal((await poll(feed, ...items.slice(1))).taken, 0)
})

test('a link that a document repeats identifies nothing, and each of its stories stays one', async () => {
  const items: Item[] = [1, 2, 3].map((n) => ({ title: `Story ${n}`, link: `${site}/live`, date: hoursAgo(n) }))
  const feed = await newFeed()
  assert.equal((await poll(feed, ...items)).taken, 3)
  for (const some of [items.slice(1), items.slice(0, 1), items]) assert.equal((await poll(feed, ...some)).taken, 0)
})

test('the home page identifies nothing, one of its fragments does', async () => {
  const home = (n: number, address: string): Item => ({
    title: `Story ${n}`,
    guid: address,
    link: address,
    date: hoursAgo(n),
  })
  await areStories(2, home(1, `${site}/`), home(2, `${site}/`))
  await areStories(2, home(1, `${site}/#1`), home(2, `${site}/#2`))
  const feed = await newFeed()
  await poll(feed, home(3, `${site}/#3`))
  assert.equal((await poll(feed, { ...home(4, `${site}/#3`), title: 'Story 3, edited' })).taken, 0)
})

test('the mobile page, the AMP page and a session id in another feed are the same story', async () => {
  const item: Item = { title: 'The harbour', guid: '1', link: `${site}/2026/harbour`, date: hoursAgo(3) }
  await poll(await newFeed(), item)
  for (const link of [
    'http://m.lantern.example/2026/harbour/',
    `${site}/2026/harbour/amp`,
    `${site}/2026/harbour;jsessionid=AB12`,
  ])
    assert.equal((await poll(await newFeed(), { ...item, guid: `of ${link}`, link, date: hoursAgo(2) })).taken, 0, link)
})

test('two feeds of a site: one title is one story within an hour or with the same excerpt', async () => {
  const item: Item = { title: 'The harbour reopens', guid: '1', link: `${site}/politics/1`, date: hoursAgo(9) }
  const other = { ...item, guid: '2', link: `${site}/world/2` }
  const cases: [Item, Item, number][] = [
    [item, { ...other, date: hoursAgo(8.5) }, 1],
    [item, { ...other, date: hoursAgo(7) }, 2],
    [{ ...item, description: 'With a band.' }, { ...other, date: hoursAgo(2), description: 'With a band.' }, 1],
    [{ ...item, description: 'With a band.' }, { ...other, date: hoursAgo(2), description: 'Without one.' }, 2],
    [item, { ...other, link: 'https://other.example/2' }, 2],
    [item, { ...other, title: 'The harbour closes' }, 2],
  ]
  for (const [first, second, expected] of cases) {
    await ctx.db.deleteFrom('articles').execute()
    const [one, two] = [await newFeed(), await newFeed()]
    await poll(one, first)
    await poll(two, second)
    assert.equal(await stories(), expected, JSON.stringify(second))
    assert.equal((await poll(one, first)).taken + (await poll(two, second)).taken, 0)
  }
})

test('a title that its feed repeats within 30 days is no other feed’s story', async () => {
  const [one, two] = [await newFeed(), await newFeed()]
  const briefing = (n: number, where: string): Item => ({
    title: 'Morning briefing',
    guid: `${where}-${n}`,
    link: `${site}/${where}/${n}`,
    date: hoursAgo(1),
  })
  await poll(one, briefing(1, 'world'))
  pass(24)
  await poll(one, briefing(2, 'world'))
  assert.equal((await poll(two, briefing(1, 'business'))).taken, 1)
})

test('a number as guid is one story in two feeds where link or title agree, and two where neither does', async () => {
  const item: Item = { title: 'The harbour', guid: '7', link: `${site}/1`, date: hoursAgo(5) }
  await poll(await newFeed(), item)
  assert.equal((await poll(await newFeed(), { ...item, title: 'The harbour, edited' })).taken, 0)
  const other = await newFeed()
  const lighthouse = { ...item, title: 'The lighthouse', link: `${site}/lighthouse/1`, date: hoursAgo(2) }
  assert.equal((await poll(other, lighthouse)).taken, 1)
  assert.equal((await poll(other, { ...lighthouse, title: 'The lighthouse, edited', date: now })).taken, 0)
  assert.equal(await stories(), 2)
})

test('an edit of title, link and time under one guid is an edit', async () => {
  const feed = await newFeed()
  await poll(feed, { title: 'The harbour', guid: 'urn:1', link: `${site}/1`, date: hoursAgo(5) })
  const edited = await poll(feed, { title: 'It reopens', guid: 'urn:1', link: `${site}/2`, date: hoursAgo(1) })
  assert.deepEqual([edited.taken, edited.changed], [0, 1])
})

test('publisher ids that differ are two articles, and adopt a feed’s story only with its title or time', async () => {
  const article = { id: 'p-1', title: 'The harbour', link: `${site}/1`, categories: ['politics'] }
  const push = async (...more: object[]) =>
    (
      await pushArticles(
        ctx,
        more.map((one) => ({ ...article, ...one })),
      )
    ).map(({ outcome }) => outcome)
  assert.deepEqual(await push({}, { id: 'p-2' }, { id: 'p-3', link: `${site}/1#3` }), ['created', 'created', 'created'])
  assert.deepEqual(await push({ id: 'p-4' }, { id: 'p-2' }), ['created', 'unchanged'])
  const feed = await newFeed()
  await poll(feed, { title: 'The lighthouse', guid: '9', link: `${site}/9`, date: hoursAgo(2) })
  assert.deepEqual(await push({ id: 'p-9', link: `${site}/9`, title: 'The tower' }), ['created'])
  assert.deepEqual(await push({ id: 'p-10', link: `${site}/9`, title: 'The lighthouse' }), ['updated'])
  await poll(feed, { title: 'The pier', guid: '11', link: `${site}/11`, date: hoursAgo(2) })
  const timed = { id: 'p-11', link: `${site}/11`, title: 'The old pier', publishedAt: hoursAgo(2) }
  assert.deepEqual(await push(timed), ['updated'])
  assert.equal((await poll(feed, { title: 'The pier', guid: '11', link: `${site}/11`, date: hoursAgo(2) })).taken, 0)
})

test('whatever a feed repeats, mixes up or leaves out, the same document twice brings nothing new', async () => {
  const item = fc.record({
    title: fc.constantFrom('Morning briefing', 'The harbour', 'Letters', '🐋'),
    guid: fc.constantFrom('', '1', '2', 'urn:3', 'urn:4', `${site}/`, `${site}/#1`, `${site}/?p=1`),
    link: fc
      .constantFrom('/', '/#1', '/live', '/live#1', '/live?ref=a', '/a', '/a/amp', '/b')
      .map((path) => site + path),
    date: fc.constantFrom(null, 1, 2, 30).map((hours) => hours && new Date(Date.UTC(2026, 2, 6, 6 - hours))),
  })
  const polls = fc.array(fc.record({ feed: fc.nat(1), items: fc.array(item, { minLength: 1, maxLength: 5 }) }), {
    minLength: 2,
    maxLength: 5,
  })
  await fc.assert(
    fc.asyncProperty(polls, async (all) => {
      await ctx.db.deleteFrom('articles').execute()
      const both = [await newFeed(), await newFeed()]
      for (const { feed, items } of all) {
        await poll(both[feed]!, ...items)
        const again = await poll(both[feed]!, ...items)
        assert.equal(again.taken, 0, JSON.stringify(again))
      }
    }),
    { numRuns: Number(process.env['IDENTITY_RUNS'] ?? 25), seed: seedOf('TEST_SEED') },
  )
})

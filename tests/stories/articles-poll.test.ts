import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { addCategory } from '../../src/articles/categories.ts'
import { safeFetch } from '../../src/articles/safe-fetch.ts'
import { setRules } from '../../src/articles/feed-rules.ts'
import { addFeed, changeFeed, type FeedReport, getFeed } from '../../src/articles/feeds.ts'
import { pollDueFeeds, pollFeed } from '../../src/articles/poll.ts'
import { pushArticles } from '../../src/articles/push.ts'
import { readConfig } from '../../src/base/config.ts'
import { createLog } from '../../src/base/log.ts'
import type { Database } from '../../src/db/connect.ts'
import type { Context } from '../../src/db/context.ts'
import { openMigrated } from '../support/embedded.ts'
import { type FeedServer, type Item, openFeedServer, rss } from '../support/feed-server.ts'

let database: Database
let server: FeedServer
let ctx: Context
let now = new Date('2026-03-06T07:00:00Z')
let politics = 0
let world = 0

const hoursAgo = (hours: number) => new Date(now.getTime() - hours * 3_600_000)
const pass = (minutes: number) => (now = new Date(now.getTime() + minutes * 60_000))

before(async () => {
  database = await openMigrated()
  server = await openFeedServer()
  ctx = {
    db: database.db,
    clock: { now: () => now },
    config: readConfig({ FEED_ALLOW_HOSTS: server.host }),
    log: createLog('silent'),
  }
  politics = (await addCategory(ctx, { name: 'Politics' })).id
  world = (await addCategory(ctx, { name: 'World News' })).id
})
after(async () => {
  await server.close()
  await database.close()
})
beforeEach(async () => {
  now = new Date('2026-03-06T07:00:00Z')
  server.requests.length = 0
  for (const table of ['articleCategories', 'articleKeys', 'articles', 'feedRules', 'feedCategories', 'feeds'] as const)
    await ctx.db.deleteFrom(table).execute()
})

function serve(items: readonly Item[]): void {
  server.answer = (_request, response) => response.end(rss(items))
}

async function addPolitics(path = '/politics.xml'): Promise<number> {
  return (await addFeed(ctx, { url: server.origin + path, categories: ['politics'] })).id
}

async function poll(id: number): Promise<FeedReport> {
  const polled = await pollFeed(ctx, id)
  assert.equal(polled?.outcome, 'polled', JSON.stringify(polled))
  return (polled as { report: FeedReport }).report
}

const articles = () => ctx.db.selectFrom('articles').selectAll().orderBy('id').execute()
const seqs = () => ctx.db.selectFrom('articleCategories').selectAll().orderBy('seq').execute()

test('a new feed brings the last 24 hours, in order, and never its history', async () => {
  serve([
    { title: 'Newest', link: 'https://lantern.example/3', guid: '3', date: hoursAgo(1) },
    { title: 'Newer', link: 'https://lantern.example/2', guid: '2', date: hoursAgo(20) },
    { title: 'History', link: 'https://lantern.example/1', guid: '1', date: hoursAgo(48) },
  ])
  const feed = await addPolitics()
  const report = await poll(feed)
  assert.deepEqual([report.taken, report.ignored], [2, 1])
  assert.match(report.reasons[0]!.why, /older/)
  const [newer, newest] = await seqs()
  const stored = await articles()
  assert.equal(stored.find((one) => one.id === newest!.articleId)?.title, 'Newest')
  assert.equal(stored.find((one) => one.id === newer!.articleId)?.title, 'Newer')
  pass(60)
  const again = await poll(feed)
  assert.deepEqual([again.taken, again.unchanged, again.ignored], [0, 2, 1])
})

test('an edit, a new guid, a guid on https, a new link and another feed never make a story new', async () => {
  const story = {
    title: 'Harbour reopens',
    link: 'https://lantern.example/harbour',
    guid: 'http://lantern.example/?p=7',
    date: hoursAgo(2),
  }
  serve([story])
  const feed = await addPolitics()
  await poll(feed)
  const [first] = await seqs()
  const variants: Item[] = [
    { ...story, title: 'Harbour reopens at last', description: 'With a band.', date: hoursAgo(0) },
    { ...story, guid: 'https://lantern.example/?p=7' },
    { ...story, guid: 'urn:other' },
    { ...story, link: 'https://lantern.example/harbour-at-last/' },
    { ...story, link: 'http://www.lantern.example/harbour/?utm_source=rss', guid: '' },
  ]
  for (const variant of variants) {
    serve([variant])
    const report = await poll(feed)
    assert.equal(report.taken, 0, JSON.stringify(variant))
  }
  assert.equal((await articles()).length, 1)
  assert.deepEqual(await seqs(), [first])
  // The same story in another feed: one article, sendable in the second category from now on.
  serve([story])
  const other = await addFeed(ctx, { url: `${server.origin}/world.xml`, categories: ['world-news'] })
  const report = await poll(other.id)
  assert.equal(report.taken, 0)
  assert.deepEqual(
    (await seqs()).map((row) => row.categoryId),
    [politics, world],
  )
})

test('a guid that all items share, or that is the home page, identifies nothing; different titles are two stories', async () => {
  serve([
    { title: 'One', link: 'https://lantern.example/1', guid: 'same', date: hoursAgo(1) },
    { title: 'Two', link: 'https://lantern.example/2', guid: 'same', date: hoursAgo(2) },
    { title: 'Three', link: 'https://lantern.example/', guid: 'https://lantern.example/', date: hoursAgo(3) },
    { title: 'Four', link: 'https://lantern.example/', guid: 'https://lantern.example/', date: hoursAgo(4) },
    { title: 'One', link: 'https://lantern.example/1', guid: 'same', date: hoursAgo(1) },
  ])
  const feed = await addPolitics()
  const report = await poll(feed)
  assert.deepEqual([report.taken, report.ignored], [4, 1])
  assert.equal((await poll(feed)).taken, 0)
})

test('a missing or impossible date is the time of first sight, one ahead is believed', async () => {
  serve([
    { title: 'No date', link: 'https://lantern.example/a' },
    { title: 'Impossible', link: 'https://lantern.example/b', date: 'Thu, 01 Jan 1970 00:00:00 GMT' },
    { title: 'Ahead', link: 'https://lantern.example/c', date: hoursAgo(-25) },
    { title: 'Soon', link: 'https://lantern.example/d', date: hoursAgo(-2) },
  ])
  await poll(await addPolitics())
  assert.deepEqual(
    (await articles()).map((article) => [
      article.title,
      article.dateSource,
      article.publishedAt.getTime() - now.getTime(),
    ]),
    [
      ['No date', 'first-seen', 0],
      ['Impossible', 'first-seen', 0],
      ['Ahead', 'feed', 25 * 3_600_000],
      ['Soon', 'feed', 2 * 3_600_000],
    ],
  )
})

test('items get the categories of their labels, the rules and the feed; retired categories get nothing', async () => {
  serve([
    { title: 'By label', link: 'https://lantern.example/1', labels: ['world news', 'Oceans'], date: hoursAgo(1) },
    { title: 'By rule', link: 'https://lantern.example/2', labels: ['Parliament'], date: hoursAgo(1) },
    { title: 'Sponsored: buy', link: 'https://lantern.example/3', labels: ['World News'], date: hoursAgo(1) },
    { title: 'Nowhere', link: 'https://lantern.example/4', labels: ['Sports'], date: hoursAgo(1) },
    { title: 'By beginning', link: 'https://lantern.example/5', labels: ['Ministries: all'], date: hoursAgo(1) },
  ])
  const feed = await addFeed(ctx, { url: `${server.origin}/all.xml`, categories: [] })
  await assert.rejects(
    setRules(ctx, feed.id, [{ field: 'title', scheme: 'urn:x', pattern: 'x', category: null }]),
    /Only a label has a domain/,
  )
  await setRules(ctx, feed.id, [
    { field: 'label', match: 'begins', pattern: 'ministries', category: 'politics' },
    { field: 'label', match: 'contains', scheme: 'urn:desks', pattern: 'sport', category: 'politics' },
    { field: 'label', pattern: 'parliament', category: 'politics' },
    { field: 'title', pattern: 'sponsored', category: null },
  ])
  const report = await poll(feed.id)
  assert.equal(report.taken, 3)
  assert.deepEqual(
    report.reasons.map((reason) => reason.why),
    ['a rule leaves it out', 'none of its categories is offered'],
  )
  assert.deepEqual(new Set((await seqs()).map((row) => row.categoryId)), new Set([politics, world]))
})

test('the site’s name, the feed’s title, the author, and the words for the picture and its shape are stored apart', async () => {
  server.answer = (_, response) =>
    response.end(`<rss><channel><title>Politics – The Lantern</title><link>https://lantern.example/</link>
      <item><title>One</title><link>https://lantern.example/1</link><author>a@l.example (Ann Lee)</author>
        <description><![CDATA[<img src="https://lantern.example/a.jpg" alt="A red boat" width="600" height="338"><p>Low.</p>]]></description></item>
      <item><title>Two</title><link>https://lantern.example/2</link><source url="https://w.example/f">The Wire</source></item>
      </channel></rss>`)
  const feed = await addPolitics()
  await poll(feed)
  const rows = await ctx.db
    .selectFrom('articles')
    .select(['title', 'source', 'author', 'imageAlt', 'imageRatio'])
    .orderBy('title')
    .execute()
  assert.deepEqual(rows, [
    { title: 'One', source: 'The Lantern', author: 'Ann Lee', imageAlt: 'A red boat', imageRatio: 1.775 },
    { title: 'Two', source: 'The Wire', author: null, imageAlt: null, imageRatio: null },
  ])
  assert.equal((await poll(feed)).changed, 0)
  assert.equal(
    (await ctx.db.selectFrom('feeds').select('title').executeTakeFirstOrThrow()).title,
    'Politics – The Lantern',
  )
})

test('a picture by http: is taken by https: where its host has it; each host is asked once in 30 days', async () => {
  const asked: string[] = []
  const fetch: typeof safeFetch = async (url, options) => {
    if (url.startsWith(server.origin)) return safeFetch(url, options)
    asked.push(url)
    const isThere = url.startsWith('https://pictures.example/')
    const headers = { 'content-type': isThere ? 'image/jpeg' : 'text/html' }
    return { outcome: 'fetched', status: 200, url, permanentUrl: null, headers, bytes: new Uint8Array() }
  }
  const hosts = ['pictures.example', 'pictures.example', 'plain.example', 'pictures.example:8080']
  server.answer = (_, response) =>
    response.end(
      `<rss><channel>${hosts.map(
        (host, n) => `<item><title>S${n}</title><link>https://lantern.example/${n}</link>
        <enclosure url="http://${host}/${n}.jpg" type="image/jpeg"/></item>`,
      )}</channel></rss>`,
    )
  const feed = await addPolitics()
  const images = async () => {
    await pollFeed(ctx, feed, { fetch })
    const rows = await ctx.db.selectFrom('articles').select('imageUrl').orderBy('link').execute()
    return rows.map(({ imageUrl }) => imageUrl)
  }
  const expected = [
    'https://pictures.example/0.jpg',
    'https://pictures.example/1.jpg',
    'http://plain.example/2.jpg',
    'http://pictures.example:8080/3.jpg',
  ]
  assert.deepEqual(await images(), expected)
  pass(29 * 24 * 60)
  assert.deepEqual(await images(), expected)
  const once = ['https://pictures.example/0.jpg', 'https://plain.example/2.jpg']
  assert.deepEqual(asked, once)
  pass(2 * 24 * 60)
  await images()
  assert.deepEqual(asked, [...once, ...once])
})

test('a date without a time zone is in the feed’s, else in the site’s', async () => {
  const day = now.toISOString().slice(0, 10)
  server.answer = (_, response) =>
    response.end(`<rss><channel><item><title>One</title><link>https://lantern.example/1</link>
      <pubDate>${day} 00:30</pubDate></item></channel></rss>`)
  const feed = await addFeed(ctx, { url: `${server.origin}/z.xml`, categories: ['politics'], timezone: 'Asia/Tokyo' })
  await ctx.db
    .updateTable('feeds')
    .set({ takeFrom: hoursAgo(72) })
    .where('id', '=', feed.id)
    .execute()
  await poll(feed.id)
  const { publishedAt } = await ctx.db.selectFrom('articles').select('publishedAt').executeTakeFirstOrThrow()
  assert.equal(publishedAt.toISOString(), new Date(`${day}T00:30:00+09:00`).toISOString())
  await assert.rejects(changeFeed(ctx, { id: feed.id, timezone: 'Mars/Base' }), /no time zone/)
  assert.equal((await changeFeed(ctx, { id: feed.id, timezone: null })).timezone, null)
})

test('validators are sent back, 304 keeps everything, and gzip is understood', async () => {
  server.answer = (request, response) => {
    if (request.headers['if-none-match'] === '"v1"') return response.writeHead(304).end()
    response.setHeader('etag', '"v1"').setHeader('content-encoding', 'gzip')
    return response.end(gzipSync(rss([{ title: 'One', link: 'https://lantern.example/1', date: hoursAgo(1) }])))
  }
  const feed = await addPolitics()
  assert.equal((await poll(feed)).taken, 1)
  assert.deepEqual(await pollFeed(ctx, feed), { outcome: 'not-modified' })
  assert.match(server.requests[1]!.headers['user-agent']!, /Broadsheet/)
})

test('a failing feed backs off, honours Retry-After, says why, and harms no other', async () => {
  const bad = await addPolitics('/bad.xml')
  const good = await addPolitics('/good.xml')
  server.answer = (request, response) =>
    request.url === '/bad.xml'
      ? response.writeHead(503, { 'retry-after': '7200' }).end()
      : response.end(rss([{ title: 'Good', link: 'https://lantern.example/g', date: hoursAgo(1) }]))
  assert.equal(await pollDueFeeds(ctx), 2)
  const failing = await getFeed(ctx.db, bad)
  assert.equal(failing.failures, 1)
  assert.match(failing.lastError!, /503/)
  assert.ok(failing.nextPollAt!.getTime() >= now.getTime() + 7_200_000)
  assert.equal((await getFeed(ctx.db, good)).failures, 0)
  assert.equal((await articles()).length, 1)
  assert.equal(await pollDueFeeds(ctx), 0)
})

test('a page instead of a feed is a failure that says so; 410 stops the polling until an editor resumes it', async () => {
  const feed = await addPolitics()
  server.answer = (_request, response) => response.end('<!doctype html><html><body>Login</body></html>')
  const failed = await pollFeed(ctx, feed)
  assert.match((failed as { reason: string }).reason, /HTML page/)
  server.answer = (_request, response) => response.writeHead(410).end()
  assert.deepEqual(await pollFeed(ctx, feed), { outcome: 'gone' })
  assert.equal((await getFeed(ctx.db, feed)).state, 'gone')
  pass(24 * 60)
  assert.equal(await pollDueFeeds(ctx), 0)
  await changeFeed(ctx, { id: feed, state: 'active' })
  serve([])
  assert.equal(await pollDueFeeds(ctx), 1)
})

test('a permanent redirect is remembered, a temporary one behind it is not', async () => {
  const feed = await addPolitics('/old.xml')
  server.answer = (request, response) => {
    if (request.url === '/old.xml') return response.writeHead(301, { location: '/new.xml' }).end()
    if (request.url === '/new.xml') return response.writeHead(302, { location: '/today.xml' }).end()
    return response.end(rss([]))
  }
  await poll(feed)
  assert.equal((await getFeed(ctx.db, feed)).url, `${server.origin}/new.xml`)
  await poll(feed)
  assert.equal((await getFeed(ctx.db, feed)).url, `${server.origin}/new.xml`)
})

const feedAt = (newUrl?: string) =>
  rss([{ title: 'Harbour reopens', link: 'https://lantern.example/1', guid: '1', date: hoursAgo(1) }], {
    extra: newUrl
      ? `<itunes:new-feed-url xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"> ${newUrl}\n</itunes:new-feed-url>`
      : '',
  })

/** What is answered at a path; another path is where it redirects to. */
function serveAt(paths: Record<string, string | { status: number; location: string }>): void {
  server.answer = (request, response) => {
    const answer = paths[request.url!]
    if (answer === undefined) response.writeHead(404).end()
    else if (typeof answer === 'string') response.writeHead(200, { etag: `"${request.url}"` }).end(answer)
    else response.writeHead(answer.status, { location: answer.location }).end()
  }
}

test('a feed that names its new address moves there, once there is a feed, and its stories stay one', async () => {
  const id = await addPolitics('/old.xml')
  const there = `${server.origin}/new.xml`
  serveAt({ '/old.xml': feedAt(there) })
  assert.equal((await poll(id)).taken, 1)
  let feed = await getFeed(ctx.db, id)
  assert.equal(feed.url, `${server.origin}/old.xml`)
  assert.match(feed.moveProblem!, /new\.xml, which can’t be read: it answered 404/)
  pass(60)
  serveAt({ '/old.xml': feedAt(there), '/new.xml': feedAt(there) })
  assert.equal((await poll(id)).taken, 0)
  feed = await getFeed(ctx.db, id)
  assert.deepEqual(
    [feed.url, feed.movedFrom, feed.moveProblem, feed.etag],
    [there, `${server.origin}/old.xml`, null, null],
  )
  const line = await ctx.db
    .selectFrom('auditLog')
    .selectAll()
    .where('action', '=', 'feed.moved')
    .where('subject', '=', `feed:${id}`)
    .executeTakeFirstOrThrow()
  assert.equal(line.actor, 'scheduler')
  pass(60)
  assert.equal((await poll(id)).taken, 0)
  assert.equal(server.requests.at(-1)!.path, '/new.xml')
})

test('feeds that name each other, or a place that is none, stay where they are and say so', async () => {
  const at = (path: string) => server.origin + path
  const id = await addPolitics('/a.xml')
  for (const [what, paths, problem] of [
    ['each other', { '/a.xml': feedAt(at('/b.xml')), '/b.xml': feedAt(at('/a.xml')) }, /leads back here/],
    [
      'a circle of three',
      { '/a.xml': feedAt(at('/b.xml')), '/b.xml': feedAt(at('/c.xml')), '/c.xml': feedAt(at('/b.xml')) },
      /leads back here/,
    ],
    [
      'a redirect back',
      { '/a.xml': feedAt(at('/b.xml')), '/b.xml': { status: 301, location: at('/a.xml') } },
      /leads back here/,
    ],
    ['a page', { '/a.xml': feedAt(at('/b.xml')), '/b.xml': '<html><body>Shop</body></html>' }, /HTML page/],
    ['a private address', { '/a.xml': feedAt('http://10.0.0.1/feed') }, /not a public address/],
    ['itself', { '/a.xml': feedAt(at('/a.xml')) }, null],
    ['nonsense', { '/a.xml': feedAt('javascript:alert(1)') }, null],
  ] as const) {
    serveAt(paths)
    await poll(id)
    const feed = await getFeed(ctx.db, id)
    assert.equal(feed.url, at('/a.xml'), what)
    if (problem) assert.match(feed.moveProblem!, problem, what)
    else assert.equal(feed.moveProblem, null, what)
    pass(60)
  }
})

test('a feed that moves to another of our feeds stays, and says which', async () => {
  const here = await addPolitics('/here.xml')
  const there = await addPolitics('/there.xml')
  for (const answer of [
    { status: 301, location: '/there.xml' },
    { status: 308, location: '/there.xml' },
    feedAt(`${server.origin}/there.xml`),
  ]) {
    serveAt({ '/here.xml': answer, '/there.xml': feedAt() })
    await poll(here)
    const feed = await getFeed(ctx.db, here)
    assert.equal(feed.url, `${server.origin}/here.xml`)
    assert.match(feed.moveProblem!, new RegExp(`there\\.xml, which is feed ${there} already`))
    pass(60)
  }
  await ctx.db.deleteFrom('feeds').where('id', '=', there).execute()
  await poll(here)
  const feed = await getFeed(ctx.db, here)
  assert.deepEqual([feed.url, feed.moveProblem], [`${server.origin}/there.xml`, null])
})

test('what Postgres refuses (NUL, half a surrogate pair, a cut emoji) does not stop a feed', async () => {
  const title = `${'x'.repeat(119)}😀 and on`
  server.answer = (_request, response) =>
    response.end(
      `{"version":"https://jsonfeed.org/version/1.1","title":"Odd","items":[
        {"id":"a\\ud83d","url":"https://lantern.example/odd","title":"half \\ud83d pair","tags":["\\u0000tag"]},
        {"id":"b","title":"${title}","content_text":"no link, so it is reported"}]}`,
    )
  const report = await poll(await addPolitics('/odd.json'))
  assert.deepEqual([report.taken, report.ignored], [1, 1])
  assert.equal((await articles())[0]!.title, 'half \ufffd pair')
})

test('a feed does not change what the publisher pushed, nor where it belongs', async () => {
  const pushed = { id: 'p-1', title: 'As pushed', link: 'https://lantern.example/p', categories: ['politics'] }
  await pushArticles(ctx, [pushed])
  const before = await seqs()
  const link = 'https://lantern.example/p?utm_source=rss'
  serve([{ title: 'As pushed', description: 'As fed', link, guid: '9', date: hoursAgo(1) }])
  const feed = await addFeed(ctx, { url: `${server.origin}/world.xml`, categories: ['world-news'] })
  const report = await poll(feed.id)
  assert.deepEqual([report.taken, report.changed, report.unchanged], [0, 0, 1])
  assert.equal((await pushArticles(ctx, [pushed]))[0]!.outcome, 'unchanged')
  assert.deepEqual(await seqs(), before)
  assert.deepEqual(
    (await articles()).map(({ title, excerpt }) => [title, excerpt]),
    [['As pushed', '']],
  )
})

test('prose and pages that only mention a feed are none', async () => {
  const feed = await addPolitics('/prose')
  for (const text of ['# About feeds\nThey begin with <rss> or <feed>.', '<!doctype html><html><p><rss></p></html>']) {
    server.answer = (_request, response) => response.end(text)
    assert.equal((await pollFeed(ctx, feed))?.outcome, 'failed', text)
  }
})

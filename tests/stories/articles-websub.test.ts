// A feed that offers a hub, from the first poll to the end of the lease, over real HTTP in both directions.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { addCategory } from '../../src/articles/categories.ts'
import { addFeed, changeFeed, getFeed, removeFeed } from '../../src/articles/feeds.ts'
import { pollDueFeeds, pollFeed } from '../../src/articles/poll.ts'
import { createServer as createApplication } from '../../src/web/server.ts'
import { type FeedServer, type Item, openFeedServer, rss } from '../support/feed-server.ts'
import { type House, openHouse } from '../support/house.ts'
import { openHub, type WebSubHub } from '../support/websub-hub.ts'

let house: House
let feeds: FeedServer
let hub: WebSubHub
let port = 0
let closeApplication = async () => {}

before(async () => {
  feeds = await openFeedServer()
  hub = await openHub({ subscriberPort: () => port })
  house = await openHouse('embedded', { env: { FEED_ALLOW_HOSTS: `${feeds.host} ${hub.host}` } })
  const server = createServer(createApplication(house.ctx)).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  port = (server.address() as AddressInfo).port
  closeApplication = () => new Promise((resolve) => server.close(() => resolve()))
  await addCategory(house.ctx, { name: 'Politics' })
})
after(async () => {
  await closeApplication()
  await house[Symbol.asyncDispose]()
  await hub.close()
  await feeds.close()
})
beforeEach(async () => {
  hub.asked.length = 0
  hub.answer = (_request, response) => response.writeHead(202).end()
  for (const table of ['articleCategories', 'articleKeys', 'articles', 'feedCategories', 'feeds'] as const)
    await house.db.deleteFrom(table).execute()
})

const item = (n: number): Item => ({
  title: `Story ${n}`,
  link: `https://lantern.example/${n}`,
  date: house.clock.now(),
})
const titles = async () =>
  (await house.db.selectFrom('articles').select('title').orderBy('id').execute()).map((row) => row.title)
const minutes = (count: number) => house.clock.advance(`${count}m`)

function serve(items: readonly Item[], how: 'header' | 'element' = 'header'): void {
  feeds.answer = (_request, response) => {
    if (how === 'header') {
      response.setHeader('Link', [`<${hub.url}>; rel="hub"`, `<${feeds.origin}/feed>; rel=self`])
      return response.end(rss(items))
    }
    response.end(rss(items, { extra: `<a:link xmlns:a="http://www.w3.org/2005/Atom" rel="hub" href="${hub.url}"/>` }))
  }
}

async function subscribed(items: readonly Item[]): Promise<{ id: number; asked: WebSubHub['asked'][number] }> {
  serve(items)
  const { id } = await addFeed(house.ctx, { url: `${feeds.origin}/feed`, categories: ['politics'] })
  await pollFeed(house.ctx, id)
  assert.equal(hub.asked.length, 1)
  const asked = hub.asked[0]!
  const { status, body, challenge } = await hub.verify(asked)
  assert.deepEqual([status, body], [200, challenge])
  return { id, asked }
}

test('a hub named by the Link header or the feed is asked once and verified; a signed push is stored at once, and polls find it known', async () => {
  for (const how of ['header', 'element'] as const) {
    serve([item(1)], how)
    const { id } = await addFeed(house.ctx, { url: `${feeds.origin}/feed`, categories: ['politics'] })
    await pollFeed(house.ctx, id)
    await pollFeed(house.ctx, id)
    assert.equal(hub.asked.length, 1, how)
    const asked = hub.asked[0]!
    assert.deepEqual([asked.mode, asked.topic], ['subscribe', `${feeds.origin}/feed`])
    assert.ok(asked.callback.startsWith(`http://news.example/websub/${id}/`))
    assert.ok(asked.secret.length >= 20 && asked.leaseSeconds > 86_400)
    const verified = await hub.verify(asked)
    assert.equal(verified.body, verified.challenge)

    assert.equal((await hub.push(asked, rss([item(2), item(1)]))).status, 202)
    assert.equal((await hub.push(asked, rss([item(2), item(1)]), { method: 'sha1' })).status, 202)
    assert.deepEqual(await titles(), ['Story 1', 'Story 2'])
    serve([item(3), item(2), item(1)], how)
    await pollFeed(house.ctx, id)
    assert.deepEqual(await titles(), ['Story 1', 'Story 2', 'Story 3'])
    await removeFeed(house.ctx, id)
    assert.equal((await hub.push(asked, rss([item(4)]))).status, 410)
    await house.db.deleteFrom('articles').execute()
    hub.asked.length = 0
  }
})

test('pushes that are wrongly signed, unsigned, cut off or for a paused feed change nothing, and learn nothing', async () => {
  const { id, asked } = await subscribed([item(1)])
  const before = await getFeed(house.db, id)
  const body = rss([item(2)])
  for (const signature of ['', 'sha256=00', 'md5=abc', `sha256=${'0'.repeat(64)}`, 'sha256'])
    assert.equal((await hub.push(asked, body, { signature })).status, 202, signature)
  await hub.push({ ...asked, secret: 'guess' }, body)
  await hub.push(asked, '<html></html>')
  await hub.push(asked, '')
  assert.deepEqual(await titles(), ['Story 1'])
  assert.deepEqual(await getFeed(house.db, id), before)
  await changeFeed(house.ctx, { id, state: 'paused' })
  assert.equal((await hub.push(asked, body)).status, 202)
  assert.deepEqual(await titles(), ['Story 1'])
})

test('what we did not ask for is not ours: other topics, modes, feeds and keys, and a lease that others would prolong', async () => {
  const { id, asked } = await subscribed([item(1)])
  const before = await getFeed(house.db, id)
  const other = (callback: string) => hub.verify({ ...asked, callback })
  assert.equal((await hub.verify({ ...asked, topic: `${feeds.origin}/other` })).status, 404)
  assert.equal((await hub.verify(asked, { mode: 'unsubscribe' })).status, 404)
  assert.equal((await other(asked.callback.replace(/[^/]+$/, 'guess'))).status, 404)
  assert.equal((await other(asked.callback.replace(`/${id}/`, `/${id + 1}/`))).status, 404)
  assert.equal((await hub.deny({ ...asked, callback: asked.callback.replace(/[^/]+$/, 'guess') }, 'no')).status, 404)
  assert.deepEqual(await getFeed(house.db, id), before)
})

test('the lease is renewed before it ends, also while the feed says 304, and not sooner than it needs', async () => {
  const { id, asked } = await subscribed([item(1)])
  feeds.answer = (_request, response) => response.writeHead(304).end()
  const start = house.clock.now().getTime()
  const end = start + asked.leaseSeconds * 1000
  while (house.clock.now().getTime() < end && hub.asked.length === 1) {
    minutes(30)
    await pollDueFeeds(house.ctx)
  }
  assert.equal(hub.asked.length, 2)
  assert.ok(house.clock.now().getTime() < end - 3_600_000)
  assert.ok(house.clock.now().getTime() > start + 5 * 86_400_000)
  const again = hub.asked[1]!
  assert.deepEqual([again.topic, again.secret, again.callback], [asked.topic, asked.secret, asked.callback])
  await hub.verify(again)
  assert.ok((await getFeed(house.db, id)).hubExpiresAt!.getTime() > end)
})

test('a hub that grants two hours is asked again within them, poll after poll', async () => {
  const { asked } = await subscribed([item(1)])
  await hub.verify(asked, { lease_seconds: '7200' })
  let lapsed = 0
  for (let minute = 0; minute < 24 * 60; minute += 5) {
    minutes(5)
    await pollDueFeeds(house.ctx)
    while (hub.asked.length > 1) {
      hub.asked.shift()
      await hub.verify(hub.asked[0]!, { lease_seconds: '7200' })
    }
    const feed = await house.db.selectFrom('feeds').select('hubExpiresAt').executeTakeFirstOrThrow()
    if (feed.hubExpiresAt! <= house.clock.now()) lapsed++
  }
  assert.equal(lapsed, 0)
})

test('a hub that denies, refuses or doesn’t answer changes nothing for polling, and is asked again after hours', async () => {
  const { id, asked } = await subscribed([item(1)])
  const poll = async (n: number) => {
    serve([item(n), item(1)])
    await pollFeed(house.ctx, id)
  }
  assert.equal((await hub.deny(asked, 'Too <b>many</b> readers')).status, 200)
  const denied = await getFeed(house.db, id)
  assert.deepEqual([denied.hubDenied, denied.hubExpiresAt], ['Too <b>many</b> readers', null])
  await poll(2)
  assert.equal(hub.asked.length, 1)
  assert.deepEqual(await titles(), ['Story 1', 'Story 2'])
  minutes(7 * 60)
  hub.answer = (_request, response) => response.writeHead(500).end()
  await poll(3)
  assert.equal(hub.asked.length, 2)
  assert.equal((await getFeed(house.db, id)).hubDenied, 'It answered 500.')
  minutes(7 * 60)
  hub.answer = (_request, response) => response.writeHead(307, { location: '/moved' }).end()
  await poll(4)
  assert.equal(hub.asked.length, 2 + 4)
  minutes(7 * 60)
  hub.answer = (request, response) =>
    request.url === '/hub' ? response.writeHead(308, { location: '/moved' }).end() : response.writeHead(202).end()
  await poll(5)
  assert.equal((await getFeed(house.db, id)).hubDenied, null)
  await hub.verify(hub.asked.at(-1)!)
  assert.ok((await getFeed(house.db, id)).hubExpiresAt)
  assert.deepEqual(await titles(), ['Story 1', 'Story 2', 'Story 3', 'Story 4', 'Story 5'])
})

test('a feed that offers its hub no more is polled as before, and the old hub’s pushes no longer count', async () => {
  const { id, asked } = await subscribed([item(1)])
  feeds.answer = (_request, response) => response.end(rss([item(1)]))
  await pollFeed(house.ctx, id)
  assert.equal((await getFeed(house.db, id)).hubUrl, null)
  await hub.push(asked, rss([item(2)]))
  assert.deepEqual(await titles(), ['Story 1'])
})

test('a hub inside the network is never asked', async () => {
  feeds.answer = (_request, response) => {
    response.setHeader('Link', `<${hub.url.replace('127.0.0.1', '127.0.0.2')}>; rel="hub"`)
    response.end(rss([item(1)]))
  }
  const { id } = await addFeed(house.ctx, { url: `${feeds.origin}/feed`, categories: ['politics'] })
  await pollFeed(house.ctx, id)
  assert.equal(hub.asked.length, 0)
  assert.match((await getFeed(house.db, id)).hubDenied ?? '', /Port|public/)
})

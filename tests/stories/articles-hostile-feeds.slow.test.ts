// What a document that was made to stop its parser costs: one poll of its own feed.

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { addCategory } from '../../src/articles/categories.ts'
import { addFeed, getFeed } from '../../src/articles/feeds.ts'
import { Parser } from '../../src/articles/parser.ts'
import { pollDueFeeds, pollFeed } from '../../src/articles/poll.ts'
import { receivePush } from '../../src/articles/websub.ts'
import type { Context } from '../../src/db/context.ts'
import { openFeedServer, rss } from '../support/feed-server.ts'
import { hostileDocuments } from '../support/hostile-documents.ts'
import { type House, story } from '../support/house.ts'

const large = Buffer.from(hostileDocuments['elements and attributes, all different']!())
const good = () => rss([{ title: 'Good', link: 'https://lantern.example/g' }])

interface Feeds {
  ctx: Context
  ids: number[]
  [Symbol.asyncDispose](): Promise<void>
}

async function openFeeds(house: House, paths: readonly string[]): Promise<Feeds> {
  const server = await openFeedServer()
  server.answer = (request, response) => response.end(request.url === '/good' ? good() : large)
  const { config } = house
  const ctx = { ...house.ctx, config: { ...config, feeds: { ...config.feeds, allowHosts: [server.host] } } }
  await addCategory(ctx, { name: 'Politics' })
  const ids: number[] = []
  for (const path of paths) ids.push((await addFeed(ctx, { url: server.origin + path, categories: ['politics'] })).id)
  return { ctx, ids, [Symbol.asyncDispose]: () => server.close() }
}

const articles = async (house: House) => (await house.db.selectFrom('articles').select('id').execute()).length

story('a feed that takes its parser down backs off and says why, and the feeds behind it are read', async (house) => {
  await using feeds = await openFeeds(house, ['/a', '/b', '/good'])
  const { ctx, ids } = feeds
  const parser = new Parser({ heapMb: 24 })
  assert.equal(await pollDueFeeds(ctx, { parser }), 3)
  assert.equal(parser.stopped.memory, 2)
  assert.equal(await articles(house), 1)
  const [bad] = await Promise.all(ids.map((id) => getFeed(house.db, id)))
  assert.equal(bad!.failures, 1)
  assert.match(bad!.lastError!, /more than 24 MB of memory/)
  assert.ok(bad!.nextPollAt!.getTime() > house.clock.now().getTime() + 200_000)
  assert.equal(await pollDueFeeds(ctx, { parser }), 0)
  // By hand it is tried at once, and fails a second time; with the memory it needs, it is read.
  assert.equal((await pollFeed(ctx, ids[0]!, { parser }))?.outcome, 'failed')
  assert.equal((await getFeed(house.db, ids[0]!)).failures, 2)
  assert.equal((await pollFeed(ctx, ids[0]!))?.outcome, 'polled')
  const { failures, lastError, readingSince } = await getFeed(house.db, ids[0]!)
  assert.deepEqual({ failures, lastError, readingSince }, { failures: 0, lastError: null, readingSince: null })
})

story('the attempt is written down before the document is parsed, and the program answers meanwhile', async (house) => {
  await using feeds = await openFeeds(house, ['/a', '/b', '/c', '/d'])
  const { ctx, ids } = feeds
  const over = new AbortController()
  const polls = Promise.all(ids.map((id) => pollFeed(ctx, id))).finally(() => over.abort())
  const seen = new Set<number>()
  while (!over.signal.aborted) {
    assert.equal((await house.web.get('/healthz')).status, 200)
    const reading = await house.db
      .selectFrom('feeds')
      .select(['id', 'failures', 'nextPollAt'])
      .where('readingSince', 'is not', null)
      .execute()
    for (const { id, failures, nextPollAt } of reading) {
      seen.add(id)
      assert.equal(failures, 1)
      assert.ok(nextPollAt!.getTime() > house.clock.now().getTime() + 200_000)
    }
  }
  assert.deepEqual(
    (await polls).map((poll) => poll?.outcome),
    ids.map(() => 'polled'),
  )
  assert.deepEqual(
    [...seen].sort((a, b) => a - b),
    ids,
  )
  for (const id of ids) assert.equal((await getFeed(house.db, id)).failures, 0)
})

story(
  'pushes of a hub count like polls: one that takes the parser down keeps the next out until the feed is due',
  async (house) => {
    await using feeds = await openFeeds(house, ['/good'])
    const { ctx, ids } = feeds
    const id = ids[0]!
    const before = new Date(house.clock.now().getTime() + 900_000)
    await house.db.updateTable('feeds').set({ hubSecret: 'secret', nextPollAt: before }).where('id', '=', id).execute()
    const parser = new Parser({ heapMb: 24 })
    const push = (body: Buffer) => {
      const signature = `sha256=${createHmac('sha256', 'secret').update(body).digest('hex')}`
      return receivePush(ctx, id, body, { signature, contentType: undefined }, parser)
    }
    assert.equal(await push(Buffer.from(good())), 'ingested')
    assert.deepEqual((await getFeed(house.db, id)).nextPollAt, before)
    assert.equal(await push(Buffer.from('<html></html>')), 'ignored')
    assert.equal((await getFeed(house.db, id)).failures, 0)

    assert.equal(await push(Buffer.from(large)), 'ignored')
    assert.equal((await getFeed(house.db, id)).failures, 1)
    house.clock.advance('1m')
    const next = rss([{ title: 'Next', link: 'https://lantern.example/n' }])
    assert.equal(await push(Buffer.from(large)), 'ignored')
    assert.equal(await push(Buffer.from(next)), 'ignored')
    assert.equal(parser.stopped.memory, 1)
    assert.equal(await articles(house), 1)

    house.clock.advance('20m')
    assert.equal(await push(Buffer.from(next)), 'ingested')
    assert.equal(await articles(house), 2)
    assert.equal((await getFeed(house.db, id)).failures, 0)
  },
)

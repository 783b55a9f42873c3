// A feed server that misbehaves in every way there is, polled 200 times by the clock: no story missed, none repeated. Each story
// has a number in its title that survives every edit, so that what was stored can be counted against what was published.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import iconv from 'iconv-lite'
import { addCategory } from '../../src/articles/categories.ts'
import { addFeed } from '../../src/articles/feeds.ts'
import { pollFeed } from '../../src/articles/poll.ts'
import { readConfig } from '../../src/base/config.ts'
import { createLog } from '../../src/base/log.ts'
import type { Database } from '../../src/db/connect.ts'
import type { Context } from '../../src/db/context.ts'
import { freshDatabase } from '../support/database.ts'
import { type FeedServer, type Item, openFeedServer, rss } from '../support/feed-server.ts'

let database: Database
let server: FeedServer
let ctx: Context
let now = Date.parse('2026-03-06T07:00:00Z')

before(async () => {
  database = (await freshDatabase('embedded')).database
  server = await openFeedServer()
  ctx = {
    db: database.db,
    clock: { now: () => new Date(now) },
    config: readConfig({ FEED_ALLOW_HOSTS: server.host }),
    log: createLog('silent'),
  }
})
after(() => server.close())

interface Published {
  number: number
  at: number
  edits: number
}

/** The same sequence in every run. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296
    return state / 4_294_967_296
  }
}

/** As a careless program writes it today: guids that move, links that are decorated, titles and dates that are edited. */
function itemOf(story: Published, random: () => number): Item {
  const { number, at, edits } = story
  const isGuidOdd = edits > 0 && random() < 0.3
  const link = `${random() < 0.5 ? 'https' : 'http'}://${random() < 0.5 ? 'www.' : ''}lantern.example/story-${number}${random() < 0.3 ? '/?utm_source=rss' : ''}`
  return {
    title: `Story ${number}${edits ? `, edited ${edits} times` : ''}`,
    link: edits > 0 && !isGuidOdd && random() < 0.2 ? `https://lantern.example/moved/${number}-${edits}` : link,
    guid: isGuidOdd
      ? `other-${number}-${edits}`
      : `${random() < 0.5 ? 'http' : 'https'}://lantern.example/?p=${number}`,
    // Under another guid only the same link and time, or title, say that it is the same story.
    date: isGuidOdd ? new Date(at) : random() < 0.05 ? null : new Date(at + (edits && random() < 0.3 ? 3_600_000 : 0)),
    description: `Text of story ${number}, version ${edits}.`,
  }
}

test('200 polls of a feed server that misbehaves in every way miss nothing and repeat nothing', async () => {
  const random = generator(20_260_306)
  await addCategory(ctx, { name: 'Politics' })
  await addCategory(ctx, { name: 'World News' })
  const feeds = [
    (await addFeed(ctx, { url: `${server.origin}/politics.xml`, categories: ['politics'] })).id,
    (await addFeed(ctx, { url: `${server.origin}/world.xml`, categories: ['world-news'] })).id,
  ]
  const published: Published[] = []
  let fault = 0
  let version = 0
  server.answer = (request, response) => {
    const shown = published.slice(-15).reverse()
    const items = shown.map((story) => itemOf(story, random))
    if (random() < 0.2 && items[0]) items.push(items[0])
    if (random() < 0.2) items.sort(() => random() - 0.5)
    const body = rss(items)
    switch (fault) {
      case 1:
        return response.writeHead(500).end('oops')
      case 2:
        return response.writeHead(503, { 'retry-after': '60' }).end()
      case 3:
        return response
          .writeHead(200, { 'content-type': 'text/html' })
          .end('<!doctype html><html><body>Sign in</body></html>')
      case 4:
        return request.socket.destroy()
      case 5:
        return response.writeHead(302, { location: request.url }).end()
      case 6:
        return response.end('')
      case 7:
        return response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(body).subarray(0, 60))
      case 8:
        return response.end(body.slice(0, Math.floor(body.length * 0.4)))
      case 9:
        return response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(body))
      case 10:
        return response.end(iconv.encode(body.replace('UTF-8', 'windows-1251'), 'windows-1251'))
      case 11:
        return response.writeHead(429, { 'retry-after': 'soon' }).end()
      default: {
        const etag = `"v${version}"`
        if (request.headers['if-none-match'] === etag && random() < 0.8) return response.writeHead(304).end()
        return response.writeHead(200, { etag }).end(body)
      }
    }
  }
  let number = 0
  let isFaulty = false
  for (let poll = 0; poll < 200; poll++) {
    now += 15 * 60_000
    // No fault lasts so long that a story falls out of the feed before it was ever served whole.
    isFaulty = !isFaulty && random() < 0.6
    fault = isFaulty ? 1 + Math.floor(random() * 11) : 0
    for (let fresh = Math.floor(random() * 3); fresh > 0; fresh--)
      published.push({ number: ++number, at: now - fresh * 1000, edits: 0 })
    // What was never seen under any of its names can't be known again: edits begin an hour after publication.
    for (const story of published.slice(-15)) if (story.at < now - 3_600_000 && random() < 0.1) story.edits++
    version++
    await pollFeed(ctx, feeds[poll % 2]!)
    await pollFeed(ctx, feeds[(poll + 1) % 2]!)
  }
  fault = 0
  version++
  for (const feed of feeds) await pollFeed(ctx, feed)

  const rows = await ctx.db.selectFrom('articles').select(['id', 'title']).execute()
  const numbers = rows.map((row) => Number(/^Story (\d+)/.exec(row.title)?.[1]))
  const missed = published.filter((story) => !numbers.includes(story.number)).length
  const repeated = numbers.length - new Set(numbers).size
  assert.ok(published.length > 150, `${published.length} published`)
  assert.deepEqual({ missed, repeated }, { missed: 0, repeated: 0 })
  const pairs = await ctx.db.selectFrom('articleCategories').selectAll().execute()
  assert.equal(pairs.length, published.length * 2, 'each story once in each of its two categories')
})

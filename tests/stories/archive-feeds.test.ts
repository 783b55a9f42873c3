// The feeds of the archive: valid, complete, announced, and asked for cheaply.

import assert from 'node:assert/strict'
import { parseFeed } from '../../src/articles/feed-formats.ts'
import { type House, story } from '../support/house.ts'
import { addStory } from '../support/newsroom.ts'
import { addCategories } from '../support/readers.ts'

async function fill(house: House): Promise<number> {
  await addCategories(house)
  const id = await addStory(house.ctx, 'Ferry & <tide> ]]> “back”\u0007', [1, 3])
  await house.db
    .updateTable('articles')
    .set({
      link: 'https://site.example/ferry?a=1&b=2',
      excerpt: 'The ferry is back & 3 < 4. \ud800 \uffff Done.',
      imageUrl: 'https://pictures.example/ferry.webp?w=1&h=2',
      imageAlt: 'A ferry & a "pier"',
      author: 'Ada Moss',
      source: 'Lantern Wire',
    })
    .where('id', '=', id)
    .execute()
  await addStory(house.ctx, 'Of the world', [2])
  const held = await addStory(house.ctx, 'A held one', [1])
  await house.db.updateTable('articles').set({ heldAt: house.clock.now() }).where('id', '=', held).execute()
  return id
}

const files = ['feed.xml', 'feed.json'] as const

story(
  'a feed reader finds every public story, its picture and its byline, of all categories or of one',
  async (house) => {
    const id = await fill(house)
    for (const file of files)
      for (const [folder, titles] of [
        ['/archive', ['Of the world', 'Ferry & <tide> ]]> “back”']],
        ['/archive/business', ['Ferry & <tide> ]]> “back”']],
        ['/archive/world-news', ['Of the world']],
      ] as const) {
        const answer = await house.web
          .get(`${folder}/${file}`)
          .buffer(true)
          .parse((response, done) => {
            const chunks: Buffer[] = []
            response.on('data', (chunk: Buffer) => chunks.push(chunk))
            response.on('end', () => done(null, Buffer.concat(chunks)))
          })
          .expect(200)
        assert.match(
          String(answer.headers['content-type']),
          file === 'feed.xml' ? /^application\/rss\+xml/ : /^application\/feed\+json/,
        )
        const reading = parseFeed(answer.body as Buffer)
        assert.equal(reading.outcome, 'feed')
        if (reading.outcome !== 'feed') return
        const { feed } = reading
        assert.deepEqual(
          feed.entries.map(({ title }) => title),
          titles,
        )
        assert.equal(feed.selfUrl, `http://news.example${folder}/${file}`)
        const ferry = feed.entries.find(({ guid }) => guid === `story-${id}@news.example`)
        if (folder === '/archive/world-news') continue
        assert.partialDeepStrictEqual(ferry, {
          link: 'https://site.example/ferry?a=1&b=2',
          author: 'Ada Moss, Lantern Wire',
          image: 'https://pictures.example/ferry.webp?w=1&h=2',
          categories: ['Politics', 'Business'],
          publishedAt: house.clock.now(),
        })
        assert.match(ferry!.excerpt, /^The ferry is back & 3 < 4\./)
      }
  },
)

story('a repeated request gets 304 until something has changed, such as a withdrawal', async (house) => {
  const id = await fill(house)
  for (const file of files) {
    const path = `/archive/politics/${file}`
    const first = await house.web.get(path).expect(200)
    const tags = { 'If-None-Match': String(first.headers['etag']) }
    const dates = { 'If-Modified-Since': String(first.headers['last-modified']) }
    house.clock.advance('1m')
    for (const known of [tags, dates, { ...tags, ...dates }]) await house.web.get(path).set(known).expect(304)
    await house.db.updateTable('articles').set({ withdrawnAt: house.clock.now() }).where('id', '=', id).execute()
    for (const known of [tags, dates]) await house.web.get(path).set(known).expect(200)
    await house.db.updateTable('articles').set({ withdrawnAt: null }).where('id', '=', id).execute()
    await house.web.get(path).set(tags).expect(304)
  }
})

story('pages announce the feeds that fit them, and say what they are for', async (house) => {
  await fill(house)
  const announced = async (path: string) => {
    const { text } = await house.web.get(path).expect(200)
    assert.match(text, /without giving an address/)
    return [
      ...text.matchAll(/<link\s+rel="alternate"\s+type="application\/(?:rss\+xml|feed\+json)"[^>]*href="([^"]+)"/g),
    ].map((match) => match[1]!.replace('http://news.example', ''))
  }
  const all = ['/archive/feed.xml', '/archive/feed.json']
  assert.deepEqual(await announced('/'), all)
  assert.deepEqual(await announced('/archive'), all)
  assert.deepEqual(await announced('/archive/politics'), [
    '/archive/politics/feed.xml',
    '/archive/politics/feed.json',
    ...all,
  ])
})

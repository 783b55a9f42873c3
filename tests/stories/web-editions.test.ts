// What an edition is on the web: pictures, bylines, neighbours, sharing, what search engines and networks read, and the archive of each
// category.

import assert from 'node:assert/strict'
import { triggerDigest } from '../../src/planning/trigger.ts'
import { type House, story } from '../support/house.ts'
import { addReader, addStory, tick } from '../support/newsroom.ts'
import { sendWaitingMail } from '../support/post.ts'
import { addCategories } from '../support/readers.ts'

async function sendEdition(house: House): Promise<number> {
  const { id } = await triggerDigest(house.ctx, { actor: 'cli' })
  await tick(house.ctx)
  await sendWaitingMail(house)
  return id
}

const change = (house: House, id: number, values: object) =>
  house.db.updateTable('articles').set(values).where('id', '=', id).execute()

const attributesOf = (page: string, pattern: RegExp): string[] => [...page.matchAll(pattern)].map((match) => match[1]!)

story(
  'an edition on the web has pictures, bylines, share links, what networks read of it, and its neighbours',
  async (house) => {
    await addCategories(house)
    await addReader(house.ctx, { email: 'ada@mail.example', choice: { 1: 'daily', 2: 'daily' } })
    const ids: number[] = []
    for (const title of ['Ferry & <tide>', 'The lighthouse', 'The council']) {
      const article = await addStory(house.ctx, title, title === 'Ferry & <tide>' ? [1, 2] : [1])
      await change(house, article, {
        imageUrl: `https://pictures.example/${article}.jpg?w=1&h=2`,
        imageAlt: `What "${article}" shows`,
        author: 'Ada Moss',
        source: article % 2 ? 'The Whale Gazette' : 'Lantern Wire',
      })
      ids.push(await sendEdition(house))
    }
    const { text } = await house.web.get(`/archive/${ids[1]}`).expect(200)
    assert.equal(text.match(/<h3[^>]*><a [^>]*>Ferry &amp; &lt;tide&gt;<\/a>/g)?.length, 1, 'a story stands once')
    assert.match(
      text,
      /<img\s+src="https:\/\/pictures\.example\/1\.jpg\?w=1&amp;h=2"\s+alt="What &#34;1&#34; shows"\s+width="\d+"\s+height="\d+"\s+loading="lazy"/,
    )
    assert.match(text, /By Ada Moss/)
    assert.match(text, /Lantern Wire · By Ada Moss/)
    assert.doesNotMatch(text, /The Whale Gazette · By/)
    assert.match(text, new RegExp(`href="/archive/${ids[0]}" rel="prev"`))
    assert.match(text, new RegExp(`href="/archive/${ids[2]}" rel="next"`))
    assert.match(text, /<link rel="canonical" href="http:\/\/news\.example\/archive\/\d+" \/>/)
    assert.match(text, /<meta name="description" content="[^"]*The lighthouse/)
    assert.match(text, /<meta property="og:image" content="https:\/\/pictures\.example\/\d\.jpg\?w=1&amp;h=2" \/>/)
    assert.match(text, /<meta property="article:published_time" content="2026-03-02T/)
    assert.match(text, /<meta name="twitter:card" content="summary_large_image" \/>/)
    const shared = attributesOf(text, /<a href="([^"]+)" rel="nofollow">/g)
    for (const begin of ['mailto:?subject=', 'https://www.facebook.com/', 'https://x.com/', 'https://wa.me/'])
      assert.ok(
        shared.some((url) => url.startsWith(begin)),
        begin,
      )
    const page = encodeURIComponent(`http://news.example/archive/${ids[1]}`)
    assert.ok(shared.some((url) => url.includes(page)))
    // The council is newer than this edition.
    assert.match(text.slice(text.indexOf('You may also like')), /The council/)
    assert.doesNotMatch(text, /mail\.example|<script/)

    await house.web.get(`/archive/${ids[0]}`).expect(({ text: first }) => assert.doesNotMatch(first, /rel="prev"/))
    await house.web.get(`/archive/${ids[2]}`).expect(({ text: last }) => assert.doesNotMatch(last, /rel="next"/))
  },
)

story(
  'a picture that pages couldn’t load is left out, and share links are those that the site chose',
  async (house) => {
    await addCategories(house)
    await addReader(house.ctx, { email: 'ada@mail.example', choice: { 1: 'daily' } })
    await change(house, await addStory(house.ctx, 'The ferry', [1]), { imageUrl: 'http://plain.example/1.jpg' })
    const { text } = await house.web.get(`/archive/${await sendEdition(house)}`).expect(200)
    assert.doesNotMatch(text, /plain\.example/)
    assert.match(text, /og:image" content="http:\/\/news\.example\/assets\/icon-512\.png"/)
    await house.web.get('/assets/icon-512.png').expect(200)
    assert.deepEqual(
      attributesOf(text, /<a href="(https?:[^"]+)" rel="nofollow">/g).map((url) => new URL(url).host),
      ['bsky.app', 'bsky.app'],
    )
  },
  { env: { SHARE_LINKS: 'bluesky' } },
)

story('the archive has pages, newest first, and each leads to the ones before and after it', async (house) => {
  await house.db
    .insertInto('editions')
    .values(
      Array.from({ length: 120 }, (_, index) => ({
        kind: 'scheduled' as const,
        slotAt: new Date(Date.UTC(2026, 0, 1, index)),
        state: 'closed' as const,
        account: JSON.stringify({
          audience: 1,
          sent: index === 7 ? 0 : 1,
          failed: 0,
          uncertain: 0,
          open: 0,
          skipped: {},
        }),
        createdAt: house.clock.now(),
      })),
    )
    .execute()
  const read = async (path: string) => {
    const { text } = await house.web.get(path).expect(200)
    const [newer] = attributesOf(text, /href="(\/archive\?after=\d+)"/g)
    const [older] = attributesOf(text, /href="(\/archive\?before=\d+)"/g)
    return { ids: attributesOf(text, /href="\/archive\/(\d+)"/g).map(Number), newer, older, text }
  }
  const pages = [await read('/archive')]
  while (pages.at(-1)!.older) pages.push(await read(pages.at(-1)!.older!))
  assert.equal(pages[0]!.newer, undefined)
  const all = pages.flatMap(({ ids }) => ids)
  assert.equal(all.length, 119)
  assert.deepEqual(
    all,
    all.toSorted((a, b) => b - a),
  )
  assert.match(
    pages[1]!.text,
    new RegExp(`<link rel="canonical" href="http://news.example${pages[0]!.older!.replace('?', '\\?')}"`),
  )
  const back = [pages.at(-1)!]
  while (back.at(-1)!.newer) back.push(await read(back.at(-1)!.newer!))
  assert.deepEqual(
    back.toReversed().map(({ ids }) => ids),
    pages.map(({ ids }) => ids),
  )
  for (const odd of ['?before=x', '?before=1', '?after=99999999', '?before[]=1'])
    await house.web.get(`/archive${odd}`).expect(200)
  const map = await house.web.get('/sitemap.xml').expect(200)
  assert.equal(map.text.match(/<loc>http:\/\/news\.example\/archive\/\d+<\/loc><lastmod>2026-01/g)?.length, 119)
})

story('a category has its own archive, with the stories that readers can see and no others', async (house) => {
  await addCategories(house)
  const now = house.clock.now()
  for (let number = 1; number <= 40; number++) await addStory(house.ctx, `Story number ${number}.`, [1])
  await addStory(house.ctx, 'Of business', [3])
  const hidden = {
    'A held one': { heldAt: now },
    'A withdrawn one': { withdrawnAt: now },
    'A waiting one': { sendableAt: null },
  }
  for (const [title, values] of Object.entries(hidden))
    await change(house, await addStory(house.ctx, title, [1]), values)
  const first = await house.web.get('/archive/politics').expect(200)
  assert.match(first.text, /Story number 40\./)
  assert.deepEqual(
    attributesOf(first.text, /<h([1-6])/g).slice(0, 3),
    ['1', '2', '3'],
    'no level of headings is left out',
  )
  assert.doesNotMatch(first.text, /Of business|A held one|A withdrawn one|A waiting one|Story number 1\./)
  const [older] = attributesOf(first.text, /href="(\/archive\/politics\?before=\d+)"/g)
  const second = await house.web.get(older!).expect(200)
  assert.match(second.text, /Story number 1\./)
  const [newer] = attributesOf(second.text, /href="(\/archive\/politics\?after=\d+)"/g)
  assert.match((await house.web.get(newer!).expect(200)).text, /Story number 40\./)
  const archive = await house.web.get('/archive').expect(200)
  assert.match(archive.text, /href="\/archive\/politics">Politics<\/a>\s*<span class="count"[^>]*>40<\/span>/)
  await house.db.updateTable('categories').set({ retiredAt: now }).where('slug', '=', 'business').execute()
  for (const path of ['business', 'business/feed.xml', 'weather', 'weather/feed.json', 'feed', 'politics/'])
    await house.web.get(`/archive/${path}`).expect(404)
})

story(
  'robots, sitemap and icon are there, below the path of PUBLIC_URL too',
  async (house) => {
    await addCategories(house)
    for (const prefix of ['', '/letters']) {
      const robots = await house.web
        .get(`${prefix}/robots.txt`)
        .expect(200)
        .expect('content-type', /text\/plain/)
      assert.match(robots.text, /^User-agent: \*\n/)
      assert.match(robots.text, /^Disallow: \/letters\/admin$/m)
      assert.match(robots.text, /^Sitemap: https:\/\/paper\.example\/letters\/sitemap\.xml$/m)
      assert.doesNotMatch(robots.text, /^Disallow: \/letters\/?(archive.*)?$/m)
    }
    const map = await house.web.get('/sitemap.xml').expect(200).expect('content-type', /xml/)
    const pages = attributesOf(map.text, /<loc>([^<]+)<\/loc>/g)
    assert.ok(pages.includes('https://paper.example/letters/archive/world-news'))
    for (const page of pages) await house.web.get(new URL(page).pathname).expect(200)
    const icon = await house.web.get('/favicon.ico').expect(200)
    assert.deepEqual([...(icon.body as Buffer).subarray(0, 4)], [0, 0, 1, 0])
    const { text } = await house.web.get('/letters/archive/politics').expect(200)
    assert.match(text, /<link rel="canonical" href="https:\/\/paper\.example\/letters\/archive\/politics" \/>/)
  },
  { env: { PUBLIC_URL: 'https://paper.example/letters' } },
)

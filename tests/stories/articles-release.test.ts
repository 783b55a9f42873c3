// Stories dated ahead: until their date they are on no page, in no count and in no mail, and then they are news like any other.

import assert from 'node:assert/strict'
import { addCategory } from '../../src/articles/categories.ts'
import { controlArticle } from '../../src/articles/control.ts'
import { parseFeed } from '../../src/articles/feed-formats.ts'
import { storeFeed } from '../../src/articles/feed-store.ts'
import { setRules } from '../../src/articles/feed-rules.ts'
import { addFeed, changeFeed, type FeedReport, getFeed } from '../../src/articles/feeds.ts'
import { pushArticles } from '../../src/articles/push.ts'
import { releaseDue } from '../../src/articles/release.ts'
import { countsByCategory, latestArticles } from '../../src/articles/store.ts'
import { SeenHorizon } from '../../src/delivery/seen-horizon.ts'
import { closeFinished } from '../../src/editions/close.ts'
import { dryRun } from '../../src/commands/digests/dry-run.ts'
import { previewDigest } from '../../src/digests/preview.ts'
import { runTick } from '../../src/planning/tick.ts'
import { triggerDigest } from '../../src/planning/trigger.ts'
import { type Item, rss } from '../support/feed-server.ts'
import { type House, story } from '../support/house.ts'
import { openApi, openConsole } from '../support/keys.ts'
import { addReader, tick } from '../support/newsroom.ts'
import { postAll } from '../support/post.ts'

const site = 'https://lantern.example'
const hour = 3_600_000
const ahead = (house: House, hours: number) => new Date(house.clock.now().getTime() + hours * hour)

async function open(house: House): Promise<void> {
  await addCategory(house.ctx, { name: 'Politics' })
  await addCategory(house.ctx, { name: 'World News' })
}

async function push(house: House, id: string, hours: number, more: { categories?: string[]; title?: string } = {}) {
  const article = { id, title: id, link: `${site}/${id}`, categories: ['politics'], ...more }
  const [pushed] = await pushArticles(house.ctx, [{ ...article, publishedAt: ahead(house, hours) }])
  return pushed!
}

async function poll(house: House, feedId: number, ...items: Item[]): Promise<FeedReport> {
  const reading = parseFeed(Buffer.from(rss(items, { site: `${site}/` })))
  assert.equal(reading.outcome, 'feed')
  const feed = await house.db.selectFrom('feeds').selectAll().where('id', '=', feedId).executeTakeFirstOrThrow()
  const { feed: parsed } = reading as Extract<typeof reading, { outcome: 'feed' }>
  return storeFeed(house.ctx, feed, parsed, house.clock.now(), { etag: '"1"' })
}

/** Titles on the front page, and whether pages, counts and seqs agree about them. */
async function shown(house: House): Promise<string[]> {
  const { db } = house
  const titles = (await latestArticles(db, { limit: 50 })).map(({ title }) => title).sort()
  const politics = (await latestArticles(db, { categoryId: 1, limit: 50 })).map(({ title }) => title)
  const world = (await latestArticles(db, { categoryId: 2, limit: 50 })).map(({ title }) => title)
  assert.deepEqual([...new Set([...politics, ...world])].sort(), titles)
  const counts = await countsByCategory(db)
  assert.deepEqual([counts.get(1), counts.get(2)], [politics.length, world.length])
  const numbered = await db.selectFrom('articleCategories').select('seq').where('seq', 'is not', null).execute()
  assert.equal(numbered.length, politics.length + world.length)
  return titles
}

story(
  'a story dated 40 minutes, 23 hours or nine days ahead is nowhere before its date, and then new',
  async (house) => {
    await open(house)
    await addReader(house.ctx, { choice: { 1: 'daily' } })
    const mailed = async () => {
      await triggerDigest(house.ctx, { actor: 'cli' })
      await tick(house.ctx)
      const [mail] = await postAll(house)
      return mail?.articleIds ?? []
    }
    const hours = { soon: 0.1, minutes: 2 / 3, tomorrow: 23, later: 24 * 9 }
    const ids = new Map<string, number>()
    for (const [id, far] of Object.entries(hours)) ids.set(id, (await push(house, id, far)).articleId)
    await tick(house.ctx)
    assert.deepEqual(await shown(house), ['soon'])
    assert.deepEqual(await mailed(), [ids.get('soon')])
    for (const [id, minutes] of [
      ['minutes', 40],
      ['tomorrow', 23 * 60 - 40],
      ['later', 24 * 8 * 60 + 60],
    ] as const) {
      house.clock.advance(`${minutes - 1}m`)
      await tick(house.ctx)
      assert.ok(!(await shown(house)).includes(id))
      house.clock.advance('1m')
      assert.deepEqual(await mailed(), [ids.get(id)])
      assert.ok((await shown(house)).includes(id))
    }
  },
)

story('a story dated at the slot is in the edition of the slot, also by a dry run and a preview', async (house) => {
  const { ctx, clock } = house
  await open(house)
  await addReader(ctx, { choice: { 1: 'daily' } })
  const { articleId } = await push(house, 'at seven', 1, { categories: ['politics', 'world-news'] })
  await push(house, 'past seven', 1.2)
  clock.set('2026-03-02T06:59:59Z')
  assert.equal(await previewDigest(ctx), null)
  clock.set('2026-03-02T07:00:00Z')
  assert.deepEqual((await previewDigest(ctx))!.articleIds, [articleId])
  const lines: string[] = []
  const out = { print: (line: string) => void lines.push(line), error() {}, progress() {} }
  await dryRun(ctx, { only: undefined, manual: false, categories: undefined, json: true }, out as never)
  assert.deepEqual(JSON.parse(lines[0]!).stories, [articleId])
  assert.deepEqual(await shown(house), [], 'neither releases anything')
  await tick(ctx)
  assert.deepEqual((await postAll(house))[0]!.articleIds, [articleId])
  assert.deepEqual(await shown(house), ['at seven'])
})

story('a run ahead of the clock counts as now, and what it released waits again when it is over', async (house) => {
  const { ctx } = house
  await open(house)
  await addReader(ctx, { choice: { 1: 'daily' } })
  const { articleId } = await push(house, 'tomorrow', 24)
  const tomorrow = { ...ctx, clock: { now: () => ahead(house, 25) } }
  await runTick(tomorrow, { isAsOf: true })
  await tick(ctx)
  assert.deepEqual((await postAll({ ...house, ctx: tomorrow, clock: tomorrow.clock }))[0]!.articleIds, [articleId])
  await closeFinished(tomorrow)
  await tick(ctx)
  assert.deepEqual(await shown(house), [])
  house.clock.advance('24h')
  await triggerDigest(ctx, { actor: 'cli' })
  await tick(ctx)
  assert.deepEqual(await shown(house), ['tomorrow'])
  assert.ok(
    (await postAll(house)).every(({ articleIds }) => articleIds === null),
    'once more',
  )
})

story('hold, release, withdraw, restore, a new poll, a new push and new rules release nothing', async (house) => {
  const { ctx, db } = house
  await open(house)
  const feed = await addFeed(ctx, { url: `${site}/feed`, categories: ['politics'] })
  const item: Item = { title: 'Embargoed', guid: '1', link: `${site}/1`, date: ahead(house, 3) }
  assert.equal((await poll(house, feed.id, item)).taken, 1)
  const { id } = await db.selectFrom('articles').select('id').executeTakeFirstOrThrow()
  for (const action of ['hold', 'release', 'withdraw', 'restore', 'pin'] as const) await controlArticle(ctx, id, action)
  await setRules(ctx, feed.id, [{ field: 'title', pattern: 'embargoed', category: 'world-news' }])
  assert.equal((await poll(house, feed.id, { ...item, title: 'Embargoed still' })).changed, 1)
  await push(house, 'of the publisher', 3)
  const again = await push(house, 'of the publisher', 3, { title: 'Edited', categories: ['politics', 'world-news'] })
  assert.deepEqual(again.waitsUntil, ahead(house, 3))
  await tick(ctx)
  assert.deepEqual(await shown(house), [])
  assert.equal((await db.selectFrom('articleCategories').selectAll().execute()).length, 4)
  await controlArticle(ctx, id, 'hold')
  house.clock.advance('4h')
  await tick(ctx)
  assert.deepEqual(await shown(house), ['Edited'], 'what is held is not released')
  await controlArticle(ctx, id, 'release')
  assert.deepEqual(await shown(house), ['Edited'], 'an editor does not, the tick does')
  await tick(ctx)
  assert.deepEqual(await shown(house), ['Edited', 'Embargoed still'])
})

story('a date that is moved while a story waits counts, in both directions', async (house) => {
  const { ctx, clock } = house
  await open(house)
  const feed = await addFeed(ctx, { url: `${site}/feed`, categories: ['politics'] })
  const item = (hours: number): Item => ({ title: 'Fed', guid: '1', link: `${site}/1`, date: ahead(house, hours) })
  await poll(house, feed.id, item(3))
  await push(house, 'pushed', 3)
  await poll(house, feed.id, item(6))
  await push(house, 'pushed', 6)
  clock.advance('4h')
  await tick(ctx)
  assert.deepEqual(await shown(house), [])
  await poll(house, feed.id, item(-1))
  const { waitsUntil } = await push(house, 'pushed', -1)
  assert.equal(waitsUntil, null)
  assert.deepEqual(await shown(house), [])
  await tick(ctx)
  assert.deepEqual(await shown(house), ['Fed', 'pushed'])
})

story(
  'a publisher who moves a story’s date ahead takes it back until then, also from editions under way',
  async (house) => {
    const { ctx } = house
    await open(house)
    const [early, late] = [
      await addReader(ctx, { choice: { 1: 'daily' } }),
      await addReader(ctx, { choice: { 1: 'daily' } }),
    ]
    const { articleId } = await push(house, 'postponed', 0)
    const other = await push(house, 'other', 0)
    await triggerDigest(ctx, { actor: 'cli' })
    await tick(ctx)
    assert.deepEqual((await postAll(house, { limit: 1 }))[0]!.articleIds!.sort(), [articleId, other.articleId])
    assert.equal((await push(house, 'postponed', 5)).outcome, 'updated')
    assert.deepEqual(await shown(house), ['other'])
    assert.deepEqual((await postAll(house))[0]!.articleIds, [other.articleId])
    house.clock.advance('5h')
    await triggerDigest(ctx, { actor: 'cli' })
    await tick(ctx)
    const posted = new Map((await postAll(house)).map((mail) => [mail.subscriberId, mail.articleIds]))
    assert.deepEqual([posted.get(early), posted.get(late)], [null, [articleId]])
  },
)

story(
  'an entry dated over 30 days ahead is taken within 30 days, though its feed has not changed since',
  async (house) => {
    const { ctx, clock } = house
    await open(house)
    const feed = await addFeed(ctx, { url: `${site}/feed`, categories: ['politics'] })
    const plain: Item = { title: 'Plain', guid: '2', link: `${site}/2`, date: house.clock.now() }
    const far: Item = { title: 'Far', guid: '1', link: `${site}/1`, date: ahead(house, 24 * 31) }
    const report = await poll(house, feed.id, far, plain)
    assert.deepEqual([report.taken, report.ignored, report.later], [1, 1, 1])
    assert.match(report.reasons[0]!.why, /more than 30 days ahead/)
    assert.equal((await getFeed(house.db, feed.id)).etag, null)
    clock.advance('2d')
    assert.equal((await poll(house, feed.id, far, plain)).taken, 1)
    assert.equal((await getFeed(house.db, feed.id)).etag, '"1"')
    await tick(ctx)
    assert.deepEqual(await shown(house), ['Plain'])
    const api = await openApi(house)
    const pushed = { id: 'far', title: 'Far', link: `${site}/far`, categories: ['politics'] }
    const { body } = await api('post', '/articles')
      .send({ ...pushed, publishedAt: ahead(house, 24 * 31).toISOString() })
      .expect(409)
    assert.equal(body.errors[0].field, 'publishedAt')
  },
)

story('the API and the console say until when a story waits', async (house) => {
  await open(house)
  const api = await openApi(house)
  const until = ahead(house, 23).toISOString()
  const article = { id: 'a', title: 'Budget <secret>', link: `${site}/a`, categories: ['politics'], publishedAt: until }
  const pushed = await api('post', '/articles').send(article).expect(200)
  assert.equal(pushed.body.waitsUntil, until)
  assert.equal((await api('get', `/articles/${pushed.body.articleId}`).expect(200)).body.waitsUntil, until)
  assert.equal((await api('get', '/articles?state=waiting').expect(200)).body.items.length, 1)
  assert.doesNotMatch((await house.web.get('/').expect(200)).text, /Budget/)
  const console = await openConsole(house)
  assert.match((await console.get('/admin/articles').expect(200)).text, /waits until/)
  const id = pushed.body.articleId
  await console.post(`/admin/articles/${id}/hold`).expect(303)
  const released = await console.post(`/admin/articles/${id}/release`).expect(303)
  assert.match((await console.get(released.headers.location!).expect(200)).text, /still waits for its date/)
  house.clock.advance('23h')
  await tick(house.ctx)
  assert.equal((await api('get', `/articles/${id}`).expect(200)).body.waitsUntil, null)
  assert.match((await house.web.get('/').expect(200)).text, /Budget/)
})

story(
  'a feed whose newest entries are ahead at first sight is flagged, and can be told to ignore dates',
  async (house) => {
    const { ctx } = house
    await open(house)
    const items = (zone: number): Item[] =>
      [0, 1, 2, 3, 4].map((n) => ({
        title: `Story ${n}`,
        guid: `${n}`,
        link: `${site}/${n}`,
        date: ahead(house, zone - n),
      }))
    const embargo = await addFeed(ctx, { url: `${site}/embargo`, categories: ['politics'] })
    await poll(house, embargo.id, { title: 'Later', guid: 'l', link: `${site}/l`, date: ahead(house, 9) }, ...items(0))
    assert.equal((await getFeed(house.db, embargo.id)).seemsAhead, false)
    await house.db.deleteFrom('articles').execute()

    const wrong = await addFeed(ctx, { url: `${site}/wrong`, categories: ['politics'] })
    await poll(house, wrong.id, ...items(5))
    const api = await openApi(house)
    const warning = async () => (await api('get', `/feeds/${wrong.id}`).expect(200)).body.warning
    assert.match(await warning(), /clock or time zone seems wrong/)
    const console = await openConsole(house)
    for (const page of ['/admin/feeds', `/admin/feeds/${wrong.id}`])
      assert.match((await console.get(page).expect(200)).text, /clock or time zone seems wrong/)
    await tick(ctx)
    assert.deepEqual(await shown(house), [])
    const form = { category: 'politics', rules: '', 'ignore-dates-ahead': 'yes' }
    await console.post(`/admin/feeds/${wrong.id}/mapping`, form).expect(303)
    assert.equal(await warning(), null)
    await tick(ctx)
    assert.equal((await shown(house)).length, 5)
    await poll(house, wrong.id, { title: 'New', guid: 'n', link: `${site}/n`, date: ahead(house, 5) }, ...items(5))
    assert.equal((await shown(house)).length, 6)
    const { body } = await api('patch', `/feeds/${wrong.id}`).send({ ignoresDatesAhead: false }).expect(200)
    assert.equal(body.ignoresDatesAhead, false)
    await changeFeed(ctx, { id: wrong.id, title: 'Another name' })
    assert.equal((await getFeed(house.db, wrong.id)).ignoresDatesAhead, false)
  },
)

story('a category that is stored while its story is released gets its number at the next look', async (house) => {
  await open(house)
  const { articleId } = await push(house, 'raced', 1)
  house.clock.advance('1h')
  assert.equal(await releaseDue(house.db, house.clock.now()), 1)
  await house.db.insertInto('articleCategories').values({ articleId, categoryId: 2, seq: null }).execute()
  assert.equal(await releaseDue(house.db, house.clock.now()), 0)
  const { rows } = { rows: await house.db.selectFrom('articleCategories').select('seq').execute() }
  assert.equal(rows.filter(({ seq }) => seq !== null).length, 2)
})

story(
  'readers forget nothing from a waiting story on, and one that waits in vain does not count for ever',
  async (house) => {
    const { ctx, db, clock } = house
    await open(house)
    const horizon = async () => {
      const fresh = new SeenHorizon(db, clock)
      await fresh.refresh()
      return fresh.from
    }
    const vain = await push(house, 'in vain', 24)
    await controlArticle(ctx, vain.articleId, 'withdraw')
    const waiting = await push(house, 'waiting', 24 * 29)
    const old = await push(house, 'old', 0)
    assert.equal(await horizon(), vain.articleId)
    clock.advance('62d')
    const young = await push(house, 'young', 0)
    assert.equal(await horizon(), waiting.articleId)
    await tick(ctx)
    assert.equal(await horizon(), waiting.articleId)
    clock.advance('59d')
    assert.equal(await horizon(), waiting.articleId)
    clock.advance('2d')
    await push(house, 'youngest', 0)
    assert.ok((await horizon()) > young.articleId)
    await controlArticle(ctx, vain.articleId, 'restore')
    await tick(ctx)
    assert.ok(!(await shown(house)).includes('in vain'))
    assert.ok(old.articleId < young.articleId)
  },
)

// Articles, feeds and categories through the API and the console.

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { addCategory } from '../../src/articles/categories.ts'
import { addFeed, getFeed } from '../../src/articles/feeds.ts'
import { hubCallback } from '../../src/articles/websub.ts'
import { openFeedServer, rss } from '../support/feed-server.ts'
import { type House, story } from '../support/house.ts'
import { openApi, openConsole } from '../support/keys.ts'

const pushed = {
  id: 'cms-1',
  title: 'Harbour <b>reopens</b> & sings',
  link: 'https://lantern.example/harbour?utm_source=api',
  categories: ['politics'],
  excerpt: '<p>With a band.</p>',
}

const articleCount = async (house: House) => (await house.db.selectFrom('articles').select('id').execute()).length

story('pushing the same article twice changes nothing, pushing an edit changes it, and it stays one', async (house) => {
  await addCategory(house.ctx, { name: 'Politics' })
  const api = await openApi(house, 'articles')
  const first = await api('post', '/articles').send(pushed).expect(200)
  assert.equal(first.body.outcome, 'created')
  assert.equal((await api('post', '/articles').send(pushed)).body.outcome, 'unchanged')
  const edited = {
    articles: [
      { ...pushed, title: 'Harbour reopens at last' },
      { ...pushed, id: 'cms-2', link: 'https://lantern.example/2' },
    ],
  }
  const second = await api('post', '/articles').send(edited).expect(200)
  assert.deepEqual(
    second.body.items.map((item: { outcome: string }) => item.outcome),
    ['updated', 'created'],
  )
  assert.equal(await articleCount(house), 2)
  const { body } = await api('get', `/articles/${first.body.articleId}`).expect(200)
  assert.equal(body.title, 'Harbour reopens at last')
  assert.equal(body.excerpt, 'With a band.')
  assert.deepEqual(body.categories, ['politics'])
  const picture = {
    image: 'https://lantern.example/1.jpg',
    imageAlt: ' The harbour ',
    imageWidth: 1600,
    imageHeight: 900,
  }
  await api('post', '/articles')
    .send({ ...pushed, ...picture })
    .expect(200)
  const kept = await house.db
    .selectFrom('articles')
    .select(['imageAlt', 'imageRatio'])
    .where('id', '=', body.id)
    .execute()
  assert.deepEqual(kept, [{ imageAlt: 'The harbour', imageRatio: 16 / 9 }])
  assert.equal((await api('post', '/articles').send({ ...pushed, ...picture })).body.outcome, 'unchanged')
})

story('a pushed article with a date that cannot be has that of its first sight', async (house) => {
  await addCategory(house.ctx, { name: 'Politics' })
  const api = await openApi(house, 'articles')
  const ahead = new Date(house.clock.now().getTime() + 25 * 3_600_000).toISOString()
  for (const [id, publishedAt, dateSource] of [
    ['epoch', '1970-01-01T00:00:00Z', 'first-seen'],
    ['ahead', ahead, 'feed'],
    ['good', '2026-02-28T10:00:00+02:00', 'feed'],
  ] as const) {
    const link = `https://lantern.example/${id}`
    const { body } = await api('post', '/articles')
      .send({ ...pushed, id, link, publishedAt })
      .expect(200)
    const { body: stored } = await api('get', `/articles/${body.articleId}`).expect(200)
    const expected = dateSource === 'feed' ? new Date(publishedAt) : house.clock.now()
    assert.deepEqual([stored.dateSource, stored.publishedAt], [dateSource, expected.toISOString()])
  }
})

story('a pushed article that is wrong is refused whole, and the field is named', async (house) => {
  await addCategory(house.ctx, { name: 'Politics' })
  const api = await openApi(house, 'articles')
  const refuse = async (body: object, ...fields: string[]) => {
    const answer = await api('post', '/articles').send(body)
    assert.ok([400, 409].includes(answer.status))
    assert.deepEqual(
      answer.body.errors.map((error: { field: string }) => error.field),
      fields,
      JSON.stringify(answer.body),
    )
  }
  await refuse({ ...pushed, link: 'javascript:alert(1)' }, 'link')
  await refuse({ ...pushed, categories: ['sports'] }, 'categories')
  await refuse({ ...pushed, image: 'https://lantern.example/1.jpg', imageWidth: 1600 }, 'imageHeight')
  await refuse({ ...pushed, imageWidth: 0.5, imageHeight: 0 }, 'imageWidth', 'imageHeight')
  await refuse({ articles: [pushed, { ...pushed, id: 'cms-2', title: ' \n ' }] }, 'articles.1.title')
  await refuse({ ...pushed, title: undefined, url: pushed.link }, 'title', 'url')
  await refuse({ articles: [{ ...pushed, id: 7 }] }, 'articles.0.id')
  await refuse({ ...pushed, title: 'a\0b' }, 'title')
  await refuse([pushed], 'body')
  assert.equal(await articleCount(house), 0)
})

story('a publisher withdraws by its own id; an editor holds, releases, pins and brings back', async (house) => {
  await addCategory(house.ctx, { name: 'Politics' })
  const api = await openApi(house, 'articles')
  const { articleId } = (await api('post', '/articles').send(pushed)).body
  const seq = async () =>
    (await house.db
      .selectFrom('articleCategories')
      .select('seq')
      .where('articleId', '=', articleId)
      .executeTakeFirst())!.seq!
  const before = await seq()
  assert.ok((await api('post', '/articles/withdraw').send({ id: 'cms-1' }).expect(200)).body.withdrawnAt)
  assert.equal((await api('post', `/articles/${articleId}/restore`).expect(200)).body.withdrawnAt, null)
  assert.ok((await seq()) > before)
  const console = await openConsole(house)
  await console.post(`/admin/articles/${articleId}/hold`).expect(303)
  await console.post(`/admin/articles/${articleId}/pin`).expect(303)
  const page = await console.get('/admin/articles?state=held').expect(200)
  // A pushed title is text.
  assert.match(page.text, /Harbour &lt;b&gt;reopens&lt;\/b&gt; &amp; sings/)
  await console.post(`/admin/articles/${articleId}/release`).expect(303)
  const audit = await house.db.selectFrom('auditLog').select('action').execute()
  assert.ok(audit.some((line) => line.action === 'article.held'))
})

story('an editor tries a page, adds the feed that it names, and sees what it brought and why not', async (house) => {
  const server = await openFeedServer()
  try {
    house.config.feeds.allowHosts satisfies readonly string[]
    house.ctx.config = { ...house.config, feeds: { ...house.config.feeds, allowHosts: [server.host] } }
    await addCategory(house.ctx, { name: 'Politics' })
    server.answer = (request, response) => {
      if (request.url === '/') {
        response.setHeader('content-type', 'text/html')
        return response.end(
          '<html><head><link rel="alternate" type="application/rss+xml" href="/feed.xml"></head></html>',
        )
      }
      return response.end(
        rss([
          { title: 'Fresh <script>alert(1)</script>', link: 'https://lantern.example/1', date: house.clock.now() },
          { title: 'Without a link' },
        ]),
      )
    }
    const console = await openConsole(house)
    const tried = await console.get(`/admin/feeds/try?url=${encodeURIComponent(`${server.origin}/`)}`).expect(200)
    assert.match(tried.text, /The Lantern/)
    assert.match(tried.text, /it has no link/)
    const added = await console
      .post('/admin/feeds', { url: `${server.origin}/feed.xml`, category: 'politics' })
      .expect(303)
    const page = await console.get(added.headers.location!).expect(200)
    assert.match(page.text, /1 taken/)
    assert.match(page.text, /Without a link/)
    assert.doesNotMatch(page.text, /<script>alert/)
    await console.post('/admin/feeds/1/state', { state: 'paused' })
    const [feed] = (await (await openApi(house, 'read'))('get', '/feeds').expect(200)).body.items
    assert.equal(feed.categories[0], 'politics')
  } finally {
    await server.close()
  }
})

story('a feed on a private address is refused with its reason', async (house) => {
  const api = await openApi(house, 'articles')
  for (const url of [
    'http://127.0.0.1/feed',
    'http://[::1]/',
    'http://0x7f000001/',
    'http://10.0.0.1:8080/',
    'file:///etc/passwd',
  ])
    assert.equal((await api('post', '/feeds').send({ url })).body.errors[0].field, 'url')
  assert.equal((await api('get', '/feeds').expect(200)).body.items.length, 0)
})

story(
  'retiring a category asks first, and categories are renamed and moved in the console and by key',
  async (house) => {
    await addCategory(house.ctx, { name: 'Politics' })
    await addCategory(house.ctx, { name: 'World News' })
    const console = await openConsole(house)
    await console.post('/admin/categories/world-news/move', { to: 'up' }).expect(303)
    assert.match((await console.get('/admin/categories/politics/retire').expect(200)).text, /Retire “Politics”\?/)
    await console.post('/admin/categories/politics/retire').expect(303)
    const api = await openApi(house, 'articles')
    const list = await api('get', '/categories').expect(200)
    assert.deepEqual(
      list.body.items.map((one: { slug: string }) => one.slug),
      ['world-news'],
    )
    await api('patch', '/categories/politics').send({ retired: false, name: 'Parliament' }).expect(200)
    await api('post', '/categories').send({ name: 'Business' }).expect(201)
    await api('post', '/categories').send({ name: 'Business' }).expect(409)
  },
)

story('a hub is answered only for what we asked, and its push counts only when it is signed', async (house) => {
  await addCategory(house.ctx, { name: 'Politics' })
  const { id } = await addFeed(house.ctx, { url: 'https://lantern.example/feed', categories: ['politics'] })
  const topic = 'https://lantern.example/feed'
  await house.db
    .updateTable('feeds')
    .set({ hubUrl: 'https://hub.example/', hubTopic: topic, hubSecret: 'shared' })
    .execute()
  const callback = new URL(hubCallback(house.ctx, id, 'shared')).pathname
  const ask = (query: Record<string, string>, path = callback) => house.web.get(path).query(query)
  const good = { 'hub.mode': 'subscribe', 'hub.topic': topic, 'hub.challenge': 'c0ffee', 'hub.lease_seconds': '600' }
  await ask({ ...good, 'hub.topic': 'https://other.example/' }).expect(404)
  await ask(good, `/websub/${id}/guess`).expect(404)
  assert.equal((await ask(good).expect(200)).text, 'c0ffee')
  assert.ok((await getFeed(house.db, id)).hubExpiresAt)
  const body = rss([{ title: 'Pushed', link: 'https://lantern.example/pushed', date: house.clock.now() }])
  const push = (signature: string) =>
    house.web.post(callback).set('X-Hub-Signature', signature).type('application/rss+xml').send(body).expect(202)
  await push(`sha256=${createHmac('sha256', 'guess').update(body).digest('hex')}`)
  assert.equal(await articleCount(house), 0)
  await push(`sha256=${createHmac('sha256', 'shared').update(body).digest('hex')}`)
  assert.equal(await articleCount(house), 1)
})

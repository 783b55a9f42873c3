// What anybody may see: the front page, the archive, the form for other sites, privacy and terms.

import assert from 'node:assert/strict'
import { story } from '../support/house.ts'
import { addCategories } from '../support/readers.ts'
import { addStory } from '../support/stories.ts'

story(
  'the front page has the form, the statement, the categories with their counts and the latest stories',
  async (house) => {
    await addCategories(house)
    await addStory(house, 'The ferry is back <again>', [1, 3])
    const { text } = await house.web.get('/').expect(200)
    assert.match(text, /<form[^>]*action="\/subscribe"/)
    assert.match(text, /name="email"/)
    for (const slug of ['politics', 'world-news', 'business'])
      for (const frequency of ['off', 'daily', 'weekly', 'monthly'])
        assert.match(text, new RegExp(`name="frequency\\[${slug}\\]"\\s+value="${frequency}"`))
    assert.match(text, /<select[^>]*name="timezone"/)
    assert.ok(text.includes(house.config.site.optInStatement))
    assert.ok(text.includes(house.config.site.privacyUrl))
    assert.ok(text.includes(house.config.site.termsUrl))
    assert.match(text, /Politics<\/a>\s*<span class="count">1<\/span>/)
    assert.match(text, /World News<\/a>\s*<span class="count">0<\/span>/)
    assert.ok(!text.includes('<again>'))
    assert.ok(!text.includes('<b>not'))
    assert.ok(!/<script(?![^>]*src=)|<style|style="|onclick=/.test(text), 'something inline')
  },
)

story('a site without categories is calm about it', async (house) => {
  const { text } = await house.web.get('/').expect(200)
  assert.match(text, /nothing to subscribe to yet/)
  const archive = await house.web.get('/archive').expect(200)
  assert.match(archive.text, /No edition has gone out yet/)
})

story('the archive shows the stories of editions that were sent, and nobody’s name', async (house) => {
  await addCategories(house)
  const kept = await addStory(house, 'The ferry is back', [1])
  const withdrawn = await addStory(house, 'A story taken back', [1])
  const account = { audience: 1, sent: 1, failed: 0, uncertain: 0, open: 0, skipped: {} }
  const add = async (state: 'closed' | 'sending', sent: number) => {
    const { id } = await house.db
      .insertInto('editions')
      .values({
        kind: 'manual',
        state,
        createdAt: house.clock.now(),
        requestedBy: 'editor:eve@example.com',
        account: JSON.stringify({ ...account, sent }),
      })
      .returning('id')
      .executeTakeFirstOrThrow()
    for (const articleId of [kept, withdrawn])
      await house.db
        .insertInto('editionArticles')
        .values({ editionId: id, categoryId: 1, articleId, seq: articleId, position: articleId })
        .execute()
    return id
  }
  const sent = await add('closed', 1)
  const empty = await add('closed', 0)
  const open = await add('sending', 1)
  await house.db.updateTable('articles').set({ withdrawnAt: house.clock.now() }).where('id', '=', withdrawn).execute()
  const list = await house.web.get('/archive').expect(200)
  assert.deepEqual(
    [...list.text.matchAll(/href="\/archive\/(\d+)"/g)].map((match) => Number(match[1])),
    [sent],
  )
  const page = await house.web.get(`/archive/${sent}`).expect(200)
  assert.match(page.text, /The ferry is back/)
  assert.ok(!page.text.includes('taken back'))
  assert.ok(!page.text.includes('eve@'))
  for (const id of [String(empty), String(open), '999', 'x', '1e3', '-1'])
    await house.web.get(`/archive/${id}`).expect(404)
})

story('the form can stand on another site, and only the form', async (house) => {
  await addCategories(house)
  const page = await house.web.get('/embed').set('Referer', 'https://other.example/page').expect(200)
  assert.match(String(page.headers['content-security-policy']), /frame-ancestors \*/)
  assert.equal(page.headers['x-frame-options'], undefined)
  assert.match(page.text, /name="form_url" value="https:\/\/other\.example\/page"/)
  const front = await house.web.get('/')
  assert.match(String(front.headers['content-security-policy']), /frame-ancestors 'none'/)
  const script = await house.web.get('/embed.js').expect(200)
  assert.equal(script.headers['cross-origin-resource-policy'], 'cross-origin')
  assert.match(script.text, /"http:\/\/news\.example"/)
  // A form on another site posts with a foreign Origin: it is what it's for.
  await house.web
    .post('/subscribe')
    .set('Origin', 'https://other.example')
    .set('Sec-Fetch-Site', 'cross-site')
    .type('form')
    .send({ email: 'ada@example.com', 'frequency[politics]': 'daily', form_url: 'https://other.example/page' })
    .expect(303)
  const consent = await house.db.selectFrom('consents').select('formUrl').executeTakeFirstOrThrow()
  assert.equal(consent.formUrl, 'https://other.example/page')
})

story('privacy and terms are there where the site has no pages of its own', async (house) => {
  await house.web.get('/privacy').expect(200)
  await house.web.get('/terms').expect(200)
})

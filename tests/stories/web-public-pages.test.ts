// What anybody may see: the front page, the archive, the form for other sites, privacy and terms.

import assert from 'node:assert/strict'
import { closeFinished } from '../../src/editions/close.ts'
import { moveEdition } from '../../src/desk/control.ts'
import { triggerAnnouncement, triggerDigest } from '../../src/planning/trigger.ts'
import { story, type House } from '../support/house.ts'
import { linkIn } from '../support/inbox.ts'
import { addReader, addStory, tick } from '../support/newsroom.ts'
import { sendWaitingMail } from '../support/post.ts'
import { addCategories } from '../support/readers.ts'

story(
  'the front page has the form, the statement, the categories with their counts and the latest stories',
  async (house) => {
    await addCategories(house)
    await addStory(house.ctx, 'The ferry is back <again>', [1, 3])
    const { text } = await house.web.get('/').expect(200)
    assert.match(text, /<form[^>]*action="\/subscribe"/)
    assert.match(text, /name="email"/)
    for (const slug of ['politics', 'world-news', 'business'])
      for (const frequency of ['off', 'daily', 'weekly', 'monthly'])
        assert.match(text, new RegExp(`name="frequency\\[${slug}\\]"\\s+value="${frequency}"`))
    assert.match(text, /<select[^>]*name="timezone"/)
    assert.match(text, /Every day at 07:00: Politics, World News and Business\./)
    assert.match(text, /<details(?![^>]*open)[^>]*>\s*<summary>Choose topics and how often/)
    assert.match(text, /<optgroup label="Europe">/)
    assert.match(text, /Already a subscriber\? <a href="\/preferences">/)
    assert.doesNotMatch(text, /newest digest/)
    assert.ok(text.includes(house.config.site.optInStatement))
    assert.ok(text.includes(house.config.site.privacyUrl))
    assert.ok(text.includes(house.config.site.termsUrl))
    assert.match(text, /Politics<\/a>\s*<span class="count"[^>]*>1<\/span>/)
    assert.match(text, /World News<\/a>\s*<span class="count"[^>]*>0<\/span>/)
    assert.ok(!text.includes('<again>'))
    assert.ok(!text.includes('<b>not'))
    assert.ok(!/<script(?![^>]*src=)|<style|style="|onclick=/.test(text), 'something inline')
  },
)

story('a site without categories is calm about it', async (house) => {
  const { text } = await house.web.get('/').expect(200)
  assert.match(text, /nothing to subscribe to yet/)
  const archive = await house.web.get('/archive').expect(200)
  assert.match(archive.text, /No edition has been sent yet/)
})

const archived = async (house: House): Promise<number[]> => {
  const { text } = await house.web.get('/archive').expect(200)
  return [...text.matchAll(/href="\/archive\/(\d+)"/g)].map((match) => Number(match[1]))
}

story(
  '“Read it on the web” opens as soon as one mail of the edition was sent, whatever becomes of the others',
  async (house) => {
    await addCategories(house)
    await addStory(house.ctx, 'The ferry is back', [1])
    const withdrawn = await addStory(house.ctx, 'A story taken back', [1])
    for (const name of ['ada', 'bob'])
      await addReader(house.ctx, { email: `${name}@mail.example`, choice: { 1: 'daily' } })
    house.inbox.greylisted.add('bob@mail.example')
    const actor = 'editor:7' as const
    const { id } = await triggerDigest(house.ctx, { actor })
    await tick(house.ctx)
    await house.web.get(`/archive/${id}`).expect(404)
    assert.deepEqual(await archived(house), [])

    await sendWaitingMail(house)
    const link = linkIn(house.inbox.last('ada@mail.example').mail, /^\/archive/)
    assert.equal(link, `/archive/${id}`)
    const front = await house.web.get('/').expect(200)
    assert.match(front.text, new RegExp(`<a href="/archive/${id}">Read the newest digest</a>`))
    await house.db.updateTable('articles').set({ withdrawnAt: house.clock.now() }).where('id', '=', withdrawn).execute()
    for (const move of [null, 'pause', 'resume', 'cancel'] as const) {
      if (move) await moveEdition(house.ctx, { editionId: id, move, actor })
      const page = await house.web.get(link).expect(200)
      assert.match(page.text, /The ferry is back/)
      assert.doesNotMatch(page.text, /taken back|editor:7|mail\.example/)
      assert.deepEqual(await archived(house), [id], String(move))
    }
    await closeFinished(house.ctx)
    await house.web.get(link).expect(200)
    for (const odd of ['999', 'x', '1e3', '-1', '01', '9007199254740993', '99999999999999999999'])
      await house.web.get(`/archive/${odd}`).expect(404)
  },
)

story(
  'a run for one address, an announcement and an edition that reached nobody stay out of the archive',
  async (house) => {
    await addCategories(house)
    await addStory(house.ctx, 'The ferry is back', [1])
    const ada = await addReader(house.ctx, { email: 'ada@mail.example', choice: { 1: 'daily' } })
    const actor = 'cli' as const
    const only = await triggerDigest(house.ctx, { actor, onlySubscriberId: ada })
    await tick(house.ctx)
    await sendWaitingMail(house)
    assert.equal(linkIn(house.inbox.last('ada@mail.example').mail, /^\/archive/), '/archive')
    const announcement = await triggerAnnouncement(house.ctx, { actor, subject: 'Hello', body: 'We moved.' })
    const nothingNew = await triggerDigest(house.ctx, { actor })
    await tick(house.ctx)
    await sendWaitingMail(house)
    await closeFinished(house.ctx)
    assert.equal(house.inbox.to('ada@mail.example').length, 2)
    for (const { id } of [only, announcement, nothingNew]) await house.web.get(`/archive/${id}`).expect(404)
    assert.deepEqual(await archived(house), [])
  },
)

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

story('privacy and terms are shown if the site has no pages of its own', async (house) => {
  await house.web.get('/privacy').expect(200)
  await house.web.get('/terms').expect(200)
})

// "Less Politics" in a section of a digest: it lowers or stops, never raises, and can be taken back.

import assert from 'node:assert/strict'
import { lessUrl, preferencesUrl, unsubscribeUrl } from '../../src/subscribers/links.ts'
import { endOlderLinks } from '../../src/subscribers/generation.ts'
import { changePreferences } from '../../src/subscribers/preferences.ts'
import { listSubscriptions } from '../../src/subscribers/store.ts'
import { unsubscribe } from '../../src/subscribers/unsubscribe.ts'
import { type House, story } from '../support/house.ts'
import { addCategories, getSubscriber, subscribeFully } from '../support/readers.ts'

const origin = { ip: null, formUrl: null }
const ctxOf = (house: House) => house.ctx
const pathOf = (url: string) => url.replace('http://news.example', '')
const formsOf = (page: string) =>
  [...page.matchAll(/<form[^>]*action="([^"]*)"[^>]*>([\s\S]*?)<\/form>/g)].map(([, action, inside]) => ({
    action: action!,
    fields: Object.fromEntries(
      [...inside!.matchAll(/name="([^"]*)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]),
    ),
    label: /<button[^>]*>([^<]*)/.exec(inside!)?.[1]?.trim(),
  }))
const press = (house: House, form: { action: string; fields: Record<string, string> }) =>
  house.web.post(form.action).type('form').send(form.fields)

async function open(house: House) {
  await addCategories(house)
  const { id } = await subscribeFully(house, 'ada@example.com', { politics: 'daily', business: 'weekly' })
  const link = (slug: string) => `${pathOf(lessUrl(house.config, { id, generation: 0 }))}&c=${slug}`
  const choices = async () =>
    Object.fromEntries((await listSubscriptions(house.db, id)).map(({ slug, frequency }) => [slug, frequency]))
  return { id, link, choices }
}

story('a category becomes less frequent step by step, and each step can be undone once', async (house) => {
  const { link, choices } = await open(house)
  for (const way of ['get', 'head'] as const) await house.web[way](link('politics')).expect(200)
  const page = (await house.web.get(link('politics'))).text
  assert.doesNotMatch(page, /ada|example\.com/, 'whose it is')
  const [weekly, stop] = formsOf(page)
  assert.deepEqual([weekly!.label, stop!.label], ['Make Politics weekly', 'Stop Politics'])
  assert.deepEqual(await choices(), { politics: 'daily', business: 'weekly' }, 'looking changes nothing')

  const done = await press(house, weekly!).expect(200)
  assert.deepEqual(await choices(), { politics: 'weekly', business: 'weekly' })
  await press(house, weekly!).expect(200)
  assert.deepEqual(await choices(), { politics: 'weekly', business: 'weekly' }, 'pressed twice')

  const undo = formsOf(done.text).find(({ label }) => label === 'Undo')!
  await press(house, undo).expect(200)
  assert.deepEqual(await choices(), { politics: 'daily', business: 'weekly' })
  await press(house, undo).expect(410)

  await press(house, stop!).expect(200)
  assert.deepEqual(await choices(), { business: 'weekly' })
  const gone = await house.web.get(link('politics')).expect(200)
  assert.match(gone.text, /Nothing to change/)
  const last = await house.web.get(link('business')).expect(200)
  assert.deepEqual(
    formsOf(last.text)
      .filter(({ action }) => action === '/less')
      .map(({ label }) => label),
    ['Make Business monthly', 'Stop Business'],
  )
  await press(house, formsOf(last.text)[1]!)
  assert.equal((await getSubscriber(house, 'ada@example.com')).nextDueAt, null)
})

story(
  'no such link, and no taking back, makes a category come more often than its subscriber has it',
  async (house) => {
    const { id, link, choices } = await open(house)
    const lowered = await house.web.post(link('politics')).type('form').expect(200)
    const undo = formsOf(lowered.text).find(({ label }) => label === 'Undo')!
    await changePreferences(ctxOf(house), id, { choices: { politics: 'monthly' } }, origin)
    for (const goal of ['daily', 'weekly', 'monthly'])
      await house.web
        .post(`${link('politics')}`)
        .type('form')
        .send({ to: goal })
        .expect(200)
    await house.web
      .post(`${link('world')}`)
      .type('form')
      .send({ to: 'weekly' })
    await press(house, undo).expect(410)
    assert.deepEqual(await choices(), { politics: 'monthly', business: 'weekly' })
    await house.web.post(link('politics')).type('form').send({ to: 'hourly' }).expect(400)
    assert.deepEqual(await choices(), { politics: 'monthly', business: 'weekly' })
  },
)

story('the link opens nothing else, ends with its generation, and says so in words', async (house) => {
  const { id, link, choices } = await open(house)
  const token = new URL(lessUrl(house.config, { id, generation: 0 })).searchParams.get('token')!
  await house.web.get(`/preferences?token=${token}`).expect(400)
  await house.web.get(`/unsubscribe?token=${token}`).expect(400)
  for (const url of [
    preferencesUrl(house.config, { id, generation: 0 }, house.clock.now()),
    unsubscribeUrl(house.config, id),
  ])
    await house.web.get(`/less?token=${new URL(url).searchParams.get('token')}&c=politics`).expect(400)
  for (const slug of ['nothing', '', '%3Cscript%3E', 'politics&c=business']) {
    const { status, text } = await house.web.get(link(slug))
    assert.deepEqual([status, /There is no such category/.test(text)], [404, true], slug)
  }
  await house.web.get(`${link('politics')}.`).expect(200)
  await house.web.post('/less').type('form').expect(400)
  await endOlderLinks(ctxOf(house), id, { isMailed: false })
  await house.web.get(link('politics')).expect(410)
  await house.web.post(link('politics')).type('form').expect(410)
  const fresh = `${pathOf(lessUrl(house.config, { id, generation: 1 }))}&c=politics`
  await house.web.get(fresh).expect(200)
  await unsubscribe(ctxOf(house), id, { way: 'page', origin })
  assert.match((await house.web.post(fresh).type('form').expect(200)).text, /Nothing comes/)
  assert.deepEqual(await choices(), { politics: 'daily', business: 'weekly' })
})

// Unsubscribing: counted per edition, asked for a reason that nobody has to give, undone for thirty days, with a goodbye mail only
// where the site wants one.

import assert from 'node:assert/strict'
import { createApiKey } from '../../src/access/api-keys.ts'
import { runTick } from '../../src/planning/tick.ts'
import { eraseSubscriber } from '../../src/subscribers/erase.ts'
import { unsubscribeUrl } from '../../src/subscribers/links.ts'
import { story, type House } from '../support/house.ts'
import { linkIn } from '../support/inbox.ts'
import { sendWaitingMail } from '../support/post.ts'
import { addCategories, buttonOf, getSubscriber, pressButtonOn, subscribeFully } from '../support/readers.ts'
import { addStory } from '../support/newsroom.ts'

const pathOf = (url: string) => url.replace('http://news.example', '')
const oneClick = { 'List-Unsubscribe': 'One-Click' }

/** Each got a digest of one edition. Returns its number. */
async function sendEdition(house: House, emails: readonly string[]): Promise<number> {
  await addCategories(house)
  for (const email of emails) await subscribeFully(house, email)
  await sendWaitingMail(house)
  house.inbox.clear()
  await addStory(house.ctx, 'The ferry is back', [1])
  house.clock.set('2026-03-03T06:00:00Z')
  await runTick(house.ctx)
  await sendWaitingMail(house)
  await runTick(house.ctx)
  const { id } = await house.db.selectFrom('editions').select('id').executeTakeFirstOrThrow()
  return id
}

async function getEdition(house: House, id: number) {
  const { key } = await createApiKey(house.ctx, { name: 'test', scope: 'all', actor: 'cli' })
  const answer = await house.web.get(`/api/v1/editions/${id}`).set('Authorization', `Bearer ${key}`).expect(200)
  return answer.body as { unsubscribes: number; account: unknown }
}

const formOn = (page: string, action: string) => {
  const [form] = page.split('</form>').filter((part) => part.includes(`action="${action}"`))
  assert.ok(form, `no form ${action}`)
  return buttonOf(`${form.slice(form.lastIndexOf('<form'))}</form>`)
}

story('unsubscribes are counted by the edition that the link names, beside its account', async (house) => {
  const names = ['ada', 'bob', 'cleo', 'dan']
  const edition = await sendEdition(
    house,
    names.map((name) => `${name}@example.com`),
  )
  const before = await getEdition(house, edition)
  assert.equal(before.unsubscribes, 0)
  // By the mail's header: one click.
  const { mail } = house.inbox.last('ada@example.com')
  const header = /<([^>]+)>/.exec(mail.headers.find(({ key }) => key === 'list-unsubscribe')!.value)![1]!
  assert.equal(new URL(header).searchParams.get('e'), String(edition))
  await house.web.post(pathOf(header)).type('form').send(oneClick).expect(200)
  // By the page behind the link in the footer, with a full stop copied along.
  const link = linkIn(house.inbox.last('bob@example.com').mail, /^\/unsubscribe$/)
  await pressButtonOn(house, `${link}.`)
  // A link with another number, and one without, unsubscribe all the same.
  const cleo = await getSubscriber(house, 'cleo@example.com')
  const dan = await getSubscriber(house, 'dan@example.com')
  await house.web
    .post(pathOf(unsubscribeUrl(house.config, cleo.id, 999)))
    .type('form')
    .send(oneClick)
    .expect(200)
  await house.web
    .post(`${pathOf(unsubscribeUrl(house.config, dan.id))}&e=x&e=${edition}`)
    .send(oneClick)
    .expect(200)
  for (const name of names) assert.equal((await getSubscriber(house, `${name}@example.com`)).status, 'unsubscribed')
  const after = await getEdition(house, edition)
  assert.equal(after.unsubscribes, 2)
  assert.deepEqual(after.account, before.account)
  // A second press counts once.
  await house.web.post(pathOf(header)).type('form').send(oneClick).expect(200)
  assert.equal((await getEdition(house, edition)).unsubscribes, 2)
})

story('the undo of thirty days takes the unsubscribe out of the count', async (house) => {
  const edition = await sendEdition(house, ['ada@example.com'])
  const page = await pressButtonOn(house, linkIn(house.inbox.last('ada@example.com').mail, /^\/unsubscribe$/))
  assert.equal((await getEdition(house, edition)).unsubscribes, 1)
  const undo = formOn(page.text, '/unsubscribe/undo')
  house.clock.advance('29d')
  await house.web.get(`/unsubscribe/undo?token=${undo.fields['token']}`).expect(200)
  assert.equal((await getSubscriber(house, 'ada@example.com')).status, 'unsubscribed', 'GET changes nothing')
  const back = await house.web.post(undo.action).type('form').send(undo.fields).expect(200)
  assert.equal((await getEdition(house, edition)).unsubscribes, 0)
  assert.equal((await getSubscriber(house, 'ada@example.com')).status, 'active')
  await house.web.get(`/unsubscribe/undo?token=${undo.fields['token']}`).expect(410)
  // The page that acknowledges the undo can undo that.
  const again = formOn(back.text, '/unsubscribe')
  await house.web.post(again.action).type('form').send(again.fields).expect(200)
  assert.equal((await getSubscriber(house, 'ada@example.com')).status, 'unsubscribed')
  await house.web.post(undo.action).type('form').send(undo.fields).expect(410)
})

story('a reason is optional, can be corrected, is summed up, and its words go with the subscriber', async (house) => {
  await addCategories(house)
  const { id } = await subscribeFully(house, 'ada@example.com')
  await subscribeFully(house, 'bob@example.com')
  const page = await pressButtonOn(house, pathOf(unsubscribeUrl(house.config, id)))
  const { action, fields } = formOn(page.text, '/unsubscribe/reason')
  const say = (more: Record<string, string>) =>
    house.web
      .post(action)
      .type('form')
      .send({ ...fields, ...more })
  for (const [field, value] of [
    ['reason', 'boredom'],
    ['reason_text', 'x'.repeat(501)],
  ] as const) {
    const refused = await say({ reason: 'other', [field]: value }).expect(400)
    assert.match(refused.text, new RegExp(`aria-describedby="${field}-problem"`))
    const json = await say({ [field]: value })
      .set('Accept', 'application/json')
      .expect(400)
    assert.equal((json.body as { errors: { field: string }[] }).errors[0]?.field, field)
  }
  await say({}).expect(200)
  await say({ reason: 'too_many', reason_text: '<b>Every day?</b>' }).expect(200)
  await say({ reason: 'other', reason_text: ' Every <b>day</b>  is a lot ' }).expect(200)
  await house.web.post(action).type('form').send({ token: 'x', reason: 'other' }).expect(400)

  const { key } = await createApiKey(house.ctx, { name: 'test', scope: 'read', actor: 'cli' })
  const read = async () =>
    (await house.web.get('/api/v1/unsubscribes').set('Authorization', `Bearer ${key}`).expect(200)).body as object
  assert.partialDeepStrictEqual(await read(), {
    total: 1,
    undone: 0,
    ways: { page: 1 },
    reasons: { other: 1, none: 0 },
  })
  const texts = () => house.db.selectFrom('unsubscribes').select(['subscriberId', 'reason', 'reasonText']).execute()
  assert.deepEqual(await texts(), [{ subscriberId: id, reason: 'other', reasonText: 'Every <b>day</b> is a lot' }])
  await eraseSubscriber(house.ctx, id)
  assert.deepEqual(await texts(), [{ subscriberId: null, reason: 'other', reasonText: null }])
  await say({ reason: 'too_many', reason_text: 'still here' }).expect(410)
  assert.partialDeepStrictEqual(await read(), { total: 1, reasons: { other: 1 } })
})

story('no goodbye mail by default', async (house) => {
  await addCategories(house)
  const { id } = await subscribeFully(house, 'ada@example.com')
  await sendWaitingMail(house)
  house.inbox.clear()
  await pressButtonOn(house, pathOf(unsubscribeUrl(house.config, id)))
  await sendWaitingMail(house)
  assert.equal(house.inbox.received.length, 0)
})

story(
  'where the site wants a goodbye mail, it follows the button on the page and never one click',
  async (house) => {
    await addCategories(house)
    const ada = await subscribeFully(house, 'ada@example.com')
    const bob = await subscribeFully(house, 'bob@example.com')
    await sendWaitingMail(house)
    house.inbox.clear()
    await house.web
      .post(pathOf(unsubscribeUrl(house.config, bob.id)))
      .type('form')
      .send(oneClick)
      .expect(200)
    await pressButtonOn(house, pathOf(unsubscribeUrl(house.config, ada.id)))
    await sendWaitingMail(house)
    assert.deepEqual(
      house.inbox.received.map(({ mail }) => mail.subject),
      ['You have unsubscribed from The Whale Gazette'],
    )
    const undo = linkIn(house.inbox.last('ada@example.com').mail, /^\/unsubscribe\/undo$/)
    await house.web.get(undo).expect(200)
    assert.equal((await getSubscriber(house, 'ada@example.com')).status, 'unsubscribed')
    await pressButtonOn(house, undo)
    assert.equal((await getSubscriber(house, 'ada@example.com')).status, 'active')
    await house.web.get(undo).expect(410)
  },
  { env: { GOODBYE_MAIL: 'on' } },
)

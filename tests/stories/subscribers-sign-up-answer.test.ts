// What comes after the sign-up form. The answer and the page that follows are the same bytes for every state of the address, and
// true for each. The address is shown from a signed cookie, and can be changed with the choices kept.

import assert from 'node:assert/strict'
import { endSendingHold, holdSending } from '../../src/delivery/sending-hold.ts'
import { eraseSubscriber } from '../../src/subscribers/erase.ts'
import { suppressAddress } from '../../src/subscribers/suppression.ts'
import { unsubscribe } from '../../src/subscribers/unsubscribe.ts'
import { story, type House } from '../support/house.ts'
import { sendWaitingMail } from '../support/post.ts'
import { addCategories, signUp, subscribeFully } from '../support/readers.ts'

/** Addresses of one length, each in another state. */
const states = [
  'newcomr',
  'pending',
  'waiting',
  'active_',
  'asked__',
  'goneaway',
  'erased_',
  'bounced',
  'bounce2',
  'complnt',
  'manual_',
]
const addressOf = (state: string) => `${state.padEnd(8, '_')}@example.com`

async function bringAbout(house: House, state: string): Promise<void> {
  const email = addressOf(state)
  if (state === 'newcomr') return
  if (state === 'pending' || state === 'waiting') {
    await signUp(house, email).expect(303)
    if (state === 'waiting') house.clock.advance('25h')
    return
  }
  const { id } = await subscribeFully(house, email)
  if (state === 'asked__') await signUp(house, email).expect(303)
  if (state === 'goneaway') await unsubscribe(house.ctx, id, { way: 'page', origin: { ip: null, formUrl: null } })
  if (state === 'erased_') await eraseSubscriber(house.ctx, id)
  const reasons = { bounced: 'hard_bounce', bounce2: 'soft_bounces', complnt: 'complaint', manual_: 'manual' } as const
  const reason = reasons[state as keyof typeof reasons]
  if (reason) await suppressAddress(house.ctx, { email, key: email }, reason)
}

/** Everything that an answer shows, without the address, the date and the hash of both. */
const shown = (response: { status: number; headers: unknown; text: string }, email: string) => {
  const { date: _date, etag: _etag, ...headers } = response.headers as Record<string, string | string[]>
  const text = JSON.stringify({ status: response.status, headers, text: response.text })
  return text
    .replaceAll(/broadsheet-signup=[\w-]+\.\w+\.[\w-]+/g, (token) => `${token.length}`)
    .replaceAll(email, 'ADDRESS')
}

story('whatever is known of an address, its sign-up and the page after it are the same bytes', async (house) => {
  await addCategories(house)
  for (const state of states) await bringAbout(house, state)
  const answers = new Set<string>()
  for (const state of states) {
    const email = addressOf(state)
    const answer = await signUp(house, email).expect(303).expect('Location', '/subscribe/check-your-mail')
    const cookie = String(answer.headers['set-cookie']).split(';')[0]!
    const page = await house.web.get('/subscribe/check-your-mail').set('Cookie', cookie).expect(200)
    assert.ok(page.text.includes(email), state)
    answers.add(shown(answer, email) + shown(page, email))
  }
  assert.equal(answers.size, 1, [...answers].slice(0, 2).join('\n\n'))
})

story('a link to the preferences is answered with the same bytes, whatever is known of the address', async (house) => {
  await addCategories(house)
  for (const state of states) await bringAbout(house, state)
  const answers = new Set<string>()
  for (const state of states) {
    const answer = await house.web
      .post('/preferences')
      .type('form')
      .send({ email: addressOf(state) })
      .expect(200)
    answers.add(shown(answer, addressOf(state)))
  }
  assert.equal(answers.size, 1, [...answers].slice(0, 2).join('\n\n'))
})

story('the form sends at most one message a day to an address, to subscribers too', async (house) => {
  await addCategories(house)
  for (const state of ['newcomr', 'active_', 'goneaway']) {
    await bringAbout(house, state)
    await sendWaitingMail(house)
    const email = addressOf(state)
    for (const [hours, mails] of [
      [0, 1],
      [7, 0],
      [7, 0],
      [11, 1],
    ] as const) {
      house.clock.advance(`${hours}h`)
      house.inbox.clear()
      await signUp(house, email).expect(303)
      await sendWaitingMail(house)
      assert.equal(house.inbox.to(email).length, mails, `${state} after ${hours} more hours`)
    }
  }
})

story(
  'the address is shown from a cookie of ours only, for these pages only, and for two hours at most',
  async (house) => {
    await addCategories(house)
    const page = (cookie: string) => house.web.get('/subscribe/check-your-mail').set('Cookie', cookie).expect(200)
    const answer = await signUp(house, 'ana@exämple.com')
    const setCookie = String(answer.headers['set-cookie'])
    assert.match(setCookie, /; Path=\/subscribe; HttpOnly; SameSite=Lax$/)
    const cookie = setCookie.split(';')[0]!
    assert.match((await page(cookie)).text, /ana@exämple\.com/)
    const forged = Buffer.from(JSON.stringify({ email: 'eve@example.org', choices: {}, timezone: null })).toString(
      'base64url',
    )
    for (const other of [
      '',
      'broadsheet-signup=x',
      cookie.replace(/=[^.]+/, `=${forged}`),
      `${cookie.slice(0, -3)}AAA`,
    ]) {
      const { text } = await page(other)
      assert.match(text, /your address/, other)
      assert.doesNotMatch(text, /@ex/)
      await house.web.get('/subscribe/change').set('Cookie', other).expect(303).expect('Location', '/#subscribe')
    }
    await house.web.get('/subscribe/check-your-mail?email=eve@example.org').expect(/your address/)
    house.clock.advance('3h')
    assert.doesNotMatch((await page(cookie)).text, /@ex/)
  },
)

story('“Change it” brings the form back with the address and the choices', async (house) => {
  await addCategories(house)
  const answer = await signUp(house, 'ana@example.com', {
    politics: 'daily',
    'world-news': 'daily',
    business: 'monthly',
  })
  const cookie = String(answer.headers['set-cookie']).split(';')[0]!
  const { text } = await house.web.get('/subscribe/change').set('Cookie', cookie).expect(200)
  assert.match(text, /name="email"[^>]*value="ana@example\.com"/)
  assert.match(text, /value="daily"\s+checked/)
  assert.match(text, /id="business-monthly"[^>]*checked/)
  assert.match(text, /<option value="Europe\/Berlin" selected>/)
})

story('the slip of a well-known domain is offered, and either answer signs up', async (house) => {
  await addCategories(house)
  const fields = { 'frequency[politics]': 'weekly', categories: ['business', 'politics'], timezone: 'Europe/Paris' }
  const post = (more: Record<string, string>) =>
    house.web
      .post('/subscribe')
      .type('form')
      .send({ ...fields, ...more })
  const offered = await post({ email: 'Ana.B@gmial.com' }).expect(200)
  assert.match(offered.text, /gmial\.com: did you mean <strong>gmail\.com<\/strong>\?/)
  assert.equal((await house.db.selectFrom('subscribers').select('id').execute()).length, 0)
  const buttons = offered.text.split('<form').slice(1)
  assert.equal(buttons.length, 2)
  for (const [button, email] of [
    [0, 'Ana.B@gmail.com'],
    [1, 'Ana.B@gmial.com'],
  ] as const) {
    const names = [...buttons[button]!.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)]
    const body = names.map(([, name, value]) => `${name}=${encodeURIComponent(value!)}`).join('&')
    await house.web.post('/subscribe').type('form').send(body).expect(303)
    const row = await house.db
      .selectFrom('signupRequests')
      .innerJoin('subscribers', 'subscribers.id', 'subscriberId')
      .select(['choices', 'signupRequests.timezone'])
      .where('email', '=', email)
      .executeTakeFirstOrThrow()
    assert.deepEqual(row, { choices: { politics: 'weekly', business: 'daily' }, timezone: 'Europe/Paris' })
  }
  await post({ email: 'bob@gmial.com', kept_email: 'ana@gmial.com' })
    .expect(200)
    .expect(/did you mean/)
})

story('while sending is held, whatever promises a mail says that it waits, to everybody alike', async (house) => {
  await addCategories(house)
  await subscribeFully(house, 'known@example.com')
  const since = house.clock.now().toISOString()
  await holdSending(house.db, { since, why: 'This database was restored.', knownUntil: null })
  const waits = /Sending is held at the moment/
  for (const email of ['new@example.com', 'known@example.com']) {
    const json = await house.web.post('/subscribe').set('Accept', 'application/json').type('form').send({ email })
    assert.match(json.text, waits)
    const link = await house.web.post('/preferences').type('form').send({ email }).expect(200)
    assert.match(link.text, waits)
  }
  assert.match((await house.web.get('/subscribe/check-your-mail')).text, waits)
  assert.match((await house.web.get('/subscribe/check-your-mail?lang=de')).text, /Der Versand ist zurzeit angehalten/)
  assert.match(
    (await house.web.get('/admin/sign-in/check-your-mail')).text,
    /No mail is sent until sending is released/,
  )
  await house.db.transaction().execute(endSendingHold)
  assert.doesNotMatch((await house.web.get('/subscribe/check-your-mail')).text, waits)
})

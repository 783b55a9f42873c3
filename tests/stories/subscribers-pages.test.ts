// The reader's path through the pages and the mails: sign up, confirm, prefer, leave, come back.

import assert from 'node:assert/strict'
import { story } from '../support/house.ts'
import { linkIn } from '../support/inbox.ts'
import { sendWaitingMail } from '../support/post.ts'
import { addCategories, buttonOf, getSubscriber, pressButtonOn, signUp, subscribeFully } from '../support/readers.ts'
import { preferencesUrl, unsubscribeUrl } from '../../src/subscribers/links.ts'
import { listSubscriptions } from '../../src/subscribers/store.ts'

const pathOf = (url: string) => url.replace('http://news.example', '')

story(
  'a reader signs up, confirms by the button in the mail, and is told when the first digest comes',
  async (house) => {
    await addCategories(house)
    const response = await signUp(house, 'ada@example.com', { politics: 'daily', business: 'weekly' })
    assert.equal(response.status, 303)
    assert.equal(response.headers['location'], '/subscribe/check-your-mail')
    await house.web.get('/subscribe/check-your-mail').expect(200)
    await sendWaitingMail(house)
    const link = linkIn(house.inbox.last('ada@example.com').mail, /^\/confirm$/)
    for (let look = 0; look < 20; look++) await house.web.get(link).expect(200)
    await house.web.head(link).expect(200)
    assert.equal((await getSubscriber(house, 'ada@example.com')).status, 'pending')
    const page = await pressButtonOn(house, link)
    assert.match(page.text, /Tuesday 3 March at 07:00 \(Europe\/Berlin\)/)
    assert.equal((await getSubscriber(house, 'ada@example.com')).status, 'active')
    await sendWaitingMail(house)
    assert.equal(house.inbox.to('ada@example.com').length, 2)
    const again = await house.web.get(link).expect(200)
    assert.match(again.text, /has been used/)
    assert.match(again.text, /Tuesday 3 March/)
    const { id } = await getSubscriber(house, 'ada@example.com')
    await house.web.post(unsubscribeUrl(house.config, id).replace('http://news.example', '')).expect(200)
    house.inbox.clear()
    const { text } = await pressButtonOn(house, link)
    assert.match(text, /a new link is there or on its way/)
    await sendWaitingMail(house)
    await pressButtonOn(house, linkIn(house.inbox.last('ada@example.com').mail, /^\/confirm$/))
    assert.equal((await getSubscriber(house, 'ada@example.com')).status, 'active')
  },
)

story('pages behind a link are kept by nobody and tell nobody where they were', async (house) => {
  await addCategories(house)
  const { id } = await subscribeFully(house, 'ada@example.com')
  const { config, clock } = house
  for (const url of [
    preferencesUrl(config, { id, generation: 0 }, clock.now()),
    unsubscribeUrl(config, id),
    'http://news.example/confirm?token=1.0.x',
  ]) {
    const { headers, text } = await house.web.get(pathOf(url))
    assert.equal(headers['referrer-policy'], 'no-referrer')
    assert.equal(headers['cache-control'], 'no-store')
    assert.equal(headers['x-robots-tag'], 'noindex')
    assert.match(String(headers['content-security-policy']), /img-src 'self'(;|$)/)
    const foreign = [...text.matchAll(/(?:src|href)="(https?:\/\/[^"]+)"[^>]*>/g)].filter(
      ([tag]) => !tag.startsWith('href'),
    )
    assert.deepEqual(foreign, [])
  }
})

story(
  'fifty sign-ups of one address at the same moment make one subscriber, one open request and one mail',
  async (house) => {
    await addCategories(house)
    const answers = await Promise.all(Array.from({ length: 50 }, () => signUp(house, 'victim@example.com')))
    assert.ok(answers.every((answer) => answer.status === 303))
    const count = async (table: 'subscribers' | 'signupRequests' | 'deliveries') =>
      (await house.db.selectFrom(table).select('id').execute()).length
    assert.deepEqual([await count('subscribers'), await count('signupRequests'), await count('deliveries')], [1, 1, 1])
  },
)

story('ten sign-ups of one stranger’s address cause one mail', async (house) => {
  await addCategories(house)
  for (let times = 0; times < 10; times++)
    await signUp(house, 'victim@example.com').set('X-Forwarded-For', `203.0.113.${times}`).expect(303)
  await sendWaitingMail(house)
  assert.equal(house.inbox.to('victim@example.com').length, 1)
})

story(
  'a network that signs up too often is refused for a while, wherever it says it comes from',
  async (house) => {
    await addCategories(house)
    for (let times = 0; times < 4; times++)
      await signUp(house, `reader${times}@example.com`)
        .set('X-Forwarded-For', `2001:db8:0:7::${times + 1}`)
        .expect(303)
    const refused = await signUp(house, 'reader9@example.com').set('X-Forwarded-For', '2001:db8:0:7::ffff')
    assert.equal(refused.status, 429)
    assert.ok(refused.headers['retry-after'])
    await signUp(house, 'reader9@example.com').set('X-Forwarded-For', '2001:db8:0:8::1').expect(303)
  },
  { env: { TRUST_PROXY: '1', SIGNUPS_PER_NETWORK: '4' } },
)

story(
  'one-click leaves at once, urlencoded or multipart, without cookie or redirect, and sends no goodbye',
  async (house) => {
    await addCategories(house)
    const ada = await subscribeFully(house, 'ada@example.com')
    const bob = await subscribeFully(house, 'bob@example.com')
    await sendWaitingMail(house)
    house.inbox.clear()
    const click = (id: number) => house.web.post(pathOf(unsubscribeUrl(house.config, id)))
    const first = await click(ada.id).type('form').send('List-Unsubscribe=One-Click').expect(200)
    const second = await click(bob.id).field('List-Unsubscribe', 'One-Click').expect(200)
    assert.equal(first.headers['set-cookie'], undefined)
    assert.equal(first.text, second.text)
    await click(ada.id).type('form').send('List-Unsubscribe=One-Click').expect(200)
    const unknown = await house.web.post('/unsubscribe?token=nonsense').type('form').send('List-Unsubscribe=One-Click')
    assert.equal(unknown.status, 200)
    assert.equal(unknown.text, first.text)
    await house.web.post('/unsubscribe').field('List-Unsubscribe', 'One-Click').expect(200)
    for (const email of ['ada@example.com', 'bob@example.com'])
      assert.equal((await getSubscriber(house, email)).status, 'unsubscribed')
    await sendWaitingMail(house)
    assert.equal(house.inbox.received.length, 0)
  },
)

story('the unsubscribe page changes nothing by being seen, leaves by its button, and can be undone', async (house) => {
  await addCategories(house)
  const { id } = await subscribeFully(house, 'ada@example.com')
  const url = pathOf(unsubscribeUrl(house.config, id))
  for (let look = 0; look < 5; look++) await house.web.get(url).expect(200)
  assert.equal((await getSubscriber(house, 'ada@example.com')).status, 'active')
  const farewell = await pressButtonOn(house, url)
  assert.equal((await getSubscriber(house, 'ada@example.com')).status, 'unsubscribed')
  const undo = buttonOf(farewell.text)
  await house.web.post(undo.action).type('form').send(undo.fields).expect(200)
  const back = await getSubscriber(house, 'ada@example.com')
  assert.equal(back.status, 'active')
  assert.equal(back.nextDueAt?.toISOString(), '2026-03-03T06:00:00.000Z')
})

story(
  'anyone who unsubscribed and signs up again gets a new confirmation, and stays unsubscribed until they confirm',
  async (house) => {
    await addCategories(house)
    const { id } = await subscribeFully(house, 'ada@example.com')
    await house.web.post(pathOf(unsubscribeUrl(house.config, id))).expect(200)
    await sendWaitingMail(house)
    house.inbox.clear()
    await signUp(house, 'ada@example.com', { business: 'monthly' }).expect(303)
    await sendWaitingMail(house)
    assert.equal((await getSubscriber(house, 'ada@example.com')).status, 'unsubscribed')
    await pressButtonOn(house, linkIn(house.inbox.last('ada@example.com').mail, /^\/confirm$/))
    const ada = await getSubscriber(house, 'ada@example.com')
    assert.equal(ada.status, 'active')
    assert.equal(ada.frequencies, 4)
  },
)

story('a subscriber who signs up again keeps their choice and gets a link to change it', async (house) => {
  await addCategories(house)
  await subscribeFully(house, 'ada@example.com')
  await sendWaitingMail(house)
  house.inbox.clear()
  await signUp(house, 'ada@example.com', { business: 'monthly' }).expect(303)
  await sendWaitingMail(house)
  const page = await house.web.get(linkIn(house.inbox.last('ada@example.com').mail, /^\/preferences$/)).expect(200)
  assert.match(page.text, /id="politics-daily"[^>]*checked/)
  assert.match(page.text, /id="business-off"[^>]*checked/)
})

story('preferences change what is sent, keep what isn’t, and say what is wrong by its field', async (house) => {
  await addCategories(house)
  const { id } = await subscribeFully(house, 'ada@example.com', { politics: 'daily', business: 'weekly' })
  const url = pathOf(preferencesUrl(house.config, { id, generation: 0 }, house.clock.now()))
  const token = new URL(url, 'http://x').searchParams.get('token')!
  const save = (fields: Record<string, string>) =>
    house.web
      .post('/preferences')
      .type('form')
      .send({ token, ...fields })
  const saved = await save({ 'frequency[politics]': 'off', hour: '18', weekday: '5', language: 'de', paused_until: '' })
  assert.equal(saved.status, 303)
  const page = await house.web.get(saved.headers['location'] as string).expect(200)
  assert.match(page.text, /Gespeichert\./)
  const ada = await getSubscriber(house, 'ada@example.com')
  assert.equal(ada.nextDueAt?.toISOString(), '2026-03-06T17:00:00.000Z')
  assert.equal(ada.locale, 'de')
  await save({ paused_until: '2026-03-20' }).expect(303)
  assert.equal((await getSubscriber(house, 'ada@example.com')).pausedUntil?.toISOString(), '2026-03-19T23:00:00.000Z')
  for (const [field, value] of [
    ['hour', '24'],
    ['weekday', 'Friday'],
    ['monthday', '0'],
    ['timezone', 'Mars/Olympus'],
    ['language', '!!'],
    ['paused_until', '2026-03-01'],
    ['frequency[politics]', 'hourly'],
    ['frequency[cooking]', 'daily'],
    ['order[politics]', 'first'],
  ]) {
    const refused = await save({ [field!]: value! })
      .set('Accept', 'application/json')
      .expect(400)
    const { errors } = JSON.parse(refused.text) as { errors: { field: string }[] }
    assert.equal(errors[0]?.field, field)
    const shown = await save({ [field!]: value! }).expect(400)
    assert.match(shown.text, /Bitte berichtigen Sie die markierten Felder/)
  }
})

story('a category that is given another’s place gets it', async (house) => {
  await addCategories(house)
  const all = { politics: 'daily', 'world-news': 'daily', business: 'daily' }
  const { id } = await subscribeFully(house, 'ada@example.com', all)
  const token = new URL(preferencesUrl(house.config, { id, generation: 0 }, house.clock.now())).searchParams.get(
    'token',
  )!
  const place = async (places: Record<string, number>) => {
    const fields = Object.fromEntries(Object.entries(places).map(([slug, at]) => [`order[${slug}]`, at]))
    await house.web
      .post('/preferences')
      .type('form')
      .send({ token, ...fields })
      .expect(303)
    return (await listSubscriptions(house.db, id)).map((line) => line.slug)
  }
  assert.deepEqual(await place({ politics: 1, 'world-news': 2, business: 1 }), ['business', 'politics', 'world-news'])
  assert.deepEqual(await place({ business: 3, politics: 2, 'world-news': 3 }), ['politics', 'world-news', 'business'])
})

story('my data is everything, as a file; erasing needs a tick and leaves nothing', async (house) => {
  await addCategories(house)
  const { id } = await subscribeFully(house, 'ada@example.com')
  const token = new URL(preferencesUrl(house.config, { id, generation: 0 }, house.clock.now())).searchParams.get(
    'token',
  )!
  const data = await house.web.get(`/preferences/data?token=${token}`).expect(200)
  assert.match(String(data.headers['content-disposition']), /attachment/)
  const parsed = JSON.parse(data.text) as { subscriber: { email: string }; consents: unknown[]; mails: unknown[] }
  assert.equal(parsed.subscriber.email, 'ada@example.com')
  assert.equal(parsed.consents.length, 2)
  assert.equal(parsed.mails.length, 2)
  await house.web.post('/preferences/erase').type('form').send({ token }).expect(400)
  await house.web.post('/preferences/erase').type('form').send({ token, erase: 'yes' }).expect(200)
  assert.equal((await house.db.selectFrom('subscribers').selectAll().execute()).length, 0)
  await house.web.get(`/preferences?token=${token}`).expect(410)
})

story('another address takes over only by the button in the mail to it', async (house) => {
  await addCategories(house)
  const { id } = await subscribeFully(house, 'ada@example.com')
  const token = new URL(preferencesUrl(house.config, { id, generation: 0 }, house.clock.now())).searchParams.get(
    'token',
  )!
  const ask = (new_email: string) => house.web.post('/preferences/address').type('form').send({ token, new_email })
  await ask('two@example.com, three@example.com').expect(400)
  await ask('ada@new.example').expect(303)
  await sendWaitingMail(house)
  const link = linkIn(house.inbox.last('ada@new.example').mail, /^\/preferences\/address$/)
  await house.web.get(link).expect(200)
  assert.equal((await getSubscriber(house, 'ada@example.com')).id, id)
  await pressButtonOn(house, link)
  assert.equal((await getSubscriber(house, 'ada@new.example')).id, id)
})

story(
  'a link that is missing, forged, meant for another door or too old is a clear page with a way on',
  async (house) => {
    await addCategories(house)
    const { id } = await subscribeFully(house, 'ada@example.com')
    const foreign = new URL(unsubscribeUrl(house.config, id)).searchParams.get('token')!
    for (const path of ['/confirm', '/preferences', '/unsubscribe', '/preferences/address', '/preferences/data'])
      for (const token of ['', 'x', '1.0.AAAAAAAAAAAAAAAAAAAAAA', path === '/unsubscribe' ? 'a.b.c' : foreign]) {
        const shown = await house.web.get(`${path}?token=${token}`).expect(400)
        assert.match(shown.text, /token/)
        assert.match(shown.text, /href="\/"/)
        assert.match(shown.text, /<form method="post" action="\/preferences"[^]*name="email"/)
      }
    await house.web.post('/confirm').type('form').send({ token: foreign }).expect(400)
    const old = pathOf(preferencesUrl(house.config, { id, generation: 0 }, house.clock.now()))
    house.clock.advance('91d')
    const page = await house.web.get(old).expect(410)
    const button = buttonOf(page.text)
    await house.web.post(button.action).type('form').send(button.fields).expect(200)
    house.inbox.clear()
    await sendWaitingMail(house)
    const fresh = linkIn(house.inbox.last('ada@example.com').mail, /^\/preferences$/)
    await house.web.get(fresh).expect(200)
  },
)

// What a stranger with many addresses can do with our forms.

import assert from 'node:assert/strict'
import { createEditor } from '../../src/access/editors.ts'
import { eraseSubscriber } from '../../src/subscribers/erase.ts'
import { purgeUnconfirmed } from '../../src/subscribers/purge.ts'
import { findSuppression } from '../../src/subscribers/standing.ts'
import { suppressAddress } from '../../src/subscribers/suppression.ts'
import { story, type House } from '../support/house.ts'
import { linkIn } from '../support/inbox.ts'
import { sendWaitingMail } from '../support/post.ts'
import { addCategories, getSubscriber, pressButtonOn, signUp, subscribeFully } from '../support/readers.ts'

const everyAnswer = { TRUST_PROXY: '1', SIGNUPS_PER_IP: '0', SIGNUPS_PER_NETWORK: '0' }

async function received(house: House): Promise<string[]> {
  house.inbox.clear()
  await sendWaitingMail(house)
  return house.inbox.received.map(({ to }) => to)
}

story(
  'one mailbox gets one confirmation a day and three in 30 days, whatever is typed for it and wherever from',
  async (house) => {
    await addCategories(house)
    const days: number[] = []
    for (let day = 0; day < 34; day++) {
      for (const name of ['v.i.ctim@gmail.com', `victim+${day}@googlemail.com`, `Vic.tim+x${day}@gmail.com`])
        await signUp(house, name)
          .set('X-Forwarded-For', `2001:db8:${day}::1`)
          .expect(303)
          .expect('Location', '/subscribe/check-your-mail')
      const mails = await received(house)
      assert.ok(mails.length <= 1, mails.join())
      if (mails.length > 0) days.push(day)
      await purgeUnconfirmed(house.ctx)
      house.clock.advance('24h')
    }
    assert.deepEqual(days, [0, 1, 2, 30, 31, 32])
  },
  { env: everyAnswer, on: 'embedded' },
)

story(
  'who is subscribed is mailed their link although strangers have used up their mailbox and their domain',
  async (house) => {
    await addCategories(house)
    await subscribeFully(house, 'ada@gmail.com')
    await received(house)
    for (let times = 0; times < 5; times++) await signUp(house, `a.d.a+${times}@googlemail.com`).expect(303)
    assert.equal((await received(house)).length, 1)
    await signUp(house, 'eve@gmail.com').expect(303)
    await signUp(house, 'ada@gmail.com').expect(303)
    assert.deepEqual(await received(house), ['ada@gmail.com'])
  },
  { env: { ...everyAnswer, SIGNUPS_PER_DOMAIN: '6' } },
)

story(
  'a domain that has had its share of an hour is answered as before, and mailed again an hour later',
  async (house) => {
    await addCategories(house)
    const answers = new Set<string>()
    const send = async (email: string) => {
      const { status, headers, text } = await signUp(house, email)
      const { date: _date, 'set-cookie': _cookie, ...rest } = headers as Record<string, string>
      answers.add(JSON.stringify({ status, rest, text }))
    }
    for (let reader = 0; reader < 5; reader++) await send(`reader${reader}@corp.example`)
    await send('reader@other.example')
    assert.equal(answers.size, 1)
    assert.deepEqual((await received(house)).toSorted(), [
      'reader0@corp.example',
      'reader1@corp.example',
      'reader2@corp.example',
      'reader@other.example',
    ])
    house.clock.advance('1h')
    await send('reader4@corp.example')
    assert.deepEqual(await received(house), ['reader4@corp.example'])
  },
  { env: { ...everyAnswer, SIGNUPS_PER_DOMAIN: '3' } },
)

story(
  'a network is refused for an hour by its /64, its /56 and its /48, and what it is refused takes nothing from others',
  async (house) => {
    await addCategories(house)
    let reader = 0
    const from = async (ip: string) =>
      (await signUp(house, `reader${reader++}@example.com`).set('X-Forwarded-For', ip)).status
    assert.deepEqual([await from('2001:db8:0:1::1'), await from('2001:db8:0:1::2')], [303, 303])
    assert.equal(await from('2001:db8:0:1::3'), 429)
    assert.equal(await from('2001:db8:0:2::1'), 303)
    assert.equal(await from('2001:db8:0:3::1'), 429)
    assert.equal(await from('2001:db8:0:100::1'), 303)
    assert.equal(await from('2001:db8:0:200::1'), 303)
    assert.equal(await from('2001:db8:0:300::1'), 303)
    assert.equal(await from('2001:db8:0:400::1'), 429)
    assert.equal(await from('2001:db8:1::1'), 303)
    for (let times = 0; times < 20; times++) assert.equal(await from('2001:db8:0:1::3'), 429)
    assert.equal(await from('::ffff:192.0.2.1'), 303)
    assert.equal(await from('192.0.2.1'), 303)
    assert.equal(await from('192.0.2.1'), 303)
    assert.equal(await from('::ffff:192.0.2.1'), 429)
    house.clock.advance('1h')
    assert.equal(await from('2001:db8:0:1::3'), 303)
  },
  { env: { TRUST_PROXY: '1', SIGNUPS_PER_NETWORK: '2', SIGNUPS_PER_IP: '3', SIGNUPS_PER_HOUR: '20' } },
)

story(
  'the editors’ sign-in mail and the reader’s links are limited by place too',
  async (house) => {
    await addCategories(house)
    await createEditor(house.ctx, { email: 'ada@news.example', actor: 'cli' })
    const ask = (path: string, ip: string, email: string) =>
      house.web.post(path).set('X-Forwarded-For', ip).set('Sec-Fetch-Site', 'same-origin').type('form').send({ email })
    for (const [path, taken] of [
      ['/admin/sign-in/link', 303],
      ['/preferences', 200],
    ] as const) {
      for (let times = 0; times < 3; times++) await ask(path, '192.0.2.1', `x${times}@news.example`).expect(taken)
      const refused = await ask(path, '192.0.2.1', 'ada@news.example').expect(429)
      assert.ok(refused.headers['retry-after'])
      await ask(path, '192.0.2.2', 'ada@news.example').expect(taken)
    }
    assert.deepEqual(await received(house), ['ada@news.example'])
  },
  { env: { TRUST_PROXY: '1', SIGNUPS_PER_IP: '3' } },
)

story(
  'who was erased, or suppressed as mail bounced, is mailed a confirmation and confirms; a complaint gets none',
  async (house) => {
    await addCategories(house)
    for (const reason of ['hard_bounce', 'soft_bounces', 'erasure', 'complaint', 'manual'] as const) {
      const email = `${reason}@example.com`
      const { id } = await subscribeFully(house, email)
      await received(house)
      if (reason === 'erasure') await eraseSubscriber(house.ctx, id)
      else await suppressAddress(house.ctx, { email, key: email }, reason)
      await signUp(house, email, { business: 'daily' }).expect(303)
      const isAsked = reason !== 'complaint' && reason !== 'manual'
      assert.deepEqual(await received(house), isAsked ? [email] : [], reason)
      if (!isAsked) continue
      await pressButtonOn(house, linkIn(house.inbox.last(email).mail, /^\/confirm$/))
      assert.equal((await getSubscriber(house, email)).status, 'active')
      assert.equal(await findSuppression(house.ctx, { email, key: email }), undefined)
      assert.deepEqual(await received(house), [email], 'the welcome')
    }
  },
)

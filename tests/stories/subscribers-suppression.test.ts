// A suppression takes nothing away that it doesn't give back: status and due time, in whatever order somebody is suppressed, taken
// off the list, unsubscribes and takes that back.

import assert from 'node:assert/strict'
import { unsubscribeUrl } from '../../src/subscribers/links.ts'
import { suppressAddress, unsuppress } from '../../src/subscribers/suppression.ts'
import { resubscribe, unsubscribe } from '../../src/subscribers/unsubscribe.ts'
import { startCaptureServer } from '../support/capture-server.ts'
import { type House, story } from '../support/house.ts'
import { openWorker, sendWaitingMail } from '../support/post.ts'
import { addCategories, buttonOf, getSubscriber, pressButtonOn, signUp, subscribeFully } from '../support/readers.ts'

const email = 'ada@example.com'
const ada = { email, key: email }
const origin = { ip: null, formUrl: '/' }
const unsubscribePath = (house: House, id: number) =>
  unsubscribeUrl(house.config, id).replace('http://news.example', '')

story(
  'who unsubscribed, was then called dead, and presses undo is told the truth and gets no due time',
  async (house) => {
    await addCategories(house)
    const { id } = await subscribeFully(house, email)
    const farewell = await pressButtonOn(house, unsubscribePath(house, id))
    const undo = buttonOf(farewell.text)
    await using server = await startCaptureServer()
    server.fault = (step) => (step === 'rcpt' ? { reply: '550 5.1.1 No such user' } : undefined)
    await signUp(house, email).expect(303)
    await openWorker(house, { relays: [server.relay] }).runOnce()
    assert.equal((await getSubscriber(house, email)).status, 'suppressed')

    const page = await house.web.post(undo.action).type('form').send(undo.fields).expect(200)
    assert.match(page.text, /We can’t send mail to this address/)
    const { status, nextDueAt } = await getSubscriber(house, email)
    assert.deepEqual({ status, nextDueAt }, { status: 'suppressed', nextDueAt: null })

    const [entry] = await house.db.selectFrom('suppressions').selectAll().execute()
    assert.equal(entry!.reason, 'hard_bounce')
    assert.equal(entry!.domain, 'example.com')
    assert.equal(entry!.relay, server.relay.name)
    assert.match(entry!.detail, /^550 .*No such user/)
    assert.equal(entry!.statusBefore, 'active', 'the undo counts once the address is off the list')
    await unsuppress(house.ctx, entry!.emailHash)
    assert.equal((await getSubscriber(house, email)).status, 'active')
    assert.ok((await getSubscriber(house, email)).nextDueAt)
  },
)

const steps = {
  suppress: (house) => suppressAddress(house.ctx, ada, 'hard_bounce'),
  complain: (house) => suppressAddress(house.ctx, ada, 'complaint', 'spam'),
  release: async (house) => unsuppress(house.ctx, (await getSubscriber(house, email)).emailHash),
  leave: async (house) => unsubscribe(house.ctx, (await getSubscriber(house, email)).id, { way: 'one-click', origin }),
  return: async (house) => resubscribe(house.ctx, (await getSubscriber(house, email)).id, origin),
  wait: async (house) => house.clock.advance('31d'),
} satisfies Record<string, (house: House) => Promise<unknown>>

const orders: [way: (keyof typeof steps)[], status: string, isDue: boolean][] = [
  [['suppress', 'release'], 'active', true],
  [['suppress', 'suppress', 'release'], 'active', true],
  [['suppress', 'complain', 'release'], 'active', true],
  [['leave', 'suppress'], 'suppressed', false],
  [['leave', 'suppress', 'release'], 'unsubscribed', false],
  [['leave', 'suppress', 'release', 'return'], 'active', true],
  [['leave', 'suppress', 'return'], 'suppressed', false],
  [['leave', 'suppress', 'return', 'release'], 'active', true],
  [['leave', 'suppress', 'return', 'leave', 'release'], 'unsubscribed', false],
  [['leave', 'suppress', 'wait', 'return', 'release'], 'unsubscribed', false],
  [['suppress', 'leave'], 'suppressed', false],
  [['suppress', 'leave', 'release'], 'unsubscribed', false],
  [['suppress', 'leave', 'release', 'return'], 'active', true],
  [['suppress', 'leave', 'return', 'release'], 'active', true],
]
for (const [way, status, isDue] of orders)
  story(`${way.join(', ')}: ${status}`, async (house) => {
    await addCategories(house)
    await subscribeFully(house, email)
    for (const step of way) await steps[step](house)
    const subscriber = await getSubscriber(house, email)
    assert.deepEqual([subscriber.status, subscriber.nextDueAt !== null], [status, isDue])
  })

story(
  'off the list somebody is due exactly when they were, and who hadn’t confirmed may still do so',
  async (house) => {
    await addCategories(house)
    await subscribeFully(house, email, { politics: 'weekly' })
    const due = new Date('2026-03-03T09:30:00Z')
    await house.db.updateTable('dueTimes').set({ nextDueAt: due, carriedDue: 5 }).execute()
    const { id, emailHash } = await getSubscriber(house, email)
    await suppressAddress(house.ctx, ada, 'hard_bounce')
    assert.deepEqual(await house.db.selectFrom('dueTimes').selectAll().execute(), [])
    await unsuppress(house.ctx, emailHash)
    assert.deepEqual(await house.db.selectFrom('dueTimes').selectAll().execute(), [
      { subscriberId: id, nextDueAt: due, carriedDue: 5 },
    ])

    await suppressAddress(house.ctx, ada, 'hard_bounce')
    house.clock.advance('9d')
    await unsuppress(house.ctx, emailHash)
    const { nextDueAt } = await getSubscriber(house, email)
    assert.ok(nextDueAt! > house.clock.now(), 'a slot that is long past is not made up for')

    await signUp(house, 'eve@example.com').expect(303)
    await sendWaitingMail(house)
    await suppressAddress(house.ctx, { email: 'eve@example.com', key: 'eve@example.com' }, 'hard_bounce')
    await unsuppress(house.ctx, (await getSubscriber(house, 'eve@example.com')).emailHash)
    assert.equal((await getSubscriber(house, 'eve@example.com')).status, 'pending')
  },
)

story('a complaint takes the place of a bounce, a bounce not that of a complaint', async (house) => {
  const list = () => house.db.selectFrom('suppressions').select(['reason', 'detail']).execute()
  await suppressAddress(house.ctx, ada, 'hard_bounce', '550')
  await suppressAddress(house.ctx, ada, 'complaint', 'spam')
  assert.deepEqual(await list(), [{ reason: 'complaint', detail: 'spam' }])
  await suppressAddress(house.ctx, ada, 'hard_bounce', '550')
  await suppressAddress(house.ctx, ada, 'manual', 'by hand')
  assert.deepEqual(await list(), [{ reason: 'complaint', detail: 'spam' }])
})

story('the page of an unsubscribe link lets a suppressed subscriber unsubscribe', async (house) => {
  await addCategories(house)
  const { id } = await subscribeFully(house, email)
  await suppressAddress(house.ctx, ada, 'hard_bounce')
  const farewell = await pressButtonOn(house, unsubscribePath(house, id))
  assert.match(farewell.text, /won’t receive any more digests/)
  assert.doesNotMatch(farewell.text, /Undo/)
  await house.web.get(unsubscribePath(house, id)).expect(200, /<h1>You are unsubscribed<\/h1>/)
})

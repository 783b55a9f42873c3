// Sending that is held: no mail of any lane on any way, until an operator decides in the console, by API or on the command line.

import assert from 'node:assert/strict'
import { listAlerts, checkAlerts } from '../../src/desk/alerts.ts'
import { composersOf } from '../../src/composers.ts'
import type { Composer } from '../../src/delivery/composer.ts'
import { addToOutbox } from '../../src/delivery/outbox.ts'
import { holdSending } from '../../src/delivery/sending-hold.ts'
import { runTick } from '../../src/planning/tick.ts'
import { typed } from '../support/command-line.ts'
import { type House, story } from '../support/house.ts'
import { openApi, openConsole } from '../support/keys.ts'
import { addCategories, addReader, addStory } from '../support/newsroom.ts'
import { openWorker, sendWaitingMail } from '../support/post.ts'
import { triggerDigest } from '../../src/planning/trigger.ts'
import { accountOf } from '../../src/editions/account.ts'

const hold = {
  since: '2026-03-02T06:00:00.000Z',
  why: 'This database was restored from a backup of 2026-03-01T20:00:00.000Z.',
  knownUntil: '2026-03-01T20:00:00.000Z',
}

/** A reader who is due at seven, an edition that is open, and a single mail that waits. */
async function furnish(house: House): Promise<void> {
  const { ctx, db } = house
  const [politics] = await addCategories(db, 'politics')
  await addReader(ctx, { email: 'ada@mail.example', choice: { [politics!]: 'daily' } })
  await addStory(ctx, 'Old story', [politics!])
  await triggerDigest(ctx, { actor: 'cli' })
  await runTick(ctx)
  await db.transaction().execute((trx) =>
    addToOutbox(trx, {
      kind: 'alert',
      recipient: 'desk@news.example',
      payload: { subject: 'Look', text: 'At this.' },
    }),
  )
  await db.updateTable('deliveries').set({ createdAt: house.clock.now() }).execute()
  house.clock.set('2026-03-02T07:00:00Z')
  await addStory(ctx, 'New story', [politics!])
}

async function later(house: House, at: string): Promise<void> {
  house.clock.set(at)
  await runTick(house.ctx)
  await sendWaitingMail(house)
  await runTick(house.ctx)
}

story(
  'while sending is held nothing is planned, leased or sent; after the release, what is due is sent',
  async (house) => {
    const { ctx, db, inbox } = house
    await furnish(house)
    await holdSending(db, hold)
    const { planned, missed } = await runTick(ctx)
    assert.deepEqual({ planned, missed }, { planned: [], missed: 0 })
    await sendWaitingMail(house)
    assert.deepEqual(inbox.received, [])
    const run = await typed(house, ['digest', 'run', '--manual'])
    assert.equal(run.code, 1)
    assert.match(run.stderr, /^This database was restored .* No mail is sent until sending is released\./)
    const api = await openApi(house)
    const { body: refused } = await api('post', '/editions').send({ kind: 'manual' }).expect(409)
    assert.match(refused.detail, /No mail is sent until sending is released/)

    await checkAlerts(ctx)
    assert.deepEqual(
      (await listAlerts(db)).map(({ key }) => key),
      ['sending'],
    )
    const editor = await openConsole(house)
    assert.match((await editor.get('/admin').expect(200)).text, /href="\/admin\/sending">This database was restored/)
    const page = (await editor.get('/admin/sending').expect(200)).text
    assert.match(page, /who signed up, changed a choice or unsubscribed, and what was sent/)
    await editor.post('/admin/sending', { due: 'send' }).expect(303)
    assert.match((await editor.get('/admin/sending?done=released').expect(200)).text, /Sending is released/)
    await editor.post('/admin/sending', { due: 'send' }).expect(409)

    await later(house, '2026-03-02T07:01:00Z')
    assert.equal(inbox.to('desk@news.example').length, 1)
    assert.equal(inbox.to('ada@mail.example').length, 1)
    await checkAlerts(ctx)
    assert.deepEqual(await listAlerts(db), [])
  },
)

story('what was due before now can be skipped: mails, slots, and the stories that are here', async (house) => {
  const { ctx, db, inbox } = house
  await furnish(house)
  await holdSending(db, hold)
  house.clock.set('2026-03-02T08:00:00Z')
  const api = await openApi(house)
  const { body: held } = await api('get', '/sending').expect(200)
  assert.equal(held.isHeld, true)
  assert.equal(held.knownUntil, hold.knownUntil)
  await db
    .updateTable('deliveries')
    .set({ createdAt: new Date('2026-03-02T05:00:00Z') })
    .execute()
  await api('post', '/sending/release').send({}).expect(400)
  const { body: free } = await api('post', '/sending/release').send({ skipDue: true }).expect(200)
  assert.deepEqual(free, { isHeld: false, since: null, why: null, knownUntil: null, text: null })
  await api('post', '/sending/release').send({ skipDue: true }).expect(409)

  await later(house, '2026-03-02T08:01:00Z')
  assert.deepEqual(inbox.received, [])
  const [manual] = await db.selectFrom('editions').select(['id', 'state']).where('kind', '=', 'manual').execute()
  assert.equal(manual!.state, 'cancelled')
  assert.equal((await accountOf(db, manual!.id)).skipped.cancelled, 1)

  const { id } = await db.selectFrom('categories').select('id').executeTakeFirstOrThrow()
  await addStory(ctx, 'Later story', [id])
  await later(house, '2026-03-03T07:01:00Z')
  const [mail] = inbox.to('ada@mail.example')
  assert.equal(inbox.received.length, 1)
  assert.match(mail!.mail.text!, /Later story/)
  assert.doesNotMatch(mail!.mail.text!, /New story|Old story/)
})

story('mail that was leased before the hold isn’t named any more', async (house) => {
  const { db, inbox } = house
  await furnish(house)
  const composers = composersOf(house.ctx)
  const holdFirst = (composer: Composer): Composer => ({
    prepare: async (leased) => {
      await holdSending(db, hold)
      return composer.prepare(leased)
    },
  })
  await openWorker(house, {
    composers: { ...composers, alert: holdFirst(composers.alert), digest: holdFirst(composers.digest) },
  }).runOnce()
  assert.deepEqual(inbox.received, [])
  const said = await typed(house, ['sending', 'release'])
  assert.equal(said.code, 1)
  assert.match(said.stderr, /add --yes/)
  assert.equal(
    (await typed(house, ['sending', 'release', '--yes'])).stdout,
    'Sending is released. What is due goes out.\n',
  )
  assert.equal((await typed(house, ['sending', 'status'])).stdout, 'Sending isn’t held.\n')
})

// Rules that are one condition in one statement, each with a reader who would notice if it weren't there.

import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { composersOf } from '../../src/composers.ts'
import { registerWorker } from '../../src/delivery/leases.ts'
import { addToOutbox } from '../../src/delivery/outbox.ts'
import { DeliveryWorker } from '../../src/delivery/worker.ts'
import { retryFailed } from '../../src/desk/control.ts'
import { purge } from '../../src/delivery/purge.ts'
import { confirmAddressChange, requestAddressChange } from '../../src/subscribers/address-change.ts'
import { addressChangeUrl } from '../../src/subscribers/links.ts'
import { subscribe } from '../../src/subscribers/subscribe.ts'
import { deadAddressesOf, suppressAddress } from '../../src/subscribers/suppression.ts'
import { type House, story } from '../support/house.ts'
import { addCategories, addReader, addStory, tick } from '../support/newsroom.ts'
import { countRefusal } from '../../src/editions/guards.ts'

const origin = { ip: '192.0.2.7', formUrl: '/' }

async function sendAll({ ctx, database, config }: House): Promise<void> {
  const parts = { database, config, log: ctx.log, composers: composersOf(ctx), deadAddresses: deadAddressesOf(ctx) }
  await new DeliveryWorker(parts).runOnce()
}
const deliveries = ({ db }: House) => db.selectFrom('deliveries').selectAll().orderBy('id').execute()

story(
  'what was due at a slot that a later one overtook is due at the later one',
  async (house) => {
    const { ctx, db, clock } = house
    const [politics, weather] = await addCategories(db, 'politics', 'weather')
    await addStory(ctx, 'Harbour reopens', [politics!, weather!])
    // Monday's slot has the weekly category too; nothing runs until Tuesday's.
    await addReader(ctx, { choice: { [politics!]: 'daily', [weather!]: 'weekly' }, weeklyDay: 1 })
    clock.set('2026-03-03T07:00:00Z')
    await tick(ctx)
    const [digest, ...others] = await deliveries(house)
    assert.equal(others.length, 0)
    assert.equal(digest?.due, 1 | 2)
    // What was carried over is due once.
    await sendAll(house)
    clock.set('2026-03-04T07:00:00Z')
    await tick(ctx)
    assert.deepEqual(
      (await deliveries(house)).map(({ due }) => due),
      [1 | 2, 1],
    )
  },
  { env: { DIGEST_GRACE_HOURS: '48' } },
)

story('a due time beyond every schedule is corrected, unless its subscriber pauses that long', async (house) => {
  const { ctx, db } = house
  const [politics] = await addCategories(db, 'politics')
  const lost = await addReader(ctx, { email: 'ann@mail.example', choice: { [politics!]: 'daily' } })
  const away = await addReader(ctx, { email: 'bob@mail.example', choice: { [politics!]: 'daily' } })
  const set = (id: number, at: string) =>
    db
      .updateTable('dueTimes')
      .set({ nextDueAt: new Date(at) })
      .where('subscriberId', '=', id)
      .execute()
  const due = async (id: number) => {
    const row = await db.selectFrom('dueTimes').select('nextDueAt').where('subscriberId', '=', id).executeTakeFirst()
    return row?.nextDueAt.toISOString()
  }
  await db
    .updateTable('subscribers')
    .set({ pausedUntil: new Date('2026-05-31T12:00:00Z') })
    .where('id', '=', away)
    .execute()
  await set(away, '2026-06-01T07:00:00Z')
  await tick(ctx)
  assert.equal(await due(away), '2026-06-01T07:00:00.000Z')
  // 64 days ahead.
  await set(lost, '2026-05-05T07:00:00Z')
  await tick(ctx)
  assert.equal(await due(lost), '2026-03-02T07:00:00.000Z')
  assert.equal(await due(away), '2026-06-01T07:00:00.000Z')
})

story('a subscriber who pauses after a digest was planned doesn’t get it', async (house) => {
  const { ctx, db, clock } = house
  const [politics] = await addCategories(db, 'politics')
  await addStory(ctx, 'Harbour reopens', [politics!])
  const id = await addReader(ctx, { email: 'ann@mail.example', choice: { [politics!]: 'daily' } })
  await addReader(ctx, { email: 'bob@mail.example', choice: { [politics!]: 'daily' } })
  clock.set('2026-03-02T07:00:00Z')
  await tick(ctx)
  await db
    .updateTable('subscribers')
    .set({ pausedUntil: sql<Date>`now() + interval '1 day'` })
    .where('id', '=', id)
    .execute()
  await sendAll(house)
  assert.deepEqual(
    (await deliveries(house)).map(({ state, reason }) => [state, reason]),
    [
      ['skipped', 'paused'],
      ['sent', null],
    ],
  )
  assert.equal(house.inbox.to('ann@mail.example').length, 0)
})

story('what failed isn’t sent again to an address that is on the suppression list', async (house) => {
  const { ctx, db, clock } = house
  const [politics] = await addCategories(db, 'politics')
  await addStory(ctx, 'Harbour reopens', [politics!])
  for (const email of ['ann@mail.example', 'bob@mail.example'])
    await addReader(ctx, { email, choice: { [politics!]: 'daily' } })
  clock.set('2026-03-02T07:00:00Z')
  await tick(ctx)
  await db.updateTable('deliveries').set({ state: 'failed', nextAttemptAt: null, settledAt: clock.now() }).execute()
  // As one who came back to an address that is listed: the subscriber alone doesn't tell.
  await db
    .insertInto('suppressions')
    .values({ emailHash: 'ann@mail.example', email: null, reason: 'complaint', createdAt: clock.now() })
    .execute()
  const [first] = await deliveries(house)
  assert.equal(await retryFailed(ctx, { editionId: first!.editionId!, actor: 'cli' }), 1)
  assert.deepEqual(
    (await deliveries(house)).map(({ recipient, state }) => [recipient, state]),
    [
      ['ann@mail.example', 'failed'],
      ['bob@mail.example', 'deferred'],
    ],
  )
})

story('an edition that is paused by refusals may be tried by any worker when it is resumed', async ({ ctx, db }) => {
  const { id } = await db
    .insertInto('editions')
    .values({ kind: 'manual', state: 'sending', createdAt: ctx.clock.now() })
    .returning('id')
    .executeTakeFirstOrThrow()
  const workerId = await registerWorker(db, { name: 'one that ends', connections: 1, leaseSeconds: 60 })
  await db.insertInto('editionGuards').values({ editionId: id, workerId, policyStreak: 0 }).execute()
  for (let refusal = 0; refusal < 10; refusal++) await countRefusal(db, ctx.log, id)
  const edition = await db.selectFrom('editions').select('state').where('id', '=', id).executeTakeFirstOrThrow()
  assert.equal(edition.state, 'paused')
  const guard = await db.selectFrom('editionGuards').selectAll().where('editionId', '=', id).executeTakeFirstOrThrow()
  assert.deepEqual([guard.workerId, guard.policyStreak], [null, 0])
})

story('suppressed subscribers are never due', async (house) => {
  const { ctx, db } = house
  await addCategories(db, 'politics')
  const ada = { email: 'ada@mail.example', key: 'ada@mail.example' }
  await suppressAddress(ctx, ada, 'manual')
  const [{ emailHash } = { emailHash: '' }] = await db.selectFrom('suppressions').select('emailHash').execute()
  await db.deleteFrom('suppressions').execute()
  const id = await addReader(ctx, { email: ada.email, choice: { 1: 'daily' } })
  await db.updateTable('subscribers').set({ emailHash }).where('id', '=', id).execute()
  assert.equal((await db.selectFrom('dueTimes').selectAll().execute()).length, 1)
  await suppressAddress(ctx, ada, 'manual')
  assert.deepEqual(await db.selectFrom('dueTimes').selectAll().execute(), [])
})

story('an address that only began to sign up gets no confirmation once it is another subscriber’s', async (house) => {
  const { ctx, db, clock, config } = house
  await addCategories(db, 'politics')
  const id = await addReader(ctx, { email: 'ada@old.example', choice: { 1: 'daily' } })
  await subscribe(ctx, { email: 'ada@new.example', choices: { politics: 'daily' }, timezone: null, origin })
  await requestAddressChange(ctx, id, 'ada@new.example')
  const change = await db.selectFrom('addressChanges').select('id').executeTakeFirstOrThrow()
  const token = new URL(addressChangeUrl(config, change.id, clock.now())).searchParams.get('token')
  assert.equal((await confirmAddressChange(ctx, token, origin)).outcome, 'changed')
  await sendAll(house)
  const subjects = house.inbox.to('ada@new.example').map(({ mail }) => mail.subject ?? '')
  assert.ok(!subjects.some((subject) => /confirm your subscription/i.test(subject)), subjects.join('; '))
})

story('a stranger’s address gets three requests to move there, however far apart within a month', async (house) => {
  const { ctx, db, clock } = house
  await addCategories(db, 'politics')
  const id = await addReader(ctx, { email: 'ada@old.example', choice: { 1: 'daily' } })
  for (let day = 0; day < 6; day++) {
    await requestAddressChange(ctx, id, 'stranger@new.example')
    clock.advance('2d')
  }
  const asked = async () => (await deliveries(house)).filter(({ kind }) => kind === 'address-change').length
  assert.equal(await asked(), 3)
  clock.advance('30d')
  await requestAddressChange(ctx, id, 'stranger@new.example')
  assert.equal(await asked(), 4)
})

story('a mail that isn’t settled, or was only lately, stays however old it is', async (house) => {
  const { ctx, db } = house
  const recipients = ['open@mail.example', 'lately@mail.example', 'old@mail.example']
  for (const recipient of recipients)
    await db.transaction().execute((trx) => addToOutbox(trx, { kind: 'welcome', recipient }))
  await sql`update deliveries set created_at = now() - interval '400 days'`.execute(db)
  await sql`update deliveries set state = 'sent', next_attempt_at = null, settled_at = now() - case recipient
    when 'old@mail.example' then interval '399 days' else interval '1 day' end where recipient <> 'open@mail.example'`.execute(
    db,
  )
  assert.equal(await purge(ctx), 1)
  assert.deepEqual(
    (await deliveries(house)).map(({ recipient }) => recipient),
    recipients.slice(0, 2),
  )
})

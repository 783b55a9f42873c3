import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { closeFinished } from '../../src/editions/close.ts'
import { moveEdition, retryFailed } from '../../src/desk/control.ts'
import { getEdition, listEditions, lockEdition } from '../../src/editions/store.ts'
import { prepare } from '../../src/planning/prepare.ts'
import { digestRun } from '../../src/commands/digests/run.ts'
import { makeSnapshot } from '../../src/digests/snapshot.ts'
import { triggerAnnouncement, triggerDigest } from '../../src/planning/trigger.ts'
import { eraseSubscriber } from '../../src/subscribers/erase.ts'
import { startCaptureServer } from '../support/capture-server.ts'
import { type House, story } from '../support/house.ts'
import { addCategories, addReader, addStory, tick } from '../support/newsroom.ts'
import { openWorker, postAll, sendThroughFaulty } from '../support/post.ts'
import { waitFor } from '../support/wait-for.ts'
import { accountOf } from '../../src/editions/account.ts'
import { ensureScheduled } from '../../src/editions/create.ts'

const deliveriesOf = (house: House, subscriberId: number) =>
  house.db.selectFrom('deliveries').selectAll().where('subscriberId', '=', subscriberId).orderBy('id').execute()
const editions = async (house: House) => (await listEditions(house.db, { limit: 100 })).items.reverse()
const dueOf = async (house: House, id: number) =>
  (
    await house.db.selectFrom('dueTimes').select('nextDueAt').where('subscriberId', '=', id).executeTakeFirst()
  )?.nextDueAt.toISOString()

story('at a slot everyone who is due gets one delivery, and a second tick plans nothing', async (house) => {
  const [politics] = await addCategories(house.db, 'politics')
  await addStory(house.ctx, 'one', [politics!])
  const daily = await addReader(house.ctx, { choice: { [politics!]: 'daily' } })
  const weekly = await addReader(house.ctx, { choice: { [politics!]: 'weekly' }, weeklyDay: 3 })
  await tick(house.ctx)
  assert.deepEqual(await editions(house), [])

  house.clock.set('2026-03-02T07:00:00Z')
  const first = await tick(house.ctx)
  assert.deepEqual(
    first.planned.map(({ planned, isComplete }) => [planned, isComplete]),
    [[1, true]],
  )
  assert.equal((await deliveriesOf(house, daily)).length, 1)
  assert.equal((await deliveriesOf(house, weekly)).length, 0)
  assert.equal(await dueOf(house, daily), '2026-03-03T07:00:00.000Z')
  assert.deepEqual((await tick(house.ctx)).planned, [])

  assert.equal((await postAll(house)).length, 1)
  const [edition] = await editions(house)
  assert.deepEqual(await closeFinished(house.ctx), [edition!.id])
  const closed = await getEdition(house.db, edition!.id)
  assert.equal(closed!.state, 'closed')
  assert.deepEqual(
    { ...closed!.account, skipped: 0 },
    { audience: 1, sent: 1, failed: 0, uncertain: 0, open: 0, skipped: 0 },
  )
  assert.equal((await deliveriesOf(house, daily))[0]!.state, 'sent')
})

story('editions are numbered one after the other, however often a slot is asked for', async (house) => {
  const ids: number[] = []
  for (const slot of ['2026-03-02T07:00:00Z', '2026-03-02T07:00:00Z', '2026-03-02T07:00:00Z', '2026-03-02T08:00:00Z'])
    ids.push((await ensureScheduled(house.db, new Date(slot), house.clock.now())).id)
  assert.deepEqual(ids, [1, 1, 1, 2])
})

story('an edition in which nobody had anything new is kept and says so', async (house) => {
  const [politics] = await addCategories(house.db, 'politics')
  await addReader(house.ctx, { choice: { [politics!]: 'daily' } })
  house.clock.set('2026-03-02T07:00:00Z')
  await tick(house.ctx)
  await postAll(house)
  await tick(house.ctx)
  const [edition] = await editions(house)
  assert.equal(edition!.state, 'closed')
  assert.equal(edition!.note, 'Nobody had anything new.')
  assert.equal(edition!.account.skipped.nothing_new, 1)
})

story('a digest that is still queued at the next slot is superseded, and what was due carries over', async (house) => {
  const [politics] = await addCategories(house.db, 'politics')
  const reader = await addReader(house.ctx, { choice: { [politics!]: 'daily' }, weeklyDay: 1 })
  await house.db.updateTable('subscribers').set({ frequencies: 3 }).execute()
  house.clock.set('2026-03-02T07:00:00Z')
  await tick(house.ctx)
  house.clock.set('2026-03-03T07:00:00Z')
  await tick(house.ctx)
  const deliveries = await deliveriesOf(house, reader)
  assert.deepEqual(
    deliveries.map(({ state, reason, due }) => [state, reason, due]),
    [
      ['skipped', 'superseded', 3],
      ['queued', null, 3],
    ],
  )
  const [old, now] = await editions(house)
  assert.equal(old!.state, 'closed')
  assert.equal(old!.account.skipped.superseded, 1)
  assert.equal(now!.account.open, 1)
})

story('a digest that a worker leases keeps its subscriber from being planned until it is settled', async (house) => {
  const [politics] = await addCategories(house.db, 'politics')
  await addStory(house.ctx, 'one', [politics!])
  const reader = await addReader(house.ctx, { choice: { [politics!]: 'daily' } })
  house.clock.set('2026-03-02T07:00:00Z')
  await tick(house.ctx)
  await using relay = await startCaptureServer()
  const { promise: mayAnswer, resolve: answer } = Promise.withResolvers<void>()
  relay.onMail = () => mayAnswer
  const sending = openWorker(house, { relays: [relay.relay] }).runOnce()
  await waitFor(() => relay.captured.length > 0)
  house.clock.set('2026-03-03T07:00:00Z')
  const blocked = await tick(house.ctx)
  assert.deepEqual(
    blocked.planned.map(({ planned, isComplete }) => [planned, isComplete]),
    [[0, false]],
  )
  assert.deepEqual(blocked.closed, [])
  assert.equal(await dueOf(house, reader), '2026-03-03T07:00:00.000Z')

  answer()
  await sending
  house.clock.advance('1m')
  const later = await tick(house.ctx)
  assert.deepEqual(
    later.planned.map(({ planned, isComplete }) => [planned, isComplete]),
    [[1, true]],
  )
  assert.equal((await deliveriesOf(house, reader)).length, 2)
})

story(
  'down for four hours: one catch-up; down for three days: the slots beyond the grace are missed',
  async (house) => {
    const [politics] = await addCategories(house.db, 'politics')
    const reader = await addReader(house.ctx, { choice: { [politics!]: 'daily' } })
    house.clock.set('2026-03-02T11:00:00Z')
    await tick(house.ctx)
    assert.equal((await deliveriesOf(house, reader)).length, 1)
    await postAll(house)

    house.clock.set('2026-03-05T08:00:00Z')
    const found = await tick(house.ctx)
    assert.equal(found.missed, 2)
    assert.equal((await deliveriesOf(house, reader)).length, 2)
    assert.deepEqual(
      (await editions(house)).map(({ slotAt, state, missed }) => [slotAt?.slice(0, 10), state, missed]),
      [
        ['2026-03-02', 'closed', 0],
        ['2026-03-03', 'missed', 1],
        ['2026-03-04', 'missed', 1],
        ['2026-03-05', 'sending', 0],
      ],
    )
    assert.equal(await dueOf(house, reader), '2026-03-06T07:00:00.000Z')
  },
)

story('a clock that steps back or forth fires nothing twice', async (house) => {
  const [politics] = await addCategories(house.db, 'politics')
  const reader = await addReader(house.ctx, { choice: { [politics!]: 'daily' } })
  for (const at of ['02T07:00', '02T06:00', '02T07:00', '03T07:00', '02T07:30', '03T08:00']) {
    house.clock.set(`2026-03-${at}:00Z`)
    await tick(house.ctx)
    await postAll(house)
  }
  assert.equal((await deliveriesOf(house, reader)).length, 2)
})

story('many ticks at once plan each slot once', async (house) => {
  const [politics] = await addCategories(house.db, 'politics')
  for (let n = 0; n < 40; n++) await addReader(house.ctx, { choice: { [politics!]: 'daily' } })
  house.clock.set('2026-03-02T07:00:00Z')
  await Promise.all(Array.from({ length: 8 }, () => tick(house.ctx)))
  await tick(house.ctx)
  assert.equal((await editions(house)).length, 1)
  assert.equal((await editions(house))[0]!.account.audience, 40)
  const { count } = await house.db
    .selectFrom('deliveries')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  assert.equal(count, 40)
})

story(
  'a manual edition ignores frequency, is for its own categories, and leaves out who has a digest open',
  async (house) => {
    const [politics, world] = await addCategories(house.db, 'politics', 'world')
    await addStory(house.ctx, 'one', [politics!])
    const monthly = await addReader(house.ctx, { choice: { [politics!]: 'monthly' }, monthlyDay: 28 })
    const other = await addReader(house.ctx, { choice: { [world!]: 'daily' }, sendHour: 20 })
    const open = await addReader(house.ctx, { choice: { [politics!]: 'daily' } })
    house.clock.set('2026-03-02T07:00:00Z')
    await tick(house.ctx)
    const { id } = await triggerDigest(house.ctx, { categories: ['politics'], actor: 'cli' })
    await tick(house.ctx)
    assert.equal((await accountOf(house.db, id)).audience, 1)
    assert.equal((await deliveriesOf(house, monthly)).length, 1)
    assert.equal((await deliveriesOf(house, other)).length, 0)
    assert.equal((await deliveriesOf(house, open)).length, 1)
    await assert.rejects(triggerDigest(house.ctx, { categories: ['nope'], actor: 'cli' }), /no category nope/)
  },
)

story('an announcement is sent to every active subscriber, whatever is open', async (house) => {
  const [politics] = await addCategories(house.db, 'politics')
  await addReader(house.ctx, { choice: { [politics!]: 'daily' } })
  const gone = await addReader(house.ctx, { choice: { [politics!]: 'daily' } })
  await house.db.updateTable('subscribers').set({ status: 'unsubscribed' }).where('id', '=', gone).execute()
  house.clock.set('2026-03-02T07:00:00Z')
  await tick(house.ctx)
  const { id } = await triggerAnnouncement(house.ctx, { subject: 'Hello', body: 'We moved.', actor: 'cli' })
  await tick(house.ctx)
  assert.equal((await accountOf(house.db, id)).audience, 1)
})

story('pause, resume and cancel; the account adds up', async (house) => {
  const [politics] = await addCategories(house.db, 'politics')
  for (let n = 0; n < 5; n++) await addReader(house.ctx, { choice: { [politics!]: 'daily' } })
  await addStory(house.ctx, 'one', [politics!])
  house.clock.set('2026-03-02T07:00:00Z')
  await tick(house.ctx)
  const [edition] = await editions(house)
  const editionId = edition!.id
  await postAll(house, { limit: 2 })
  await moveEdition(house.ctx, { editionId, move: 'pause', actor: 'editor:1' })
  assert.equal((await postAll(house)).length, 0)
  await moveEdition(house.ctx, { editionId, move: 'resume', actor: 'editor:1' })
  await assert.rejects(moveEdition(house.ctx, { editionId, move: 'resume', actor: 'editor:1' }), /can't be resumed/)
  await moveEdition(house.ctx, { editionId, move: 'cancel', actor: 'editor:1' })
  await tick(house.ctx)
  const over = await getEdition(house.db, editionId)
  assert.equal(over!.state, 'cancelled')
  assert.ok(over!.closedAt)
  assert.equal(over!.account.sent, 2)
  assert.equal(over!.account.skipped.cancelled, 3)
  const actions = await house.db.selectFrom('auditLog').select('action').orderBy('id').execute()
  assert.deepEqual(
    actions.map(({ action }) => action),
    ['edition.paused', 'edition.resumed', 'edition.cancelled'],
  )
})

story('what failed can be sent again, unless a later digest has brought its stories', async (house) => {
  const [politics] = await addCategories(house.db, 'politics')
  await addStory(house.ctx, 'one', [politics!])
  const first = await addReader(house.ctx, { choice: { [politics!]: 'weekly' }, weeklyDay: 1 })
  const second = await addReader(house.ctx, { choice: { [politics!]: 'daily' } })
  house.clock.set('2026-03-02T07:00:00Z')
  await tick(house.ctx)
  const [edition] = await editions(house)
  const editionId = edition!.id
  await sendThroughFaulty(house, 'refuses')
  house.clock.set('2026-03-03T07:00:00Z')
  await tick(house.ctx)
  assert.equal((await getEdition(house.db, editionId))!.state, 'closed')
  assert.equal(await retryFailed(house.ctx, { editionId, actor: 'cli' }), 1)
  assert.deepEqual(
    (await deliveriesOf(house, first)).map(({ state }) => state),
    ['deferred'],
  )
  assert.deepEqual(
    (await deliveriesOf(house, second)).map(({ state }) => state),
    ['failed', 'queued'],
  )
  const open = await getEdition(house.db, editionId)
  assert.deepEqual([open!.state, open!.account.failed, open!.account.open], ['sending', 1, 1])
})

story(
  'a paused subscriber gets nothing until the pause ends, and then gets mail again automatically',
  async (house) => {
    const [politics] = await addCategories(house.db, 'politics')
    const reader = await addReader(house.ctx, { choice: { [politics!]: 'daily' } })
    await house.db
      .updateTable('subscribers')
      .set({ pausedUntil: new Date('2026-03-04T00:00Z') })
      .execute()
    for (const day of ['02', '03', '04']) {
      house.clock.set(`2026-03-${day}T07:00:00Z`)
      await tick(house.ctx)
      await postAll(house)
    }
    assert.equal((await deliveriesOf(house, reader)).length, 1)
  },
)

story(
  'in approval mode an edition is built before its slot and held when nobody acts',
  async (house) => {
    const [politics] = await addCategories(house.db, 'politics')
    await addStory(house.ctx, 'one', [politics!])
    await addReader(house.ctx, { choice: { [politics!]: 'daily' } })
    house.clock.set('2026-03-02T06:45:00Z')
    await tick(house.ctx)
    const [edition] = await editions(house)
    assert.equal(edition!.state, 'awaiting_approval')
    assert.equal(edition!.account.audience, 0)
    house.clock.set('2026-03-02T07:00:00Z')
    await tick(house.ctx)
    const held = await getEdition(house.db, edition!.id)
    assert.deepEqual([held!.state, held!.account.open], ['held', 1])
    await moveEdition(house.ctx, { editionId: edition!.id, move: 'release', actor: 'editor:1' })
    assert.equal((await postAll(house)).length, 1)
    house.clock.set('2026-03-03T06:45:00Z')
    await tick(house.ctx)
    const next = (await editions(house)).at(-1)!
    await moveEdition(house.ctx, { editionId: next.id, move: 'release', actor: 'editor:1' })
    assert.equal((await getEdition(house.db, next.id))!.state, 'awaiting_approval')
    house.clock.set('2026-03-03T07:00:00Z')
    await tick(house.ctx)
    assert.equal((await getEdition(house.db, next.id))!.state, 'sending')
  },
  { env: { APPROVAL_MINUTES: '30', APPROVAL_POLICY: 'hold' } },
)

// On Postgres alone: the embedded database has one connection, so nothing happens there at the same time.

story(
  'a tick that meets another planner says so, and a digest run waits for it to end',
  async (house) => {
    const [politics] = await addCategories(house.db, 'politics')
    await addReader(house.ctx, { choice: { [politics!]: 'daily' } })
    house.clock.set('2026-03-02T07:00:00Z')
    const edition = await ensureScheduled(house.db, house.clock.now(), house.clock.now())
    await prepare(house.ctx, edition, { makeSnapshot, next: 'sending' })
    const said: string[] = []
    let running: Promise<number> | null = null
    await house.db.transaction().execute(async (other) => {
      await lockEdition(other, edition.id)
      let readings = 0
      const clock = { now: () => (readings++, house.clock.now()) }
      const met = await tick({ ...house.ctx, clock })
      assert.deepEqual([met.planned, met.isBusy], [[], true])
      const ofOneTick = readings
      const out = { print: (line: string) => void said.push(line), progress: () => {}, error: () => {}, isTty: false }
      running = digestRun({ ...house.ctx, clock }, { planOnly: true, json: true }, out, { openWorker: null })
      await waitFor(() => readings >= 3 * ofOneTick || said.length > 0)
      assert.deepEqual(said, [])
    })
    assert.equal(await running, 0)
    const { event, audience } = JSON.parse(said[0]!) as { event: string; audience: number }
    assert.deepEqual([event, audience, said.length], ['planned', 1, 1])
    assert.equal((await tick(house.ctx)).isBusy, false)
  },
  { on: 'postgres' },
)

story(
  'who is erased while a chunk plans them leaves no address behind',
  async (house) => {
    const [politics] = await addCategories(house.db, 'politics')
    const id = await addReader(house.ctx, { email: 'gone@mail.example', choice: { [politics!]: 'daily' } })
    const edition = await triggerDigest(house.ctx, { actor: 'cli' })
    let erased: Promise<boolean> | null = null
    await house.db.transaction().execute(async (planning) => {
      await planning.updateTable('dueTimes').set({ carriedDue: 0 }).where('subscriberId', '=', id).execute()
      erased = eraseSubscriber(house.ctx, id)
      // From outside: within a transaction what others do is read once.
      for (let looks = 0, waits = false; !waits; looks++) {
        assert.ok(looks < 10_000, 'erasing waits for the chunk')
        const { rows } = await sql<{ waits: boolean }>`
        select exists (select from pg_stat_activity where wait_event_type = 'Lock' and query like '%due_times%'
          and datname = current_database()) as waits`.execute(house.db)
        waits = rows[0]!.waits
      }
      await sql`insert into deliveries (edition_id, subscriber_id, recipient, kind, lane, due, next_attempt_at)
      values (${edition.id}, ${id}, 'gone@mail.example', 'digest', 'digest', 1, now())`.execute(planning)
    })
    assert.equal(await erased, true)
    const left = await house.db.selectFrom('deliveries').selectAll().execute()
    assert.deepEqual(
      left.map(({ recipient, subscriberId }) => [recipient, subscriberId]),
      [['erased', null]],
    )
  },
  { on: 'postgres' },
)

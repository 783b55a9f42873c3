// Everything that changes a reader, or plans for them, meets a planner that is half way through writing. Nobody is ended for a
// deadlock, nobody gets two digests at once. On Postgres alone: on the embedded database nothing happens at the same time.

import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { hashAddress } from '../../src/base/tokens.ts'
import { getPepper } from '../../src/db/settings.ts'
import { Claimer } from '../../src/delivery/claims.ts'
import { moveEdition, retryFailed } from '../../src/desk/control.ts'
import { findEdition } from '../../src/editions/store.ts'
import { planTriggered } from '../../src/planning/plan-triggered.ts'
import { prepare } from '../../src/planning/prepare.ts'
import { makeSnapshot } from '../../src/digests/snapshot.ts'
import { triggerDigest } from '../../src/planning/trigger.ts'
import { confirmAddressChange, requestAddressChange } from '../../src/subscribers/address-change.ts'
import { eraseSubscriber } from '../../src/subscribers/erase.ts'
import { addressChangeUrl } from '../../src/subscribers/links.ts'
import { changePreferences } from '../../src/subscribers/preferences.ts'
import { lockSubscriber } from '../../src/subscribers/store.ts'
import { deadAddressesOf, suppress, unsuppress } from '../../src/subscribers/suppression.ts'
import { resubscribe, unsubscribe } from '../../src/subscribers/unsubscribe.ts'
import { type House, story } from '../support/house.ts'
import { addCategories, addReader, addStory, tick } from '../support/newsroom.ts'
import { addCount } from '../../src/editions/account.ts'
import { waitFor } from '../support/wait-for.ts'

const origin = { ip: '192.0.2.7', formUrl: '/' }
const barrier = 815
const dayMs = 86_400_000

interface Desk {
  house: House
  /** Active, with a failed digest of `failed` and an open one of `open`, and due now. */
  reader: { id: number; email: string; emailHash: string; changeToken: string }
  failed: number
  open: number
}

type Act = (desk: Desk) => Promise<unknown>

const planners: Record<string, Act> = {
  'the tick at a slot': ({ house }) => tick(house.ctx),
  'planning a manual edition': async ({ house: { ctx } }) => {
    const edition = await triggerDigest(ctx, { actor: 'cli' })
    await prepare(ctx, edition, { makeSnapshot, next: 'sending' })
    return planTriggered(ctx, (await findEdition(ctx.db, edition.id))!)
  },
  'sending again what failed': ({ house, failed }) => retryFailed(house.ctx, { editionId: failed, actor: 'cli' }),
}

const doors: Record<string, Act> = {
  unsubscribing: ({ house, reader }) => unsubscribe(house.ctx, reader.id, { way: 'page', origin }),
  'leaving and coming back': async ({ house, reader }) => {
    await unsubscribe(house.ctx, reader.id, { way: 'page', origin })
    return resubscribe(house.ctx, reader.id, origin)
  },
  erasing: ({ house, reader }) => eraseSubscriber(house.ctx, reader.id),
  'another frequency': ({ house, reader }) =>
    changePreferences(house.ctx, reader.id, { choices: { politics: 'weekly' } }, origin),
  'a pause': ({ house, reader }) =>
    changePreferences(house.ctx, reader.id, { pausedUntil: new Date(house.clock.now().getTime() + 9 * dayMs) }, origin),
  'another address': ({ house, reader }) => confirmAddressChange(house.ctx, reader.changeToken, origin),
  'a dead address': ({ house, reader }) =>
    house.db.transaction().execute((trx) => {
      const { email, emailHash } = reader
      const proof = { deliveryId: 1, domain: 'x.example', relay: 'relay', reply: '550 5.1.1', brakeId: null }
      return deadAddressesOf(house.ctx).suppress(trx, [{ email, emailHash, ...proof }])
    }),
  'a complaint, taken back': async ({ house, reader }) => {
    const { email, emailHash } = reader
    await house.db
      .transaction()
      .execute((trx) => suppress(trx, { email, emailHash, reason: 'complaint' }, house.clock.now()))
    await unsuppress(house.ctx, emailHash)
  },
  'a worker’s claim': async ({ house: { database, db } }) => {
    const { id } = await db
      .insertInto('workers')
      .values({ name: 'here', leaseUntil: sql<Date>`now() + interval '1 minute'` })
      .returning('id')
      .executeTakeFirstOrThrow()
    await new Claimer(database, id, null).digests(10)
  },
  'cancelling the edition before': ({ house, open }) =>
    moveEdition(house.ctx, { editionId: open, move: 'cancel', actor: 'cli' }),
}

/** What opens digests stops before it does, and who ends a due time just after, for as long as somebody holds the barrier. */
async function buildBarrier({ db }: House): Promise<void> {
  await sql
    .raw(
      `create function wait_at_barrier() returns trigger language plpgsql as
        $$ begin perform pg_advisory_xact_lock_shared(${barrier}); return new; end $$;
      create trigger barrier before insert or update on deliveries for each row
        when (new.kind = 'digest' and new.next_attempt_at is not null) execute function wait_at_barrier();
      create trigger barrier after delete on due_times for each row execute function wait_at_barrier()`,
    )
    .execute(db)
}

interface Waiting {
  pid: number
  query: string
  blockers: number[]
}

/** The sessions of this database that wait for a lock. */
async function listWaiting({ db }: House): Promise<Waiting[]> {
  const { rows } = await sql<Waiting>`
    select pid, query, pg_blocking_pids(pid) as blockers from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`.execute(db)
  return rows
}

/** Two that wait for each other, before Postgres ends one of them (after a second). */
function assertNoDeadlock(waiting: readonly Waiting[]): void {
  for (const one of waiting)
    for (const other of waiting)
      if (one.blockers.includes(other.pid) && other.blockers.includes(one.pid))
        assert.fail(`These wait for each other:\n${one.query}\n--\n${other.query}`)
}

/** `first` stops half way, `second` begins and goes as far as it can; then both go on. */
async function meet(desk: Desk, first: Act, second: Act): Promise<void> {
  const { house } = desk
  const isOver = [false, false]
  const start = (index: number, act: Act) => act(desk).finally(() => (isOver[index] = true))
  const both = await house.db.connection().execute(async (keeper) => {
    await sql`select pg_advisory_lock(${barrier})`.execute(keeper)
    try {
      const running = [start(0, first)]
      await waitFor(async () => isOver[0]! || (await listWaiting(house)).length > 0)
      assert.ok(!isOver[0], 'it comes past no barrier')
      running.push(start(1, second))
      await waitFor(async () => isOver[1]! || (await listWaiting(house)).length > 1)
      return running
    } finally {
      await sql`select pg_advisory_unlock(${barrier})`.execute(keeper)
    }
  })
  await waitFor(async () => {
    assertNoDeadlock(await listWaiting(house))
    return isOver.every(Boolean)
  })
  await Promise.all(both)
}

async function openDesk(house: House, first: string): Promise<Desk> {
  const { ctx, db, clock } = house
  const politics = await db.selectFrom('categories').select('id').executeTakeFirstOrThrow()
  await addStory(ctx, `story of ${clock.now().toISOString()}`, [politics.id])
  const id = await addReader(ctx, { choice: { [politics.id]: 'daily' } })
  const { email } = await db.selectFrom('subscribers').select('email').where('id', '=', id).executeTakeFirstOrThrow()
  const emailHash = hashAddress(await getPepper(db), email)
  await db.updateTable('subscribers').set({ emailHash }).where('id', '=', id).execute()
  const nextDay = async () => {
    clock.set(new Date(clock.now().getTime() + dayMs).toISOString())
    const { planned } = await tick(ctx)
    return planned[0]!.editionId
  }
  const failed = await nextDay()
  await db
    .updateTable('deliveries')
    .set({ state: 'failed', nextAttemptAt: null, settledAt: clock.now() })
    .where('editionId', '=', failed)
    .execute()
  await db.transaction().execute((trx) => addCount(trx, failed, 'failed', 1))
  // What triggered editions leave out has none.
  const open = first === 'the tick at a slot' || first === 'erasing' ? await nextDay() : failed
  clock.set(new Date(clock.now().getTime() + dayMs).toISOString())
  await requestAddressChange(ctx, id, `new-${email}`)
  const change = await db.selectFrom('addressChanges').selectAll().where('subscriberId', '=', id).executeTakeFirst()
  const link = new URL(addressChangeUrl(house.config, change!.id, change!.requestedAt))
  return { house, reader: { id, email, emailHash, changeToken: link.searchParams.get('token')! }, failed, open }
}

/** As far as both are done: the reader's digests that may still be sent. */
async function countOpen({ house, reader }: Desk): Promise<number> {
  const rows = await house.db
    .selectFrom('deliveries')
    .select('id')
    .where('subscriberId', '=', reader.id)
    .where('kind', '=', 'digest')
    .where('nextAttemptAt', 'is not', null)
    .execute()
  return rows.length
}

async function isLeftBehind({ house, reader }: Desk): Promise<boolean> {
  const subscriber = await house.db
    .selectFrom('subscribers')
    .select('id')
    .where('id', '=', reader.id)
    .executeTakeFirst()
  const delivery = await house.db
    .selectFrom('deliveries')
    .select('id')
    .where('recipient', '=', reader.email)
    .executeTakeFirst()
  return !subscriber && delivery !== undefined
}

async function checkMeeting(house: House, first: string, stopped: Act, act: Act): Promise<void> {
  await addCategories(house.db, 'politics')
  const desk = await openDesk(house, first)
  await buildBarrier(house)
  try {
    await meet(desk, stopped, act)
  } finally {
    await sql`drop function wait_at_barrier cascade`.execute(house.db)
  }
  assert.ok((await countOpen(desk)) <= 1, 'one digest at a time')
  assert.equal(await isLeftBehind(desk), false, 'who was erased is named nowhere')
}

const everything = Object.entries({ ...planners, ...doors })
for (const [first, stopped] of everything.filter(([name]) => name in planners || name === 'erasing'))
  for (const [second, act] of everything)
    if (second !== first)
      story(`${first} meets ${second}`, (house) => checkMeeting(house, first, stopped, act), {
        on: 'postgres',
        now: '2026-03-02T07:00:00Z',
      })

story(
  'a claim doesn’t wait for a subscriber who is being changed',
  async (house) => {
    await addCategories(house.db, 'politics')
    const desk = await openDesk(house, 'the tick at a slot')
    let isOver = false
    const claim = await house.db.transaction().execute(async (change) => {
      await lockSubscriber(change, desk.reader.id)
      const claiming = doors['a worker’s claim']!(desk).finally(() => (isOver = true))
      await waitFor(async () => isOver || (await listWaiting(house)).length > 0)
      assert.ok(isOver, 'it waits')
      return claiming
    })
    await claim
  },
  { on: 'postgres', now: '2026-03-02T07:00:00Z' },
)

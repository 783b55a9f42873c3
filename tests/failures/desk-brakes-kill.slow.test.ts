// A delivery worker that is killed while a relay calls everybody dead, on real Postgres with fsync on: nobody stays suppressed, no
// mail is lost, and after the decision the account adds up.

import assert from 'node:assert/strict'
import { after, describe } from 'node:test'
import { sql } from 'kysely'
import { systemClock } from '../../src/base/clock.ts'
import { addToOutbox } from '../../src/delivery/outbox.ts'
import type { BrakeDecision } from '../../src/desk/brake-words.ts'
import { decideBrake } from '../../src/desk/brakes.ts'
import { isLong, makeRow } from '../support/fault-rows.ts'
import type { FaultWorld } from '../support/fault-world.ts'
import { startRestartablePostgres } from '../support/restartable-postgres.ts'
import { countOutcomes, countStates, quietLog, sendingConfig } from '../support/sending.ts'
import { testConnections } from '../support/worker-process.ts'
import { waitFor } from '../support/wait-for.ts'

const postgres = await startRestartablePostgres()
const row = makeRow(postgres)
const dead = { reply: '550 5.1.1 No such user' }

/** All wait under one brake, nobody is suppressed. Returns the brake's id. */
async function untilBraked(world: FaultWorld): Promise<number> {
  const { database, edition, audience } = world
  // What was on the wire when the worker was killed is uncertain, and waits as well.
  await waitFor(async () => {
    const { rows } = await sql<{ waiting: number }>`
      select count(*)::int as waiting from deliveries
      where edition_id = ${edition} and next_attempt_at > now() + interval '1 hour'`.execute(database.db)
    return rows[0]!.waiting === audience.length
  })
  const brakes = await database.db.selectFrom('brakes').selectAll().where('decidedAt', 'is', null).execute()
  assert.equal(brakes.length, 1)
  assert.deepEqual(await suppressed(world), [])
  return brakes[0]!.id
}

const suppressed = async ({ database: { db } }: FaultWorld) =>
  (await db.selectFrom('suppressions').select('email').orderBy('email').execute()).map(({ email }) => email)

const decide = ({ database }: FaultWorld, brakeId: number, decision: BrakeDecision) =>
  decideBrake(
    // It needs nothing else of a context.
    { db: database.db, database, clock: systemClock, config: sendingConfig, log: quietLog } as Parameters<
      typeof decideBrake
    >[0],
    { brakeId, decision, actor: 'cli' },
  )

/** A worker that is killed when it has heard so many dead answers, and another that goes on. */
async function killAfter(world: FaultWorld, answers: number): Promise<void> {
  await sql`truncate brakes, dead_answers, answer_counts`.execute(world.database.db)
  const first = await world.start({ isWaiting: true })
  const second = await world.start({ isWaiting: true })
  let heard = 0
  const killed = new Promise<void>((resolve) => {
    world.server.fault = (step) => {
      if (step !== 'rcpt') return undefined
      if (++heard === answers) {
        first.child.kill('SIGKILL')
        resolve()
      }
      return dead
    }
  })
  await first.go()
  await killed
  await second.go()
}

describe('while a relay calls everybody dead, a worker', { concurrency: isLong ? 3 : 2 }, () => {
  after(() => postgres?.remove())

  row('is killed before the brake is on: sent again, everybody gets the mail', { isShort: true }, async (world) => {
    await killAfter(world, 2 + Math.floor(world.random() * 18))
    const brakeId = await untilBraked(world)
    world.server.fault = () => undefined
    await decide(world, brakeId, 'send-again')
    await world.untilSettled()
    assert.deepEqual(await suppressed(world), [])
    return { doubled: await world.judge(0) }
  })

  row('is killed as the brake goes on: believed, everybody is suppressed once', { isShort: true }, async (world) => {
    await killAfter(world, 18 + Math.floor(world.random() * 4))
    const brakeId = await untilBraked(world)
    await decide(world, brakeId, 'addresses-are-dead')
    await waitFor(async () => (await suppressed(world)).length === world.audience.length)
    await waitFor(async () => {
      const { rows } = await sql`select from deliveries where settled_at is null`.execute(world.database.db)
      return rows.length === 0
    })
    assert.deepEqual(await suppressed(world), [...world.audience].sort())
    assert.equal((await world.database.db.selectFrom('brakes').select('id').execute()).length, 1)
    const { failed = 0, uncertain = 0 } = await countStates(world.database, world.edition)
    assert.equal(failed + uncertain, world.audience.length)
    assert.ok(uncertain <= testConnections, `${uncertain} uncertain`)
    assert.deepEqual(await countOutcomes(world.database, world.edition), uncertain ? { failed, uncertain } : { failed })
    assert.deepEqual(world.stored(), [])
  })

  row('is killed with a confirmation on the wire: another sends the next one', { isShort: true }, async (world) => {
    const { db } = world.database
    await killAfter(world, 12)
    await untilBraked(world)
    const [first, second] = [await world.start({ isWaiting: true }), world.workers[1]!]
    // The only one that is left sends nothing meanwhile.
    await second.kill()
    await first.go()
    const onWire = new Promise<void>((resolve) => {
      world.server.fault = (step, { to }) => {
        if (step !== 'dot' || to !== 'new0@a0.example') return undefined
        resolve()
        return { silent: true }
      }
    })
    await db.transaction().execute(async (trx) => {
      for (const n of [0, 1, 2])
        await addToOutbox(trx, { kind: 'confirmation', recipient: `new${n}@a0.example`, payload: {} })
    })
    await onWire
    await first.kill()
    world.server.fault = (step, { to }) => (step === 'rcpt' && to.startsWith('reader') ? dead : undefined)
    await world.start()
    await waitFor(async () => {
      const { rows } = await sql`select from deliveries where lane = 'transactional' and state <> 'sent'`.execute(db)
      return rows.length === 0
    })
    assert.deepEqual(
      [...new Set(world.stored().map(({ to }) => to))].sort(),
      [0, 1, 2].map((n) => `new${n}@a0.example`),
    )
    assert.deepEqual(await suppressed(world), [])
    return { doubled: world.stored().length - 3, words: `at most ${testConnections} could have been doubled` }
  })
})

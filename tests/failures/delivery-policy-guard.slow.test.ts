// A relay that refuses everything because of us, with several worker processes on one Postgres: all of them together stop after
// at most twenty such answers.

import assert from 'node:assert/strict'
import { after, describe } from 'node:test'
import { systemClock } from '../../src/base/clock.ts'
import { decideBrake } from '../../src/desk/brakes.ts'
import { makeRow } from '../support/fault-rows.ts'
import type { FaultWorld } from '../support/fault-world.ts'
import { startRestartablePostgres } from '../support/restartable-postgres.ts'
import { countStates, quietLog, sendingConfig } from '../support/sending.ts'
import { waitFor } from '../support/wait-for.ts'

const postgres = await startRestartablePostgres()
const row = makeRow(postgres)

describe('refused as a sender', () => {
  after(() => postgres?.remove())

  for (const workers of [2, 5])
    row(
      `${workers} workers stop after at most 20 refusals in all, suppress nobody, and start over as carefully`,
      { isShort: true },
      async (world) => {
        let refusals = 0
        world.server.fault = (step) => {
          if (step !== 'dot') return undefined
          refusals++
          return { reply: '550 5.7.1 Message rejected as spam by our policy' }
        }
        const all = await Promise.all(Array.from({ length: workers }, () => world.start({ isWaiting: true })))
        await Promise.all(all.map((worker) => worker.go()))
        await untilPaused(world)
        assert.ok(refusals <= 20, `${refusals} refusals`)
        const atFirst = refusals
        refusals = 0
        await resume(world)
        await untilPaused(world)
        assert.ok(refusals <= 20, `${refusals} refusals after it was resumed`)
        const words = `${atFirst} and ${refusals} refusals`

        world.server.fault = () => undefined
        await resume(world)
        // For deliveries that were deferred time flies here.
        const flying = setInterval(() => void makeDue(world), 300)
        await world.untilSettled().finally(() => clearInterval(flying))
        assert.deepEqual(await world.database.db.selectFrom('suppressions').selectAll().execute(), [])
        return { doubled: await world.judge(0), words }
      },
    )

  row(
    'calls everybody dead, to three workers: nobody stays suppressed, and sent again all arrive',
    { isShort: true },
    async (world) => {
      const { db } = world.database
      await db.updateTable('editions').set({ isProven: true }).execute()
      let asked = 0
      world.server.fault = (step) => (step === 'rcpt' && ++asked ? { reply: '550 5.1.1 User unknown' } : undefined)
      const all = await Promise.all([1, 2, 3].map(() => world.start({ isWaiting: true })))
      await Promise.all(all.map((worker) => worker.go()))
      const countDeferred = async () => (await countStates(world.database, world.edition)).deferred ?? 0
      await waitFor(async () => (await countDeferred()) === world.audience.length, countDeferred)
      assert.deepEqual(await db.selectFrom('suppressions').select('email').execute(), [])
      const words = `${asked} were asked`
      assert.ok(asked <= 100, words)
      world.server.fault = () => undefined
      const ctx = { db, config: sendingConfig, log: quietLog, clock: systemClock }
      const { id } = await db.selectFrom('brakes').select('id').executeTakeFirstOrThrow()
      await decideBrake(ctx, { brakeId: id, decision: 'send-again', actor: 'cli' })
      await world.untilSettled()
      return { doubled: await world.judge(0), words }
    },
  )

  row('for single mails only, an edition goes on', {}, async (world) => {
    const victims = new Set(world.audience.filter((_, i) => i % 40 === 0))
    world.server.fault = (step, mail) =>
      step === 'dot' && victims.delete(mail.to) ? { reply: '550 5.7.1 not from you' } : undefined
    const both = await Promise.all([world.start({ isWaiting: true }), world.start({ isWaiting: true })])
    await Promise.all(both.map((worker) => worker.go()))
    const flying = setInterval(() => void makeDue(world), 300)
    await world.untilSettled().finally(() => clearInterval(flying))
    const { db } = world.database
    const edition = await db.selectFrom('editions').select(['state', 'note']).executeTakeFirstOrThrow()
    assert.deepEqual(edition, { state: 'sending', note: '' })
    return { doubled: await world.judge(0) }
  })
})

/** Resolves once it is paused, and says why, and nothing is on the wire any more. */
async function untilPaused({ database: { db }, edition }: FaultWorld): Promise<void> {
  const pausedBy = await waitFor(async () => {
    const { state, pausedBy } = await db
      .selectFrom('editions')
      .select(['state', 'pausedBy'])
      .where('id', '=', edition)
      .executeTakeFirstOrThrow()
    const onWire = await db.selectFrom('inFlight').select('deliveryId').where('deliveryId', 'is not', null).execute()
    return state === 'paused' && onWire.length === 0 && pausedBy
  }, 'the edition to be paused')
  assert.equal(pausedBy, 'policy')
}

/** As an editor does; what was deferred is due at once. */
async function resume(world: FaultWorld): Promise<void> {
  await makeDue(world)
  const { edition } = world
  await world.database.db
    .updateTable('editions')
    .set({ state: 'sending', note: '' })
    .where('id', '=', edition)
    .execute()
}

async function makeDue({ database: { db } }: FaultWorld): Promise<void> {
  await db
    .updateTable('deliveries')
    .set({ nextAttemptAt: new Date() })
    .where('nextAttemptAt', '>', new Date())
    .execute()
}

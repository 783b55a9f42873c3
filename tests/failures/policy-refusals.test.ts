// A relay that refuses everything because of us, with several worker processes on one Postgres: all of them together stop after
// at most twenty such answers.

import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { FaultWorld, openFaultDatabase, seededRandom } from '../support/fault-world.ts'
import { startRestartablePostgres } from '../support/restartable-postgres.ts'

const rounds = Number(process.env.FAULT_ROUNDS ?? 1)
const postgres = await startRestartablePostgres()
const audience = Array.from({ length: 400 }, (_, i) => `reader${i}@a${i % 7}.example`)

describe('refused as a sender', { skip: postgres ? false : 'no Postgres found' }, () => {
  after(() => postgres?.remove())

  for (const workers of [2, 5])
    it(`${workers} workers stop the edition after at most 20 refusals in all, suppress nobody, and start over as carefully`, async () => {
      const at = await openFaultDatabase(postgres!.url, `policy_${workers}`)
      for (let round = 0; round < rounds; round++) {
        const world = await new FaultWorld(at, audience, seededRandom(round)).open()
        let refusals = 0
        world.server.fault = (step) => {
          if (step !== 'dot') return undefined
          refusals++
          return { reply: '550 5.7.1 Message rejected as spam by our policy' }
        }
        await Promise.all(Array.from({ length: workers }, () => world.start()))
        await untilPaused(world)
        assert.ok(refusals >= 10 && refusals <= 20, `${refusals} refusals`)
        refusals = 0
        await resume(world)
        await untilPaused(world)
        assert.ok(refusals >= 10 && refusals <= 20, `${refusals} refusals after it was resumed`)

        world.server.fault = () => undefined
        await resume(world)
        // Domains that refused rest for up to minutes; here time flies.
        const flying = setInterval(() => void makeDue(world), 300)
        await world.untilSettled().finally(() => clearInterval(flying))
        await world.judge(0)
        const { db } = world.database
        assert.deepEqual(await db.selectFrom('suppressions').selectAll().execute(), [])
        await world.close()
      }
      await at.database.close()
    })

  it('a single refusal among many mails only slows down', async () => {
    const at = await openFaultDatabase(postgres!.url, 'policy_few')
    const victims = new Set(Array.from({ length: 10 }, (_, i) => `choosy@b${i}.example`))
    const mixed = audience.flatMap((address, i) => (i % 40 ? [address] : [address, [...victims][i / 40]!]))
    const world = await new FaultWorld(at, mixed, seededRandom(1)).open()
    world.server.fault = (step, mail) =>
      step === 'dot' && victims.delete(mail.to) ? { reply: '550 5.7.1 not from you' } : undefined
    await Promise.all([world.start(), world.start()])
    const { db } = world.database
    while ((await states(world)).sent !== 400) await sleep(50)
    const edition = await db.selectFrom('editions').select(['state', 'note']).executeTakeFirstOrThrow()
    assert.deepEqual(edition, { state: 'sending', note: '' })
    await world.close()
    await at.database.close()
  })
})

async function states(world: FaultWorld): Promise<Record<string, number>> {
  const rows = await world.database.db
    .selectFrom('deliveries')
    .select((eb) => ['state', eb.fn.countAll<number>().as('count')])
    .groupBy('state')
    .execute()
  return Object.fromEntries(rows.map((row) => [row.state, row.count]))
}

/** Resolves once it is paused, and says why, and nothing is on the wire any more. */
async function untilPaused({ database: { db }, edition }: FaultWorld): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const { state, note } = await db
      .selectFrom('editions')
      .select(['state', 'note'])
      .where('id', '=', edition)
      .executeTakeFirstOrThrow()
    const onWire = await db.selectFrom('inFlight').select('deliveryId').where('deliveryId', 'is not', null).execute()
    if (state === 'paused' && onWire.length === 0) return assert.match(note, /refused because of us/)
    await sleep(50)
  }
  assert.fail('the edition was not paused')
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

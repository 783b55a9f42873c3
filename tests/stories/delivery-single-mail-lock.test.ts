// Confirmations and preference links while a brake is on: they go one at a time, however many workers there are, and suppress nobody.

import assert from 'node:assert/strict'
import { sql } from 'kysely'
import type { Db } from '../../src/db/connect.ts'
import { addBrake } from '../../src/delivery/brakes.ts'
import { addToOutbox } from '../../src/delivery/outbox.ts'
import { decideBrake } from '../../src/desk/brakes.ts'
import { type CaptureServer, startCaptureServer } from '../support/capture-server.ts'
import { type House, story } from '../support/house.ts'
import { makeWorker, planEdition } from '../support/sending.ts'
import { waitFor } from '../support/wait-for.ts'

async function confirm(db: Db, recipients: readonly string[]): Promise<void> {
  await db.transaction().execute(async (trx) => {
    for (const recipient of recipients) await addToOutbox(trx, { kind: 'confirmation', recipient })
  })
}

const names = (count: number, domain: string) => Array.from({ length: count }, (_, i) => `new${i}@${domain}`)

/** Counts how many mails to `isCounted` are on the wire at once. */
function countAtOnce(server: CaptureServer, isCounted: (to: string) => boolean): { most: number } {
  const seen = { most: 0 }
  let atOnce = 0
  server.fault = (step, { to }) => {
    if (!isCounted(to)) return undefined
    if (step === 'rcpt') seen.most = Math.max(seen.most, ++atOnce)
    // Long enough for another worker to begin meanwhile.
    return step === 'dot' ? { delayMs: 20 } : undefined
  }
  server.onMail = ({ to }) => {
    if (isCounted(to)) atOnce--
  }
  return seen
}

/** While so many workers run. */
async function withWorkers(house: House, server: CaptureServer, count: number, play: () => Promise<void>) {
  const workers = Array.from({ length: count }, () => makeWorker(house.database, [server.relay]))
  for (const worker of workers) await worker.start()
  try {
    await play()
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()))
  }
}

interface Scope {
  domain: string | null
  relay: string | null
  editionId: number | null
}

const scopes: Record<string, (house: House, relay: string) => Promise<Scope>> = {
  'a domain': async () => ({ domain: 'slow.example', relay: null, editionId: null }),
  'single mails through a relay': async (_, relay) => ({ domain: null, relay, editionId: null }),
  'an edition through a relay': async ({ database }, relay) => ({
    domain: null,
    relay,
    editionId: await planEdition(database, []),
  }),
}

/** On since a moment ago. */
async function brakeOn(db: Db, scope: Scope): Promise<number> {
  const counted = { holdsDigests: scope.editionId !== null, since: sql<Date>`now()`, dead: 30, answers: 30 }
  return db.transaction().execute(async (trx) => (await addBrake(trx, { ...scope, ...counted })).id)
}

const slow: Scope = { domain: 'slow.example', relay: null, editionId: null }

for (const [what, scopeOf] of Object.entries(scopes))
  story(`a brake on ${what}: three workers that run already send single mails one at a time`, async (house) => {
    await using server = await startCaptureServer()
    const seen = countAtOnce(server, (to) => to.endsWith('@slow.example'))
    await withWorkers(house, server, 3, async () => {
      await brakeOn(house.db, await scopeOf(house, server.relay.name))
      await confirm(house.db, names(24, 'slow.example'))
      await waitFor(() => server.captured.length === 24)
    })
    assert.equal(seen.most, 1)
    const left = await house.db.selectFrom('brakes').select('singleMailWorkerId').execute()
    assert.deepEqual(left, [{ singleMailWorkerId: null }], 'nobody keeps the lock')
  })

story(
  'a worker that died with the lock keeps it until its lease ends, not longer',
  async (house) => {
    const { db } = house
    await using server = await startCaptureServer()
    const brakeId = await brakeOn(db, slow)
    const { id: dead } = await db
      .insertInto('workers')
      .values({ name: 'dead', leaseUntil: sql`now() + interval '1 hour'` })
      .returning('id')
      .executeTakeFirstOrThrow()
    await db.updateTable('brakes').set({ singleMailWorkerId: dead }).where('id', '=', brakeId).execute()
    await withWorkers(house, server, 1, async () => {
      await confirm(db, ['one@slow.example', 'two@fast.example'])
      await waitFor(() => server.captured.length === 1)
      assert.equal(server.captured[0]!.to, 'two@fast.example', 'others go on')
      await db
        .updateTable('workers')
        .set({ leaseUntil: sql`now()` })
        .where('id', '=', dead)
        .execute()
      await waitFor(() => server.captured.length === 2)
      assert.equal(server.captured[1]!.to, 'one@slow.example')
    })
  },
  { on: 'postgres' },
)

story('a braked domain that doesn’t answer holds up no confirmation to another', async (house) => {
  await using server = await startCaptureServer()
  server.fault = (step, { to }) => (step === 'rcpt' && to.endsWith('@slow.example') ? { delayMs: 60_000 } : undefined)
  await brakeOn(house.db, slow)
  await withWorkers(house, server, 1, async () => {
    await confirm(house.db, names(120, 'slow.example'))
    await confirm(house.db, ['ada@fast.example'])
    await waitFor(() => server.captured.length === 1)
    assert.equal(server.captured[0]!.to, 'ada@fast.example')
    await server.close()
  })
})

story('while a relay’s answers to an edition are in doubt, single mails through it suppress nobody', async (house) => {
  const { db, ctx, database } = house
  await using server = await startCaptureServer()
  const edition = await planEdition(
    database,
    Array.from({ length: 100 }, (_, i) => `reader${i}@a${i % 7}.example`),
  )
  server.fault = (step) => (step === 'rcpt' ? { reply: '550 5.1.1 No such user' } : undefined)
  const run = () => makeWorker(database, [server.relay]).runOnce()
  await run()
  const suppressed = async () => (await db.selectFrom('suppressions').selectAll().execute()).length
  await confirm(
    db,
    Array.from({ length: 12 }, (_, i) => `new@b${i}.example`),
  )
  await run()
  assert.equal(await suppressed(), 0)
  const [brake, ...others] = await db.selectFrom('brakes').selectAll().execute()
  assert.deepEqual([brake!.editionId, others], [edition, []])
  server.fault = () => undefined
  await decideBrake(ctx, { brakeId: brake!.id, decision: 'send-again', actor: 'cli' })
  await run()
  assert.equal(server.captured.length, 112)
  assert.equal(await suppressed(), 0)
})

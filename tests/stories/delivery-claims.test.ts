import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import type { Database } from '../../src/db/connect.ts'
import { Claimer } from '../../src/delivery/claims.ts'
import { registerWorker } from '../../src/delivery/leases.ts'
import { openMigrated } from '../support/embedded.ts'
import { planEdition } from '../support/sending.ts'

const database = await openMigrated()
const { db } = database
after(() => database.close())

/** So many claims lease, but their answers are lost on the way. */
let losses = 0
const losing: Database = {
  ...database,
  pglite: {
    query: async (text: string, values: unknown[]) => {
      const result = await database.pglite!.query(text, values)
      if (text.includes('as claim_id') && result.rows.length && losses-- > 0) throw new Error('the connection was lost')
      return result
    },
  } as unknown as Database['pglite'],
}

async function openClaimer(addresses: readonly string[], lost = 0) {
  losses = lost
  await db
    .updateTable('deliveries')
    .set({ nextAttemptAt: new Date('2100-01-01') })
    .execute()
  const workerId = await registerWorker(db, { name: 'w', connections: 1, leaseSeconds: 60 })
  await planEdition(database, addresses)
  return new Claimer(losing, workerId, null)
}

test('what a claim leased whose answer was lost is released before the next', async () => {
  const claimer = await openClaimer(['a@one.example', 'b@one.example'], 1)
  await assert.rejects(claimer.digests(10), /was lost/)
  const leased = await db.selectFrom('deliveries').select('id').where('nextAttemptAt', 'is', null).execute()
  assert.equal(leased.length, 2)
  const claimed = await claimer.digests(10)
  assert.equal(claimed.length, 2)
})

test('but never what another claim leased since, although the row of its first claim is still there', async () => {
  const claimer = await openClaimer(['a@two.example', 'b@two.example'])
  const [first, second] = await claimer.digests(10)
  // Both are settled, the second to be tried again.
  first!.claim.open = 0
  await db.updateTable('deliveries').set({ state: 'sent', settledAt: new Date() }).where('id', '=', first!.id).execute()
  await db.updateTable('deliveries').set({ nextAttemptAt: new Date() }).where('id', '=', second!.id).execute()
  const unreachable = claimer.clearDone(async (ids) => {
    assert.deepEqual(ids, [first!.claim.id])
    throw new Error('the database was unreachable')
  })
  await assert.rejects(unreachable, /unreachable/)
  assert.deepEqual(
    (await claimer.digests(10)).map(({ id }) => id),
    [second!.id],
  )
  await planEdition(database, ['c@two.example'])
  losses = 1
  await assert.rejects(claimer.digests(10), /was lost/)
  assert.deepEqual(
    (await claimer.digests(10)).map(({ recipient }) => recipient),
    ['c@two.example'],
  )
  assert.deepEqual(await claimer.clearDone(async (ids) => ids), [first!.claim.id])
  assert.deepEqual(await claimer.clearDone(async (ids) => ids), [])
})

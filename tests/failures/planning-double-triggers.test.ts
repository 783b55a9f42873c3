// The same wish twice: a double click, a proxy that repeats, two processes that tick at one instant. One edition, one mail each.

import assert from 'node:assert/strict'
import { after, describe } from 'node:test'
import { createLog } from '../../src/base/log.ts'
import { type Database, openPostgres } from '../../src/db/connect.ts'
import { runTick } from '../../src/planning/tick.ts'
import { triggerAnnouncement } from '../../src/planning/trigger.ts'
import { MovableClock } from '../support/clock.ts'
import { makeRow } from '../support/fault-rows.ts'
import { startRestartablePostgres } from '../support/restartable-postgres.ts'
import { sendingConfig } from '../support/sending.ts'

const postgres = await startRestartablePostgres()
const row = makeRow(postgres)
const contextOf = ({ db }: Database) => ({
  db,
  clock: new MovableClock('2026-03-02T07:00:00Z'),
  config: sendingConfig,
  log: createLog('silent'),
})

describe('a wish that comes twice', () => {
  after(() => postgres?.remove())

  row(
    'to two processes at once, makes one edition and one delivery each',
    { readers: 50, isShort: true },
    async (world) => {
      const other = openPostgres(world.url, 4)
      const processes = [contextOf(world.database), contextOf(other)]
      const requestKey = `editor:1 ${world.random()}`
      const wish = { subject: 'Hello', body: 'We moved.', actor: 'editor:1', requestKey } as const
      const made = await Promise.all(Array.from({ length: 6 }, (_, i) => triggerAnnouncement(processes[i % 2]!, wish)))
      assert.equal(new Set(made.map((edition) => edition.id)).size, 1)
      const lines = await other.db
        .selectFrom('auditLog')
        .select('id')
        .where('subject', '=', `edition:${made[0]!.id}`)
        .execute()
      assert.equal(lines.length, 1)
      await Promise.all(processes.flatMap((ctx) => [runTick(ctx), runTick(ctx)]))
      await runTick(processes[0]!)
      const planned = await other.db
        .selectFrom('deliveries')
        .select('subscriberId')
        .where('editionId', '=', made[0]!.id)
        .execute()
      assert.equal(new Set(planned.map((delivery) => delivery.subscriberId)).size, 50)
      assert.equal(planned.length, 50)
      await other.close()
    },
  )
})

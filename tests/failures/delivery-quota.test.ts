// Budgets that workers share through Postgres: mails a second, and the days of a warm-up.

import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { sql } from 'kysely'
import { DayQuota, RateQuota, warmUpLimit } from '../../src/delivery/quota.ts'
import { openPostgres } from '../../src/db/connect.ts'
import { makeRow } from '../support/fault-rows.ts'
import { openFaultDatabase } from '../support/fault-world.ts'
import { startRestartablePostgres } from '../support/restartable-postgres.ts'
import { countStates, makeWorker, sendingConfig } from '../support/sending.ts'
import { testConnections, startWorkerProcess } from '../support/worker-process.ts'
import { waitFor } from '../support/wait-for.ts'

const postgres = await startRestartablePostgres()
const row = makeRow(postgres)
const skip = postgres ? false : 'no Postgres found'

describe('a budget of all workers', () => {
  after(() => postgres?.remove())

  it('of mails a second: reserved times of two workers lie one after the other', { skip }, async () => {
    const at = await openFaultDatabase(postgres!.url)
    const other = openPostgres(at.url, 2)
    const perSecond = 200
    const { rows: before } = await sql<{ at: Date }>`select now() as at`.execute(other.db)
    const quotas = [new RateQuota(at.database.db, 'rate', perSecond), new RateQuota(other.db, 'rate', perSecond)]
    const takeAll = async (quota: RateQuota) => {
      await Promise.all(Array.from({ length: 50 }, () => quota.take()))
    }
    await Promise.all(quotas.map(takeAll))
    const { rows } = await sql<{ seconds: number }>`
      select extract(epoch from next_at - ${before[0]!.at}::timestamptz)::float8 as seconds from send_quota
      where key = 'rate'`.execute(other.db)
    // A hundred mails were taken, so the time of a hundred is spoken for. (Blocks that lay idle may lie further apart.)
    assert.ok(rows[0]!.seconds >= 100 / perSecond, `${rows[0]!.seconds} seconds`)
    await other.close()
    await at.database.close()
  })

  it(
    'of mails a day: never exceeded, hardly left unused, and none of yesterday’s is spent today',
    { skip },
    async () => {
      const at = await openFaultDatabase(postgres!.url)
      const other = openPostgres(at.url, 4)
      const plan = { mails: 100, growth: 2 }
      const first = Date.parse('2026-03-02')
      const limitOf = (now: Date) => warmUpLimit(plan, Math.floor((now.getTime() - first) / 86_400_000))
      const open = () => [at.database.db, other.db].map((db) => new DayQuota(db, 'relay', limitOf))
      const takenOf = async (quotas: DayQuota[], day: string, tries: number) => {
        const takes = quotas.flatMap((quota) => Array.from({ length: tries }, () => quota.take(new Date(day))))
        return (await Promise.all(takes)).filter(Boolean).length
      }
      const quotas = open()
      // Killed with up to a block of five in hand each.
      const beforeKill = await takenOf(quotas, '2026-03-02T08:00:00Z', 16)
      assert.equal(beforeKill, 32)
      const restarted = open()
      const afterKill = await takenOf(restarted, '2026-03-02T09:00:00Z', 100)
      assert.ok(beforeKill + afterKill <= 100 && beforeKill + afterKill >= 92, `${beforeKill + afterKill} mails`)
      assert.equal(await takenOf(restarted, '2026-03-02T23:59:59Z', 5), 0)
      assert.equal(await takenOf(restarted, '2026-03-03T00:00:00Z', 3), 6)
      assert.equal(await takenOf(restarted, '2026-03-03T12:00:00Z', 300), 194)
      await other.close()
      await at.database.close()
    },
  )

  row(
    'of a relay that warms up holds over two worker processes, a kill and a restart; the next day there is more',
    { readers: 200, isShort: true },
    async (world) => {
      const from = new Date().toISOString().slice(0, 10)
      const relay = { ...world.server.relay, warmUp: { mails: 60, growth: 2, from } }
      const start = async () => {
        const worker = await startWorkerProcess(world.url, relay)
        world.workers.push(worker)
        await worker.go()
        return worker
      }
      const wanted = Math.floor(world.random() * 40)
      const reached = new Promise<void>((resolve) => {
        world.server.onMail = () => {
          if (world.server.captured.length > wanted) resolve()
        }
      })
      const [first] = await Promise.all([start(), start()])
      await reached
      await first.kill()
      const third = await start()
      await untilSpent(world, 60)
      // A block of three each may have died or been left in hand; a mail on the wire of the killed one is sent again.
      const today = new Set(world.stored().map((mail) => mail.to)).size
      assert.ok(world.stored().length <= 60, `${world.stored().length} mails`)
      assert.ok(today >= 60 - 9 - testConnections, `${today} readers`)
      await Promise.all([third.stop(), world.workers[1]!.stop()])
      const { sent } = await countStates(world.database, world.edition)

      // Tomorrow: twice as many, by a worker whose clock says so.
      const clock = { now: () => new Date(Date.now() + 86_400_000) }
      const config = { ...sendingConfig, smtp: { ...sendingConfig.smtp, connections: testConnections } }
      const before = world.stored().length
      await makeWorker(world.database, [relay], { clock, config }).runOnce()
      const more = world.stored().length - before
      assert.ok(more > 60 && more <= 120, `${more} mails on the second day`)
      return {
        doubled: world.stored().length - new Set(world.stored().map((mail) => mail.to)).size,
        words: `${sent} and ${more} sent`,
      }
    },
  )
})

/** Resolves when the day's budget is spent and nothing is on the wire or leased any more. */
async function untilSpent(
  { database: { db } }: Parameters<Parameters<typeof row>[2]>[0],
  limit: number,
): Promise<void> {
  await waitFor(async () => {
    const { rows } = await sql<{ isDone: boolean }>`
      select coalesce((select sum(used) from send_quota where key not like 'rate%'), 0) >= ${limit}
        and not exists (select from in_flight where delivery_id is not null)
        and not exists (select from deliveries where next_attempt_at is null and settled_at is null) as is_done`.execute(
      db,
    )
    return rows[0]!.isDone
  })
}

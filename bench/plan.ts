// npm run bench -- plan [--subscribers N] [--history DAYS]: subscribers planned a second at one slot, all of them due, against the
// plainest SQL that writes the same rows: per 20,000 one statement that moves due times by a day and inserts deliveries, without
// schedules, open digests, accounts or crash safety. The same rows in the same Postgres (its ordinary settings), one after the
// other in one run. Fails nothing; prints the ratio and one JSON line.

import { sql } from 'kysely'
import { fixedClock, systemClock } from '../src/base/clock.ts'
import { readConfig } from '../src/base/config.ts'
import { createLog } from '../src/base/log.ts'
import { openPostgres } from '../src/db/connect.ts'
import { migrate } from '../src/db/migrate.ts'
import { seed } from '../src/commands/digests/seed.ts'
import { runTick } from '../src/planning/tick.ts'
import { startRestartablePostgres } from '../tests/support/restartable-postgres.ts'

const argument = (name: string, fallback: number) => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? fallback : Number(process.argv[at + 1])
}
const subscribers = argument('subscribers', 200_000)
const history = argument('history', 0)
const chunk = 20_000

const postgres = await startRestartablePostgres()
if (!postgres) throw new Error('No Postgres 15 or newer was found: planning is measured on it alone.')
const database = openPostgres(postgres.url, 4)
const { db } = database
try {
  await migrate(db)
  const ctx = { db, config: readConfig({}), log: createLog('silent'), clock: systemClock }
  let slot = ''
  const out = {
    print: (line: string) => (slot = JSON.parse(line).slot),
    error: () => {},
    progress: () => {},
    isTty: false,
  }
  console.log(`seeding ${subscribers.toLocaleString('en')} subscribers, ${history} days of history`)
  await seed(ctx, { subscribers, articles: 100, history, json: true }, out)
  const pastId = await lastDelivery()

  const plain = await timed(() => planPlainly(slot))
  await sql`delete from deliveries where id > ${pastId}`.execute(db)
  await sql`update due_times set next_due_at = ${slot}`.execute(db)
  for (const table of ['deliveries', 'due_times']) await sql`vacuum (full, analyze) ${sql.table(table)}`.execute(db)
  await sql`checkpoint`.execute(db)

  let mostMegabytes = 0
  const watch = setInterval(() => (mostMegabytes = Math.max(mostMegabytes, process.memoryUsage().rss / 1e6)), 50)
  const ours = await timed(() => runTick({ ...ctx, clock: fixedClock(new Date(slot)) }))
  clearInterval(watch)
  const { rows } = await sql<{
    planned: number
  }>`select count(*) as planned from deliveries where id > ${pastId}`.execute(db)
  const { planned } = rows[0]!
  const rate = (ms: number) => (subscribers / ms) * 1000
  console.log(
    `plain SQL in chunks   ${rate(plain).toFixed(0).padStart(7)} subscribers/s   ${(plain / 1000).toFixed(1)} s`,
  )
  console.log(
    `planning              ${rate(ours).toFixed(0).padStart(7)} subscribers/s   ${(ours / 1000).toFixed(1)} s`,
  )
  console.log(`ratio ${(plain / ours).toFixed(2)}; at most ${mostMegabytes.toFixed(0)} MB`)
  const figures = {
    subscribers,
    history,
    planned,
    plainMs: plain,
    planningMs: ours,
    ratio: plain / ours,
    mostMegabytes,
  }
  console.log(JSON.stringify({ bench: 'plan', ...figures }))
} finally {
  await database.close()
  await postgres.remove()
}

async function planPlainly(slot: string): Promise<void> {
  for (let after = 0; ;) {
    const { rows } = await sql<{ last: number | null }>`
      with stretch as (
        select subscriber_id from due_times where next_due_at = ${slot} and subscriber_id > ${after}
        order by subscriber_id limit ${chunk}
      ), moved as (
        update due_times t set next_due_at = t.next_due_at + interval '1 day' from stretch
        where t.subscriber_id = stretch.subscriber_id returning t.subscriber_id
      ), added as (
        insert into deliveries (edition_id, subscriber_id, recipient, kind, lane, due, next_attempt_at)
        select 0, s.id, s.email, 'digest', 'digest', 1, now() from moved join subscribers s on s.id = moved.subscriber_id
        order by s.id returning subscriber_id
      )
      select max(subscriber_id) as last from added`.execute(db)
    if (rows[0]!.last === null) return
    after = rows[0]!.last
  }
}

async function lastDelivery(): Promise<number> {
  const { rows } = await sql<{ id: number }>`select coalesce(max(id), 0) as id from deliveries`.execute(db)
  return rows[0]!.id
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  await sql`checkpoint`.execute(db)
  const start = performance.now()
  await run()
  return performance.now() - start
}

// MAP 3: everything that wakes by itself. Cron only says "look now": it adds a chore, and the database decides what is due. On
// many machines one of them adds it, elected by a row in cron_leases; a tick missed or doubled changes nothing.

import cron from 'node-cron'
import { sql } from 'kysely'
import type { Db } from './db/connect.ts'
import type { JobName, Queue } from './db/queue.ts'
import type { Log } from './base/log.ts'

const lines: readonly { name: JobName; pattern: string }[] = [
  { name: 'tick', pattern: '* * * * *' },
  { name: 'poll-feeds', pattern: '* * * * *' },
  { name: 'housekeeping', pattern: '17 3 * * *' },
]

/** Starts all of them and looks once at once, for what fell due while nothing ran. Returns how to stop. */
export async function startSchedule(db: Db, queue: Queue, log: Log): Promise<() => Promise<void>> {
  const wake = (name: JobName) => db.transaction().execute((trx) => queue.enqueue(trx, name, {} as never))
  const tasks = lines.map(({ name, pattern }) => {
    const task = cron.createTask(
      pattern,
      () => wake(name).catch((error: unknown) => log.error({ err: error, job: name }, 'a chore could not be added')),
      {
        name,
        timezone: 'UTC',
        noOverlap: true,
        distributed: true,
        runCoordinator: { shouldRun: (key, ttlMs) => elect(db, key, ttlMs) },
        suppressMissedWarning: true,
        logger: {
          info: () => {},
          debug: () => {},
          warn: (text) => log.debug(text),
          error: (text) => log.warn(String(text)),
        },
      },
    )
    void task.start()
    return task
  })
  for (const { name } of lines.filter((line) => line.name !== 'housekeeping')) await wake(name)
  return async () => {
    for (const task of tasks) await task.destroy()
  }
}

/** One process wins each key, which names the line and its tick. The row stays after the run: a late process must not win the
 * same tick again. Old rows go with the next win. */
async function elect(db: Db, key: string, ttlMs: number): Promise<boolean> {
  const won = await db
    .insertInto('cronLeases')
    .values({ key, until: sql<Date>`now() + make_interval(secs => ${ttlMs / 1000}::double precision)` })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .returning('key')
    .executeTakeFirst()
  if (!won) return false
  await sql`delete from cron_leases where until < now() - interval '1 day'`.execute(db)
  return true
}

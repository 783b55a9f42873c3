// MAP 3: everything that runs by a timer. Cron only adds a chore, and the database decides what is due. On many machines one
// process adds it, elected by a row in cron_leases. A tick that is missed or runs twice changes nothing.

import cron from 'node-cron'
import { sql } from 'kysely'
import type { Db } from './db/connect.ts'
import type { JobName, Queue } from './db/queue.ts'
import { setTimeout as pause } from 'node:timers/promises'
import type { Context } from './db/context.ts'
import { checkAlerts } from './desk/alerts.ts'
import { closeFinished } from './editions/close.ts'

const lines: readonly { name: JobName; pattern: string }[] = [
  { name: 'tick', pattern: '* * * * *' },
  { name: 'poll-feeds', pattern: '* * * * *' },
  { name: 'inbound', pattern: '* * * * *' },
  { name: 'imports', pattern: '* * * * *' },
  { name: 'housekeeping', pattern: '17 3 * * *' },
]

/** Starts all timers, and runs everything once at once, for what became due during a downtime. Returns the stop function. */
export async function startSchedule(ctx: Context, queue: Queue): Promise<() => Promise<void>> {
  const { db, log } = ctx
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
  const closing = new AbortController()
  const closed = closePromptly(ctx, closing.signal)
  for (const { name } of lines.filter((line) => line.name !== 'housekeeping')) await wake(name)
  return async () => {
    closing.abort()
    for (const task of tasks) await task.destroy()
    await closed
  }
}

/**
 * One process wins each key, which names the line and its tick. The row stays after the run: a late process must not win the same
 * tick again. The next win deletes old rows.
 */
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

/**
 * The tick closes editions too, but an editor who watches the last mail shouldn't wait a minute for the account. One indexed query
 * while nothing is open.
 */
async function closePromptly(ctx: Context, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await closeFinished(ctx)
    } catch (error) {
      ctx.log.warn({ err: error }, 'looking for finished editions failed')
    }
    await pause(2000, undefined, { signal, ref: false }).catch(() => {})
  }
}

/**
 * Alerts, in every process and by a timer of their own, independent of the queue, of cron and of ticks that fail. The first check
 * is after a minute, when a tick should have run. Returns the stop function.
 */
export function startWatch(ctx: Context, everyMs = 60_000): () => Promise<void> {
  const closing = new AbortController()
  const watching = (async () => {
    for (;;) {
      await pause(everyMs, undefined, { signal: closing.signal, ref: false }).catch(() => {})
      if (closing.signal.aborted) return
      await checkAlerts(ctx).catch((error: unknown) => ctx.log.error({ err: error }, 'looking for trouble failed'))
    }
  })()
  return async () => {
    closing.abort()
    await watching
  }
}

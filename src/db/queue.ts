// Chores (poll a feed, plan what is due, clean up) are pg-boss jobs on the same database. Mails aren't: a mail is a row in
// `deliveries`. A job only wakes its workflow and may run twice, so every workflow behind a job is safe to repeat.
//
// On the embedded database, a `send` outside of the open transaction would wait forever. So `enqueue` requires the transaction,
// and a chore exists only if the change that caused it was committed.

import { fromKysely, fromPglite, PgBoss } from 'pg-boss'
import type { Log } from '../base/log.ts'
import type { Database, Trx } from './connect.ts'

/** Every job and its payload. */
export interface JobPayloads {
  tick: Record<string, never>
  'poll-feeds': Record<string, never>
  inbound: Record<string, never>
  imports: Record<string, never>
  housekeeping: Record<string, never>
}
export type JobName = keyof JobPayloads

export type JobHandlers = { [Name in JobName]: (payload: JobPayloads[Name]) => Promise<unknown> }

const queues: Record<JobName, { retryLimit: number; expireInSeconds: number }> = {
  tick: { retryLimit: 0, expireInSeconds: 900 },
  'poll-feeds': { retryLimit: 0, expireInSeconds: 900 },
  inbound: { retryLimit: 0, expireInSeconds: 900 },
  imports: { retryLimit: 0, expireInSeconds: 6 * 3600 },
  housekeeping: { retryLimit: 2, expireInSeconds: 3600 },
}

export interface Queue {
  /** Adds a chore in the caller's transaction, unless a chore with the same name and key is waiting. */
  enqueue<Name extends JobName>(trx: Trx, name: Name, payload: JobPayloads[Name], key?: string): Promise<void>
  /** Starts working on chores; resolves once all workers are registered. */
  work(handlers: JobHandlers): Promise<void>
  /** Waits for running chores, at most `withinMs`. */
  stop(withinMs: number): Promise<void>
}

/** Starts pg-boss on the database and updates its schema. */
export async function openQueue(database: Database, url: string | null, log: Log): Promise<Queue> {
  const shared = { schema: 'pgboss', schedule: false, useListenNotify: true, openTelemetry: { enabled: false } }
  const boss = new PgBoss(
    database.pglite
      ? { ...shared, db: fromPglite(database.pglite), backend: 'pglite' }
      : { ...shared, connectionString: url!, max: 4, application_name: 'broadsheet chores' },
  )
  boss.on('error', (error) => log.warn({ err: error }, 'the queue of chores reported an error'))
  await boss.start()
  for (const [name, options] of Object.entries(queues))
    await boss.createQueue(name, { ...options, policy: 'stately', deleteAfterSeconds: 3600, notify: true })
  return {
    async enqueue(trx, name, payload, key) {
      await boss.send(name, payload, { db: fromKysely(trx), ...(key ? { singletonKey: key } : {}) })
    },
    async work(handlers) {
      for (const name of Object.keys(handlers) as JobName[])
        await boss.work<JobPayloads[typeof name]>(
          name,
          { batchSize: 4, burstWhenBatchFull: true, pollingIntervalSeconds: 2, notifyPollingIntervalSeconds: 15 },
          async (jobs) => {
            for (const job of jobs) {
              try {
                await (handlers[name] as (payload: unknown) => Promise<unknown>)(job.data)
              } catch (error) {
                log.error({ err: error, job: name }, 'a chore failed')
                throw error
              }
            }
          },
        )
    },
    async stop(withinMs) {
      await boss.stop({ graceful: true, timeout: withinMs, close: true })
    },
  }
}

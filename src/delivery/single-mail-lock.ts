// Under a brake, single mails (confirmations, preference links) are still sent, one at a time over all workers. The database
// decides: a brake names the worker that sends such a mail now. If a worker dies, it keeps this lock at most until its lease ends.
//
// Without a brake there is no query.

import { sql } from 'kysely'
import type { Log } from '../base/log.ts'
import type { Db } from '../db/connect.ts'

/** Wait after another worker had the lock. */
const retryMs = 100
/**
 * A worker waits as long as its last mail took before it takes the lock again, but at most this long: the others ask every quarter
 * of a second.
 */
const longestPauseMs = 300

export interface SingleMailLockOptions {
  db: Db
  log: Log
  workerId: number
  /** Single mails that waited may be sent now. */
  freed: () => void
}

export class SingleMailLock {
  #options: SingleMailLockOptions
  /**
   * Ids of brakes whose lock this worker has, with the time since when, and of those that wait, with the time until when. In
   * milliseconds of this process.
   */
  #held = new Map<number, number>()
  #notBefore = new Map<number, number>()

  constructor(options: SingleMailLockOptions) {
    this.#options = options
  }

  /** Whether it is worth asking for these brakes. Runs no query. */
  mayTry(brakeIds: readonly number[]): boolean {
    const now = performance.now()
    return brakeIds.every((id) => !this.#held.has(id) && (this.#notBefore.get(id) ?? 0) <= now)
  }

  /** Takes the locks of these brakes, all or none. false: another mail is on the wire, or a brake has just ended. */
  async take(brakeIds: readonly number[]): Promise<boolean> {
    if (!this.mayTry(brakeIds)) return false
    const { db, workerId } = this.#options
    const now = performance.now()
    for (const id of brakeIds) this.#held.set(id, now)
    const taken: number[] = []
    try {
      // In one order, so that two workers never block each other.
      for (const id of [...brakeIds].sort((a, b) => a - b)) {
        const { rows } = await sql`
          update brakes b set single_mail_worker_id = ${workerId}
          where b.id = ${id} and b.decided_at is null
            and exists (select from workers w where w.id = ${workerId} and w.lease_until > now())
            and (b.single_mail_worker_id is null or b.single_mail_worker_id = ${workerId}
              or not exists (select from workers w where w.id = b.single_mail_worker_id and w.lease_until > now()))
          returning b.id`.execute(db)
        if (!rows.length) break
        taken.push(id)
      }
    } finally {
      if (taken.length < brakeIds.length) {
        for (const id of brakeIds) {
          this.#held.delete(id)
          this.#notBefore.set(id, now + retryMs)
        }
        if (taken.length) await this.#giveBack(taken)
      }
    }
    return taken.length === brakeIds.length
  }

  /** The mail has its answer. Safe to repeat. */
  async release(brakeIds: readonly number[]): Promise<void> {
    const now = performance.now()
    let pauseMs = 0
    for (const id of brakeIds) {
      pauseMs = Math.min(now - (this.#held.get(id) ?? now), longestPauseMs)
      this.#notBefore.set(id, now + pauseMs)
    }
    await this.#giveBack(brakeIds)
    for (const id of brakeIds) this.#held.delete(id)
    setTimeout(() => this.#options.freed(), pauseMs + 1).unref()
  }

  /** Retries if the database doesn't answer, at most until the worker's lease ends. */
  async #giveBack(brakeIds: readonly number[]): Promise<void> {
    const { db, log, workerId } = this.#options
    try {
      await sql`
        update brakes set single_mail_worker_id = null
        where id = any(${`{${brakeIds.join(',')}}`}::bigint[]) and single_mail_worker_id = ${workerId}`.execute(db)
    } catch (cause) {
      log.warn({ err: cause }, 'the lock for single mails under a brake could not be given back; it is tried again')
      setTimeout(() => void this.#retry(brakeIds), 1000).unref()
    }
  }

  async #retry(brakeIds: readonly number[]): Promise<void> {
    const idle = brakeIds.filter((id) => !this.#held.has(id))
    if (idle.length) await this.#giveBack(idle)
  }
}

// Budgets that all workers share through the database: mails per second, and mails per day of a relay that is warming up. Each
// worker reserves a small block at a time, so a budget costs one statement per block, not per mail.

import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Db } from '../db/connect.ts'

/** A budget of `perSecond` mails under `key`. Reserved times follow each other, whichever worker reserves them. */
export class RateQuota {
  #db: Db
  #key: string
  #perSecond: number
  #block: number
  #left = 0
  #nextAt = 0
  #reserving: Promise<void> | null = null

  constructor(db: Db, key: string, perSecond: number) {
    this.#db = db
    this.#key = key
    this.#perSecond = perSecond
    this.#block = Math.max(1, Math.round(perSecond / 10))
  }

  /** Resolves when one more mail may be sent. */
  async take(): Promise<void> {
    while (this.#left === 0) {
      this.#reserving ??= this.#reserve().finally(() => {
        this.#reserving = null
      })
      await this.#reserving
    }
    this.#left--
    const at = this.#nextAt
    this.#nextAt += 1000 / this.#perSecond
    const wait = at - performance.now()
    if (wait > 0) await sleep(wait)
  }

  async #reserve(): Promise<void> {
    const seconds = this.#block / this.#perSecond
    const { rows } = await sql<{ wait: number }>`
      insert into send_quota (key, next_at) values (${this.#key}, now() + ${seconds}::float8 * interval '1 second')
      on conflict (key) do update set
        next_at = greatest(send_quota.next_at, now()) + ${seconds}::float8 * interval '1 second'
      returning extract(epoch from next_at - now())::float8 as wait`.execute(this.#db)
    this.#nextAt = performance.now() + Math.max(0, rows[0]!.wait - seconds) * 1000
    this.#left = this.#block
  }
}

/** How many mails a relay accepts on the day `day` of its warm-up (0: the first). Pure. */
export function warmUpLimit(plan: { mails: number; growth: number }, day: number): number {
  return Math.floor(plan.mails * plan.growth ** Math.max(0, day))
}

/** The mails of one UTC day through one relay. */
export class DayQuota {
  #db: Db
  #relay: string
  #limitOf: (day: Date) => number
  #left = 0
  /** The day to which `#left` belongs. */
  #day = ''
  #usedUp = ''
  #reserving: Promise<number> | null = null

  constructor(db: Db, relay: string, limitOf: (day: Date) => number) {
    this.#db = db
    this.#relay = relay
    this.#limitOf = limitOf
  }

  /** False when the day's budget is used up. */
  async take(now: Date): Promise<boolean> {
    const day = now.toISOString().slice(0, 10)
    if (this.#usedUp === day) return false
    // Yesterday's reservations have expired.
    if (this.#day !== day) this.#left = 0
    this.#day = day
    while (this.#left === 0) {
      // One block at a time, shared by connections that ask together.
      this.#reserving ??= this.#reserve(day, this.#limitOf(now)).finally(() => {
        this.#reserving = null
      })
      if ((await this.#reserving) > 0) continue
      this.#usedUp = day
      return false
    }
    this.#left--
    return true
  }

  async #reserve(day: string, limit: number): Promise<number> {
    const key = `${this.#relay} ${day}`
    const block = Math.max(1, Math.min(50, Math.floor(limit / 20)))
    const granted = await this.#db.transaction().execute(async (trx) => {
      await sql`insert into send_quota (key) values (${key}) on conflict do nothing`.execute(trx)
      const { rows } = await sql<{ used: number }>`select used from send_quota where key = ${key} for update`.execute(
        trx,
      )
      const some = Math.max(0, Math.min(block, limit - rows[0]!.used))
      await sql`update send_quota set used = used + ${some} where key = ${key}`.execute(trx)
      return some
    })
    if (this.#day === day) this.#left += granted
    return granted
  }
}

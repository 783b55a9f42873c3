// Which stories a reader's `seen` may forget: one that left the last 60 days can't be eligible any more.

import type { Clock } from '../base/clock.ts'
import type { Db } from '../db/connect.ts'

const dayMs = 86_400_000
const hourMs = 3_600_000

export class SeenHorizon {
  /** Article ids below it have left the last 60 days. */
  from = 0
  #db: Db
  #clock: Clock
  #readAt = -Infinity

  constructor(db: Db, clock: Clock) {
    this.#db = db
    this.#clock = clock
  }

  /** Reads it, at most once an hour. Throws when the database can't be reached. */
  async refresh(): Promise<void> {
    const now = performance.now()
    if (now < this.#readAt + hourMs) return
    const row = await this.#db
      .selectFrom('articles')
      .select('id')
      .where('firstSeenAt', '>', new Date(this.#clock.now().getTime() - 60 * dayMs))
      .orderBy('firstSeenAt')
      .limit(1)
      .executeTakeFirst()
    this.from = row?.id ?? 0
    this.#readAt = now
  }
}

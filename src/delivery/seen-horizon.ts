// Which stories may be removed from `seen`: those that became sendable at least 60 days ago can't be eligible any more. A story
// that waits for its date will become eligible, so its id and all later ones are kept. A story that was withdrawn or held since
// its date passed is never released once its date is 45 days past, and no longer counts.

import { sql } from 'kysely'
import type { Clock } from '../base/clock.ts'
import type { Db } from '../db/connect.ts'

const days = 60
const hourMs = 3_600_000

export class SeenHorizon {
  /** Article ids below it are removed. */
  from = 0
  #db: Db
  #clock: Clock
  #readAt = -Infinity

  constructor(db: Db, clock: Clock) {
    this.#db = db
    this.#clock = clock
  }

  /** Reads it from the database, at most once an hour. Throws when the database can't be reached. */
  async refresh(): Promise<void> {
    const now = performance.now()
    if (now < this.#readAt + hourMs) return
    const since = sql`${this.#clock.now()}::timestamptz - ${days} * interval '1 day'`
    // offset 0: otherwise Postgres would walk through all ids to find the smallest.
    const { rows } = await sql<{ id: number | null }>`
      select min(id) as id from (
        (select id from articles where sendable_at > ${since} offset 0)
        union all (select id from articles where sendable_at is null and published_at > ${since} offset 0)
      ) alive`.execute(this.#db)
    this.from = rows[0]?.id ?? 0
    this.#readAt = now
  }
}

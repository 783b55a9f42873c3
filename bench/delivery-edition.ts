// Editions of the delivery bench in the database, and how long they take.

import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Database } from '../src/db/connect.ts'
import { addToOutbox } from '../src/delivery/outbox.ts'
import { deliveryChannel } from '../src/editions/wake.ts'

export async function plan({ db }: Database, count: number): Promise<number> {
  await sql`insert into subscribers (email, email_key, email_hash, status, created_at)
    select 'reader' || g || '@a' || g % 50 || '.example', 'reader' || g || '@a' || g % 50 || '.example', md5(g::text), 'active', now()
    from generate_series(1, ${count}::int) g on conflict (email_key) do nothing`.execute(db)
  await sql`insert into reading (subscriber_id) select id from subscribers on conflict do nothing`.execute(db)
  const { id } = await db
    .insertInto('editions')
    .values({ kind: 'manual', state: 'planning', createdAt: new Date(), audience: count })
    .returning('id')
    .executeTakeFirstOrThrow()
  await sql`insert into deliveries (edition_id, subscriber_id, kind, lane, recipient, due, next_attempt_at)
    select ${id}, id, 'digest', 'digest', email, 1, now() from subscribers order by id limit ${count}`.execute(db)
  await sql`vacuum analyze`.execute(db)
  await sql`checkpoint`.execute(db).catch(() => {})
  return id
}

/** The instant at which workers may begin, on the database's clock. They are told as planning tells them. */
export async function release({ db }: Database, edition: number): Promise<string> {
  const { rows } = await sql<{ at: string }>`
    with released as (update editions set state = 'sending', planned_at = now() where id = ${edition})
    select clock_timestamp()::text as at, pg_notify(${deliveryChannel}, 'digest')`.execute(db)
  return rows[0]!.at
}

/** From its release to the last mail's settlement. Looked at seldom, as looking costs the measured machine. */
export async function untilSent({ db }: Database, edition: number, count: number, releasedAt: string): Promise<number> {
  for (;;) {
    await sleep(250)
    const row = await db
      .selectFrom('editionCounts')
      .select((eb) => eb.fn.sum<number>('count').as('count'))
      .where('editionId', '=', edition)
      .executeTakeFirstOrThrow()
    if (row.count < count) continue
    const { rows } = await sql<{ ms: number }>`
      select extract(epoch from max(settled_at) - ${releasedAt}::timestamptz)::float8 * 1000 as ms
      from deliveries where edition_id = ${edition}`.execute(db)
    return rows[0]!.ms
  }
}

/** Adds a confirmation every 100 ms, and tells at the end how long each took until it was settled as sent. */
export function measureConfirmations(database: Database) {
  const ids: number[] = []
  const stopped = new AbortController()
  const loop = (async () => {
    while (!stopped.signal.aborted) {
      ids.push(
        await database.db
          .transaction()
          .execute((trx) => addToOutbox(trx, { kind: 'confirmation', recipient: 'new@a1.example' })),
      )
      await sleep(100)
    }
  })()
  return {
    stop: async () => {
      stopped.abort()
      await loop
      for (;;) {
        const rows = await database.db
          .selectFrom('deliveries')
          .select(sql<number>`extract(epoch from settled_at - created_at)::float8 * 1000`.as('ms'))
          .where('id', 'in', ids)
          .where('settledAt', 'is not', null)
          .execute()
        if (rows.length === ids.length) return rows.map((row) => row.ms)
        await sleep(50)
      }
    },
  }
}

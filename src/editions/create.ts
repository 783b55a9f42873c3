// Creates editions: for a slot, for an editor's trigger, or to record a missed slot.

import { type Insertable, sql } from 'kysely'
import type { Db, Trx } from '../db/connect.ts'
import type { Edition, EditionsTable } from '../db/schema.ts'
import { emptyAccount } from './account.ts'

/**
 * The scheduled edition of a slot. It is created once, whichever process is first. It is searched before the insert, because an
 * insert with a conflict would use up an id, and editors see ids.
 */
export async function ensureScheduled(db: Db, slotAt: Date, now: Date): Promise<Edition> {
  const find = () =>
    db
      .selectFrom('editions')
      .selectAll()
      .where('kind', '=', 'scheduled')
      .where('slotAt', '=', slotAt)
      .executeTakeFirst()
  const existing = await find()
  if (existing) return existing
  await db
    .insertInto('editions')
    .values({ kind: 'scheduled', slotAt, state: 'planning', createdAt: now })
    .onConflict((conflict) => conflict.column('slotAt').where('kind', '=', 'scheduled').doNothing())
    .execute()
  return (await find())!
}

/** If two requests have the same `requestKey`, the second waits for the first and gets its edition. */
export async function createTriggered(
  trx: Trx,
  values: Omit<Insertable<EditionsTable>, 'state'>,
): Promise<{ edition: Edition; isNew: boolean }> {
  const made = await trx
    .insertInto('editions')
    .values({ ...values, state: 'planning' })
    .onConflict((conflict) => conflict.column('requestKey').doNothing())
    .returningAll()
    .executeTakeFirst()
  if (made) return { edition: made, isNew: true }
  const edition = await trx
    .selectFrom('editions')
    .selectAll()
    .where('requestKey', '=', values.requestKey!)
    .executeTakeFirstOrThrow()
  return { edition, isNew: false }
}

/** Adds to the number of subscribers whose slot this was during a downtime. */
export async function noteMissed(trx: Trx, slotAt: Date, missed: number, now: Date): Promise<void> {
  await trx
    .insertInto('editions')
    .values({
      kind: 'scheduled',
      slotAt,
      state: 'missed',
      missed,
      note: 'Nothing ran at this slot, nor within the grace period after it.',
      createdAt: now,
      plannedAt: now,
      closedAt: now,
      account: JSON.stringify(emptyAccount()),
    })
    .onConflict((conflict) =>
      conflict
        .column('slotAt')
        .where('kind', '=', 'scheduled')
        .doUpdateSet({ missed: sql<number>`editions.missed + excluded.missed` }),
    )
    .execute()
}

/** Slots after an instant can't have been missed yet: deletes such editions. Returns how many. */
export async function takeBackMissed(db: Db, after: Date): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('editions')
    .where('kind', '=', 'scheduled')
    .where('state', '=', 'missed')
    .where('slotAt', '>', after)
    .executeTakeFirst()
  await db
    .updateTable('editions')
    .set({ missed: 0 })
    .where('kind', '=', 'scheduled')
    .where('slotAt', '>', after)
    .where('missed', '>', 0)
    .execute()
  return Number(numDeletedRows)
}

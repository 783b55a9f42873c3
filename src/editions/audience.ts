// What planning writes to an edition: its audience, its progress, and that it is complete.

import { sql } from 'kysely'
import type { Db, Trx } from '../db/connect.ts'
import type { Edition } from '../db/schema.ts'
import { wakeWorkers } from './wake.ts'

/**
 * Locks the edition until the chunk is committed: it can't close, and no other process plans it. undefined: another process has
 * it.
 */
export async function takeForPlanning(trx: Trx, editionId: number): Promise<Edition | undefined> {
  return trx
    .selectFrom('editions')
    .selectAll()
    .where('id', '=', editionId)
    .forNoKeyUpdate()
    .skipLocked()
    .executeTakeFirst()
}

/** Also wakes the workers, when this transaction commits. */
export async function addAudience(trx: Trx, editionId: number, planned: number): Promise<void> {
  if (planned === 0) return
  await trx
    .updateTable('editions')
    .set({ audience: sql<number>`audience + ${planned}`, progressAt: sql<Date>`now()` })
    .where('id', '=', editionId)
    .execute()
  await wakeWorkers(trx)
}

/** Subscribers who were due after the edition was closed or cancelled: they got no mail of it. */
export async function addMissed(trx: Trx, editionId: number, missed: number): Promise<void> {
  await trx
    .updateTable('editions')
    .set({ missed: sql<number>`missed + ${missed}` })
    .where('id', '=', editionId)
    .execute()
}

/** Planning continues above this subscriber id. */
export async function setPlanCursor(trx: Trx, editionId: number, planCursor: number): Promise<void> {
  await trx.updateTable('editions').set({ planCursor }).where('id', '=', editionId).execute()
}

export async function markPlanned(db: Db, editionId: number, now: Date): Promise<void> {
  await db.updateTable('editions').set({ plannedAt: now }).where('id', '=', editionId).execute()
}

/** Marks it as planned unless a subscriber is still due at its slot. Returns whether it is planned. Safe to repeat. */
export async function markPlannedAtSlot(db: Db, editionId: number, slot: Date, now: Date): Promise<boolean> {
  const { rows } = await sql<{ id: number }>`
    update editions set planned_at = coalesce(planned_at, ${now})
    where id = ${editionId}
      -- The lowest, as Postgres finds that by index whatever its statistics say: everyone was due at this slot a moment ago.
      and (select min(next_due_at) from due_times where next_due_at >= ${slot}) is distinct from ${slot}
    returning id`.execute(db)
  return rows.length === 1
}

/** Ends the state `planning`. Safe to repeat. Does nothing in any other state. */
export async function markPrepared(db: Db, editionId: number, state: 'sending' | 'awaiting_approval'): Promise<void> {
  await db
    .updateTable('editions')
    .set({ state, progressAt: sql<Date>`now()` })
    .where('id', '=', editionId)
    .where('state', '=', 'planning')
    .execute()
}

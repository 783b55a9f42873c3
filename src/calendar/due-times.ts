// When a subscriber is next due. The row exists only while anything will be due. Planning (planning/plan.ts) moves it at each
// slot.
//
// This row is also the lock between planning and everything that ends a subscription. A transaction that changes it waits for a
// chunk that is planning the same subscriber, and then sees what that chunk wrote.

import { sql } from 'kysely'
import type { Trx } from '../db/connect.ts'

/**
 * null: never. Bits that were carried over from overtaken slots stay as long as anything is due. `carriedDue` is for subscribers
 * without a row. Safe to repeat.
 */
export async function setDueTime(
  trx: Trx,
  subscriberId: number,
  nextDueAt: Date | null,
  carriedDue = 0,
): Promise<void> {
  await setDueTimes(trx, [{ subscriberId, nextDueAt, carriedDue }])
}

/** The same for many, in two statements. */
export async function setDueTimes(
  trx: Trx,
  times: readonly { subscriberId: number; nextDueAt: Date | null; carriedDue: number }[],
): Promise<void> {
  const due = times.filter(({ nextDueAt }) => nextDueAt !== null)
  await clearDueTimes(
    trx,
    times.filter(({ nextDueAt }) => nextDueAt === null).map(({ subscriberId }) => subscriberId),
  )
  if (due.length === 0) return
  await sql`
    insert into due_times (subscriber_id, next_due_at, carried_due)
    select * from unnest(${due.map(({ subscriberId }) => subscriberId)}::bigint[],
      ${due.map(({ nextDueAt }) => nextDueAt!.toISOString())}::timestamptz[], ${due.map(({ carriedDue }) => carriedDue)}::int[])
    on conflict (subscriber_id) do update set next_due_at = excluded.next_due_at`.execute(trx)
}

/**
 * Deletes the rows, so these subscribers are never due. Returns the rows, including what a chunk that was planning them wrote
 * last.
 */
export async function takeDueTimes(trx: Trx, subscriberIds: readonly number[]) {
  return trx
    .deleteFrom('dueTimes')
    .where(sql<boolean>`subscriber_id = any(${[...subscriberIds]}::bigint[])`)
    .returning(['subscriberId', 'nextDueAt', 'carriedDue'])
    .execute()
}

/** For subscribers who unsubscribed, must not be mailed, or were erased. */
export async function clearDueTimes(trx: Trx, subscriberIds: readonly number[]): Promise<void> {
  if (subscriberIds.length === 0) return
  await trx
    .deleteFrom('dueTimes')
    .where(sql<boolean>`subscriber_id = any(${[...subscriberIds]}::bigint[])`)
    .execute()
}

/** For subscribers without a row. */
export async function addDueTimes(
  trx: Trx,
  dueTimes: readonly { subscriberId: number; nextDueAt: Date }[],
): Promise<void> {
  if (dueTimes.length > 0)
    await trx
      .insertInto('dueTimes')
      .values([...dueTimes])
      .execute()
}

/**
 * Moves them on from a slot that passed without a mail. `carried`: the frequency bits that join the next slot; null: none, and
 * bits that were carried before are dropped.
 */
export async function passSlot(
  trx: Trx,
  subscriberIds: readonly number[],
  { next, carried }: { next: Date | null; carried: number | null },
): Promise<void> {
  await sql`
    update due_times set next_due_at = ${next}::timestamptz,
      carried_due = case when ${carried !== null}::boolean then carried_due | ${carried ?? 0}::smallint else 0 end
    where subscriber_id = any(${`{${subscriberIds.join(',')}}`}::bigint[])`.execute(trx)
}

/** Moves them to this slot. `onlyEarlier`: nobody is moved to a later one. Returns how many were moved. */
export async function alignDueTimes(
  trx: Trx,
  subscriberIds: readonly number[],
  next: Date | null,
  { onlyEarlier }: { onlyEarlier: boolean },
): Promise<number> {
  const { numAffectedRows } = await sql`
    update due_times set next_due_at = ${next}
    where subscriber_id = any(${`{${subscriberIds.join(',')}}`}::bigint[])
      and next_due_at <> ${next} and (not ${onlyEarlier}::boolean or next_due_at > ${next})`.execute(trx)
  return Number(numAffectedRows ?? 0)
}

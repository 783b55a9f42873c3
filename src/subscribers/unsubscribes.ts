// A record of each unsubscribe: the edition whose link was used, the way, and a reason if one was given. The counts are shown next
// to an edition's account, which doesn't change.

import { sql } from 'kysely'
import { invalid } from '../base/errors.ts'
import { invalidField } from '../messages/refusals.ts'
import type { Db, Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import { unsubscribeReasons, type Subscriber, type UnsubscribeReason, type UnsubscribesTable } from '../db/schema.ts'
import { findSubscriber } from './store.ts'

export const longestReasonText = 500

/** Returns the row's id. An `editionId` of which this subscriber has no mail isn't stored, because links contain it unsigned. */
export async function recordUnsubscribe(
  trx: Trx,
  given: { subscriberId: number; editionId: number | null; way: UnsubscribesTable['way']; at: Date },
): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    insert into unsubscribes (subscriber_id, edition_id, way, at)
    values (${given.subscriberId}, (select edition_id from deliveries
      where edition_id = ${given.editionId}::bigint and subscriber_id = ${given.subscriberId}), ${given.way}, ${given.at})
    returning id`.execute(trx)
  return rows[0]!.id
}

/** The subscriber's last unsubscribe no longer counts. */
export async function undoUnsubscribe(trx: Trx, subscriberId: number, now: Date): Promise<void> {
  await sql`update unsubscribes set undone_at = ${now} where undone_at is null
    and id = (select max(id) from unsubscribes where subscriber_id = ${subscriberId})`.execute(trx)
}

/** For an erasure: deletes texts in the subscriber's own words. The reason stays. */
export async function forgetReasonTexts(trx: Trx, subscriberId: number): Promise<void> {
  await trx.updateTable('unsubscribes').set({ reasonText: null }).where('subscriberId', '=', subscriberId).execute()
}

/** The reason in a form; both fields empty: none. Refuses by field. Pure. */
export function readReason(given: { reason?: unknown; reason_text?: unknown }): {
  reason: UnsubscribeReason | null
  reasonText: string | null
} {
  const { reason = '', reason_text: words = '' } = given
  if (typeof reason !== 'string' || (reason !== '' && !isReason(reason)))
    throw invalidField('reason', 'preferences.chooseReason')
  if (typeof words !== 'string') throw invalid('reason_text', 'Write one text.')
  const reasonText = words.replace(/\s+/g, ' ').trim()
  if (reasonText.length > longestReasonText)
    throw invalidField('reason_text', 'preferences.reasonTooLong', {
      most: longestReasonText,
      count: reasonText.length,
    })
  return { reason: reason === '' ? null : (reason as UnsubscribeReason), reasonText: reasonText || null }
}

const isReason = (text: string): text is UnsubscribeReason => unsubscribeReasons.includes(text as UnsubscribeReason)

/** Replaces the reason of unsubscribe `id`. undefined: it was undone, or its subscriber erased; nothing is stored then. */
export async function giveReason(
  ctx: Context,
  id: number,
  why: ReturnType<typeof readReason>,
): Promise<Subscriber | undefined> {
  const row = await ctx.db
    .updateTable('unsubscribes')
    .set(why)
    .where('id', '=', id)
    .where('undoneAt', 'is', null)
    .where('subscriberId', 'is not', null)
    .returning('subscriberId')
    .executeTakeFirst()
  return row && findSubscriber(ctx.db, row.subscriberId!)
}

/** Who a reason is asked of; undefined: they are erased. */
export async function findUnsubscriber(db: Db, id: number): Promise<Subscriber | undefined> {
  const row = await db.selectFrom('unsubscribes').select('subscriberId').where('id', '=', id).executeTakeFirst()
  return row?.subscriberId ? findSubscriber(db, row.subscriberId) : undefined
}

/** How many unsubscribed by a link of each edition, without those that were undone. */
export async function countUnsubscribes(db: Db, editionIds: readonly number[]): Promise<Map<number, number>> {
  const { rows } = await sql<{ id: number; count: number }>`
    select edition_id as id, count(*)::int as count from unsubscribes
    where edition_id = any(${[...editionIds]}::bigint[]) and undone_at is null group by 1`.execute(db)
  const counts = new Map(rows.map(({ id, count }) => [id, count]))
  return new Map(editionIds.map((id) => [id, counts.get(id) ?? 0]))
}

export interface UnsubscribeSummary {
  total: number
  /** Part of the total: undone since. */
  undone: number
  ways: Record<UnsubscribesTable['way'], number>
  /** Of those that weren't undone. */
  reasons: Record<UnsubscribeReason | 'none', number>
}

export const unsubscribeWays = ['one-click', 'page', 'mail', 'api', 'editor'] as const

/** A summary of everything since an instant. */
export async function summariseUnsubscribes(db: Db, since: Date): Promise<UnsubscribeSummary> {
  const rows = await db
    .selectFrom('unsubscribes')
    .select([
      'way',
      'reason',
      sql<boolean>`undone_at is not null`.as('isUndone'),
      sql<number>`count(*)::int`.as('count'),
    ])
    .where('at', '>=', since)
    .groupBy(['way', 'reason', sql`undone_at is not null`])
    .execute()
  const sum = (of: typeof rows) => of.reduce((total, { count }) => total + count, 0)
  const kept = rows.filter(({ isUndone }) => !isUndone)
  return {
    total: sum(rows),
    undone: sum(rows) - sum(kept),
    ways: countsOf(unsubscribeWays, (way) => sum(rows.filter((row) => row.way === way))),
    reasons: countsOf([...unsubscribeReasons, 'none'], (reason) =>
      sum(kept.filter((row) => (row.reason ?? 'none') === reason)),
    ),
  }
}

function countsOf<Key extends string>(keys: readonly Key[], count: (key: Key) => number): Record<Key, number> {
  return Object.fromEntries(keys.map((key) => [key, count(key)])) as Record<Key, number>
}

/** The texts, newest first, without their authors. */
export async function listReasonTexts(db: Db, since: Date, limit: number) {
  return db
    .selectFrom('unsubscribes')
    .select(['at', 'reason', 'reasonText'])
    .where('at', '>=', since)
    .where('reasonText', 'is not', null)
    .where('undoneAt', 'is', null)
    .orderBy('at', 'desc')
    .limit(limit)
    .execute()
}

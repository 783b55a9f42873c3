// How many subscribers a trigger would reach, counted before it is confirmed. Planning decides again, row by row.

import { type RawBuilder, sql } from 'kysely'
import type { Context } from '../../db/context.ts'
import { largestInt } from '../path-id.ts'
import { countInTime } from './slow-counts.ts'
import { isWaiting } from '../../editions/open-deliveries.ts'

/** null: counting takes longer than a page may wait, so ask again in a moment. */
export function manualAudience(ctx: Context, categoryIds: readonly number[] | null): Promise<number | null> {
  const key = `manual ${categoryIds?.toSorted((a, b) => a - b).join(',') ?? 'all'}`
  return countInTime(ctx.db, key, () => countManualAudience(ctx, categoryIds))
}

/** Active, not paused, subscribed to one of the categories (null: to any), without an open digest. */
async function countManualAudience(ctx: Context, categoryIds: readonly number[] | null): Promise<number> {
  const wants =
    categoryIds === null
      ? sql`s.frequencies <> 0`
      : sql`exists (select from subscriptions w where w.subscriber_id = s.id
          and w.category_id = any(${`{${categoryIds.join(',')}}`}::int[]))`
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from subscribers s
    where s.status = 'active' and (s.paused_until is null or s.paused_until <= ${ctx.clock.now()}) and ${wants}
      and not exists (select from deliveries d
        where d.subscriber_id = s.id and d.kind = 'digest' and ${isWaiting})`.execute(ctx.db)
  return rows[0]!.count
}

/** Active and not paused. */
export async function countAnnouncementAudience(ctx: Context): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from subscribers s
    where s.status = 'active' and (s.paused_until is null or s.paused_until <= ${ctx.clock.now()})`.execute(ctx.db)
  return rows[0]!.count
}

/**
 * Counts subscribers who are due at an instant. In the order of the index; otherwise Postgres would read the whole table if many
 * are due.
 */
export function countDue(slotAt: RawBuilder<unknown>): RawBuilder<number> {
  return sql<number>`select count(*)::int from (
    select from due_times where next_due_at = ${slotAt} order by subscriber_id limit ${sql.lit(largestInt)}) due`
}

/** How many are due at this instant; null: ask again in a moment. */
export function dueAt(ctx: Context, slotAt: Date): Promise<number | null> {
  return countInTime(ctx.db, `due ${slotAt.toISOString()}`, async () => {
    const { rows } = await sql<{ due: number }>`select (${countDue(sql`${slotAt}`)}) as due`.execute(ctx.db)
    return rows[0]!.due
  })
}

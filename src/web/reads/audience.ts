// How many a trigger would reach, counted before it is confirmed. Planning decides again, row by row.

import { sql } from 'kysely'
import { setTimeout as pause } from 'node:timers/promises'
import type { Db } from '../../db/connect.ts'
import type { Context } from '../../db/context.ts'

/** Counts that took longer than a page may: they are there when the page is asked again. */
const slowCounts = new WeakMap<Db, Map<string, Promise<number>>>()
const slowMs = 150
const forgetMs = 10_000

/** The count; null: it takes longer than a page should, so ask again in a moment. */
export async function manualAudience(ctx: Context, categoryIds: readonly number[] | null): Promise<number | null> {
  const counts = slowCounts.get(ctx.db) ?? new Map<string, Promise<number>>()
  slowCounts.set(ctx.db, counts)
  const key = String(categoryIds?.toSorted((a, b) => a - b))
  let counting = counts.get(key)
  if (!counting) {
    counts.set(key, (counting = countManualAudience(ctx, categoryIds)))
    counting.catch(() => counts.delete(key))
  }
  const count = await Promise.race([counting, pause(slowMs, null, { ref: false })])
  if (count !== null) counts.delete(key)
  else setTimeout(() => counts.get(key) === counting && counts.delete(key), forgetMs).unref()
  return count
}

/** Active, not paused, subscribed to one of the categories (null: to any), with no digest open. */
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
        where d.subscriber_id = s.id and d.kind = 'digest' and d.next_attempt_at is not null)`.execute(ctx.db)
  return rows[0]!.count
}

/** Active and not paused. */
export async function countAnnouncementAudience(ctx: Context): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from subscribers s
    where s.status = 'active' and (s.paused_until is null or s.paused_until <= ${ctx.clock.now()})`.execute(ctx.db)
  return rows[0]!.count
}

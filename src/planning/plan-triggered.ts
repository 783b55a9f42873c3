// Plans a triggered edition, a manual digest or an announcement, for its whole audience in keyset chunks. The cursor is stored on
// the edition and moves in the transaction of the chunk, so the next process continues where a killed one stopped.
//
// A manual digest skips subscribers with another open digest: two at once could contain the same story.

import { sql } from 'kysely'
import type { Context } from '../db/context.ts'
import type { Trx } from '../db/connect.ts'
import { type Edition, everythingDue } from '../db/schema.ts'
import { retryDeadlock } from '../db/retry-deadlock.ts'
import { addAudience, markPlanned, setPlanCursor, takeForPlanning } from '../editions/audience.ts'
import { isWaiting, leasedDeliveries } from '../editions/open-deliveries.ts'
import { chunkSize, lockPlanning, type Planned, type PlanOptions } from './plan.ts'

export async function planTriggered(ctx: Context, edition: Edition, options: PlanOptions = {}): Promise<Planned> {
  const now = ctx.clock.now()
  let planned = 0
  for (;;) {
    const chunk = await retryDeadlock(() =>
      ctx.db.transaction().execute((trx) => planNext(trx, edition.id, now, options.chunkSize ?? chunkSize)),
    )
    if (chunk === 'busy') return { outcome: 'busy', planned }
    if (chunk === 'complete') return { outcome: 'complete', planned }
    planned += chunk
    if (chunk > 0) options.onProgress?.(chunk)
  }
}

async function planNext(trx: Trx, editionId: number, now: Date, limit: number): Promise<number | 'complete' | 'busy'> {
  const edition = await takeForPlanning(trx, editionId)
  if (!edition) return 'busy'
  if (edition.plannedAt || edition.closedAt || edition.state === 'cancelled') return 'complete'
  await lockPlanning(trx)
  // Locked: a subscriber who is being erased either isn't found, or the erasure waits and finds the delivery.
  const { rows } = await sql<{ ids: number[] | null }>`
    select array_agg(id) as ids from (
      select s.id from subscribers s
      where s.id > ${edition.planCursor ?? 0} and s.status = 'active'
        and (s.paused_until is null or s.paused_until <= ${now})
        ${edition.onlySubscriberId === null ? sql`` : sql`and s.id = ${edition.onlySubscriberId}`}
        ${edition.kind === 'announcement' ? sql`` : wantsIt(edition.categoryIds)}
      order by s.id limit ${limit} for no key update of s
    ) locked`.execute(trx)
  const ids = rows[0]?.ids ?? []
  if (ids.length === 0) {
    await markPlanned(trx, editionId, now)
    return 'complete'
  }
  const planned =
    edition.kind === 'announcement' ? await announce(trx, editionId, ids) : await digest(trx, editionId, ids)
  await setPlanCursor(
    trx,
    editionId,
    ids.reduce((most, id) => Math.max(most, id), 0),
  )
  await addAudience(trx, editionId, planned)
  return planned
}

function wantsIt(categoryIds: readonly number[] | null) {
  if (categoryIds === null) return sql`and s.frequencies <> 0`
  return sql`and exists (select from subscriptions w
    where w.subscriber_id = s.id and w.category_id = any(${`{${categoryIds.join(',')}}`}::int[]))`
}

async function announce(trx: Trx, editionId: number, ids: readonly number[]): Promise<number> {
  const { numAffectedRows } = await sql`
    insert into deliveries (edition_id, subscriber_id, recipient, kind, lane, due, next_attempt_at)
    select ${editionId}, s.id, s.email, 'announcement', 'digest', 0, now()
    from subscribers s where s.id = any(${`{${ids.join(',')}}`}::bigint[]) order by s.id
    on conflict do nothing`.execute(trx)
  return Number(numAffectedRows ?? 0)
}

async function digest(trx: Trx, editionId: number, ids: readonly number[]): Promise<number> {
  const { numAffectedRows } = await sql`
    with leased as materialized (
      select distinct d.subscriber_id from ${leasedDeliveries} where d.kind = 'digest' and d.subscriber_id is not null
    )
    insert into deliveries (edition_id, subscriber_id, recipient, kind, lane, due, next_attempt_at)
    select ${editionId}, s.id, s.email, 'digest', 'digest', ${everythingDue}::smallint, now()
    from subscribers s where s.id = any(${`{${ids.join(',')}}`}::bigint[])
      and not exists (select from deliveries d
        where d.subscriber_id = s.id and d.kind = 'digest' and ${isWaiting})
      and not exists (select from leased l where l.subscriber_id = s.id)
    order by s.id
    on conflict do nothing`.execute(trx)
  return Number(numAffectedRows ?? 0)
}

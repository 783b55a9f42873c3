// Planning a slot: deliveries for everyone who is due, in keyset chunks, each one short transaction that writes deliveries and
// moves `next_due_at`. Killed anywhere it continues: what a chunk did is committed, and what it didn't is still due.
//
// Any number of processes may plan. The edition's row is the lock: one process at a time adds to an edition, the others find it
// busy and go on. Time-zone arithmetic happens once per distinct schedule (cadence.ts), the rest is one statement per chunk.

import { sql } from 'kysely'
import type { Context } from '../db/context.ts'
import type { Trx } from '../db/connect.ts'
import { deliveryChannel } from '../delivery/outbox.ts'
import type { Edition } from '../db/schema.ts'
import { dueAt, nextDueAt } from './cadence.ts'
import { addCount } from './editions.ts'
import { type OwnSchedule, scheduleOf } from './schedules.ts'

export const chunkSize = 20_000

export interface PlanOptions {
  /** Only this subscriber. */
  only?: number | undefined
  /** Subscribers per transaction. */
  chunkSize?: number | undefined
  /** After each chunk: how many it planned. */
  onProgress?: ((planned: number) => void) | undefined
}

export interface Planned {
  /** `complete`: nobody is due at this slot any more. `partial`: some are left for the next tick, because a mail of theirs is on
   * its way or their row is locked. `busy`: another process plans it. */
  outcome: 'complete' | 'partial' | 'busy'
  planned: number
}

/** Plans what is left of a scheduled edition. */
export async function planScheduled(ctx: Context, edition: Edition, options: PlanOptions = {}): Promise<Planned> {
  const slot = edition.slotAt!
  let planned = 0
  for (let cursor = 0; ;) {
    const chunk = await planChunk(ctx, { editionId: edition.id, slot, cursor }, options)
    if (chunk === 'busy') return { outcome: 'busy', planned }
    planned += chunk.planned
    if (chunk.planned > 0) options.onProgress?.(chunk.planned)
    if (chunk.last === null) break
    cursor = chunk.last
  }
  if (options.only !== undefined) return { outcome: 'partial', planned }
  return { outcome: (await markPlanned(ctx, edition.id, slot)) ? 'complete' : 'partial', planned }
}

/** `last`: the highest subscriber id seen; null when nobody was left above the cursor. */
interface Chunk {
  planned: number
  last: number | null
}

interface LockedGroup extends OwnSchedule {
  carriedDue: number
  ids: number[]
}

async function planChunk(
  ctx: Context,
  { editionId, slot, cursor }: { editionId: number; slot: Date; cursor: number },
  { only = undefined, chunkSize: limit = chunkSize }: PlanOptions,
): Promise<Chunk | 'busy'> {
  const site = ctx.config.digest
  return retryDeadlock(() =>
    ctx.db.transaction().execute(async (trx) => {
      const edition = await lockEdition(trx, editionId)
      if (!edition) return 'busy'
      const { rows: groups } = await sql<LockedGroup>`
        with locked as materialized (
          select id, timezone, send_hour, weekly_day, monthly_day, frequencies, carried_due from subscribers
          where status = 'active' and next_due_at = ${slot} and id > ${cursor}
            and (${only ?? null}::bigint is null or id = ${only ?? null}::bigint)
          order by id limit ${limit} for update skip locked
        )
        select timezone, send_hour, weekly_day, monthly_day, frequencies, carried_due, array_agg(id) as ids
        from locked group by 1, 2, 3, 4, 5, 6`.execute(trx)
      if (groups.length === 0) return { planned: 0, last: null }

      const rows: PlanRow[] = []
      for (const group of groups) {
        const schedule = scheduleOf(group, site)
        const next = nextDueAt(schedule, slot)
        const due = dueAt(schedule, slot) | (group.carriedDue & group.frequencies)
        for (const id of group.ids) rows.push({ id, due, next })
      }
      // Written in the order of ids: the indexes of `deliveries` grow at their end.
      rows.sort((a, b) => a.id - b.id)
      const planned = isOver(edition) ? await passBy(trx, edition, rows) : await writeChunk(trx, editionId, slot, rows)
      return { planned, last: rows.at(-1)!.id }
    }),
  )
}

interface PlanRow {
  id: number
  due: number
  next: Date | null
}

/** Holds the edition until the chunk is committed: it can't close, and nobody else plans it. null: someone else holds it. */
export async function lockEdition(trx: Trx, editionId: number): Promise<Edition | undefined> {
  return trx
    .selectFrom('editions')
    .selectAll()
    .where('id', '=', editionId)
    .forNoKeyUpdate()
    .skipLocked()
    .executeTakeFirst()
}

function isOver(edition: Edition): boolean {
  return edition.closedAt !== null || edition.state === 'cancelled' || edition.state === 'missed'
}

/** Who comes too late for an edition that is over moves on to the next slot. In a cancelled one that is what was asked for;
 * otherwise the edition says how many. */
async function passBy(trx: Trx, edition: Edition, rows: readonly PlanRow[]): Promise<number> {
  await sql`
    update subscribers s set next_due_at = c.next, carried_due = 0
    from ${chunkTable(rows)} where s.id = c.id`.execute(trx)
  if (edition.state !== 'cancelled')
    await trx
      .updateTable('editions')
      .set({ missed: sql<number>`missed + ${rows.length}` })
      .where('id', '=', edition.id)
      .execute()
  return 0
}

/** The statements of a chunk. The subscribers are locked. */
async function writeChunk(trx: Trx, editionId: number, slot: Date, rows: readonly PlanRow[]): Promise<number> {
  const ids = `{${rows.map((row) => row.id).join(',')}}`
  // Their last digests that are still open, unless a worker leases them: locked, so that none can be claimed from here on.
  await sql`
    select d.id from deliveries d
    where d.subscriber_id = any(${ids}::bigint[]) and d.kind = 'digest' and d.next_attempt_at is not null
      and d.state in ('queued', 'deferred')
    order by d.id for update`.execute(trx)
  // A new snapshot: an open digest is either locked above, or leased and named in `claims`, and then its subscriber waits.
  const { rows: counts } = await sql<{ planned: number; superseded: Record<string, number> | null }>`
    with c as materialized (select * from ${chunkTable(rows)}),
    leased as materialized (
      select distinct d.subscriber_id from claims l cross join unnest(l.delivery_ids) as u (id)
      join deliveries d on d.id = u.id
      where d.kind = 'digest' and d.settled_at is null and d.state in ('queued', 'deferred') and d.subscriber_id is not null
    ), ready as materialized (
      select c.id, c.due, c.next, s.email, coalesce(s.paused_until > ${slot}, false) as is_paused, s.paused_until
      from c join subscribers s on s.id = c.id
      where not exists (select from leased l where l.subscriber_id = c.id)
    ), superseded as (
      update deliveries d set state = 'skipped', reason = 'superseded', next_attempt_at = null, settled_at = now()
      from ready r
      where d.subscriber_id = r.id and d.kind = 'digest' and d.next_attempt_at is not null
        and d.state in ('queued', 'deferred') and not r.is_paused
      returning d.subscriber_id, d.edition_id, d.due
    ), carried as (
      select subscriber_id, bit_or(due) as due from superseded group by subscriber_id
    ), planned as (
      insert into deliveries (edition_id, subscriber_id, recipient, kind, lane, due, next_attempt_at)
      select ${editionId}, r.id, r.email, 'digest', 'digest', r.due | coalesce(carried.due, 0), now()
      from ready r left join carried on carried.subscriber_id = r.id
      where not r.is_paused and r.due | coalesce(carried.due, 0) <> 0
      order by r.id
      returning 1
    ), moved as (
      update subscribers s set next_due_at = r.next, carried_due = 0 from ready r where s.id = r.id
    )
    select (select count(*)::int from planned) as planned,
      (select jsonb_object_agg(edition_id, n) from (
        select edition_id, count(*)::int as n from superseded group by edition_id) by_edition) as superseded`.execute(
    trx,
  )
  const { planned, superseded } = counts[0]!
  for (const [id, count] of Object.entries(superseded ?? {}))
    await addCount(trx, Number(id), 'skipped:superseded', count)
  if (planned > 0) await addAudience(trx, editionId, planned)
  return planned
}

/** Also tells the workers, when this transaction commits. */
export async function addAudience(trx: Trx, editionId: number, planned: number): Promise<void> {
  await trx
    .updateTable('editions')
    .set({ audience: sql<number>`audience + ${planned}`, progressAt: sql<Date>`now()` })
    .where('id', '=', editionId)
    .execute()
  await sql`select pg_notify(${deliveryChannel}, 'digest')`.execute(trx)
}

function chunkTable(rows: readonly PlanRow[]) {
  const ids = `{${rows.map((row) => row.id).join(',')}}`
  const due = `{${rows.map((row) => row.due).join(',')}}`
  const next = `{${rows.map((row) => (row.next ? `"${row.next.toISOString()}"` : 'NULL')).join(',')}}`
  return sql`unnest(${ids}::bigint[], ${due}::smallint[], ${next}::timestamptz[]) as c (id, due, next)`
}

/** The edition is planned when nobody is due at its slot. Says whether it is. */
async function markPlanned(ctx: Context, editionId: number, slot: Date): Promise<boolean> {
  const { rows } = await sql<{ id: number }>`
    update editions set planned_at = coalesce(planned_at, ${ctx.clock.now()})
    where id = ${editionId}
      and not exists (select from subscribers where status = 'active' and next_due_at = ${slot})
    returning id`.execute(ctx.db)
  return rows.length === 1
}

/** A chunk is one transaction and safe to repeat: when Postgres breaks a deadlock or a connection, it is simply done again. */
export async function retryDeadlock<T>(run: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run()
    } catch (cause) {
      const code = (cause as { code?: string }).code
      if ((code !== '40P01' && code !== '40001') || attempt === 5) throw cause
    }
  }
}

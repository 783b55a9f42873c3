// Planning a slot: deliveries for everyone who is due, in keyset chunks, each one short transaction that writes deliveries and
// moves `due_times`. Killed anywhere it continues: what a chunk did is committed, and what it didn't is still due.
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

/** Some of those who are due at a slot: by id, `after` < id <= `last`. */
interface Stretch {
  slot: Date
  after: number
  last: number
  only: number | undefined
}

interface DueGroup extends OwnSchedule {
  carriedDue: number
}

async function planChunk(
  ctx: Context,
  { editionId, slot, cursor }: { editionId: number; slot: Date; cursor: number },
  { only = undefined, chunkSize: limit = chunkSize }: PlanOptions,
): Promise<Chunk | 'busy'> {
  return retryDeadlock(() =>
    ctx.db.transaction().execute(async (trx) => {
      // Compiling the statement anew for each chunk would take longer than it saves.
      await sql`set local jit = off`.execute(trx)
      const edition = await lockEdition(trx, editionId)
      if (!edition) return 'busy'
      const { rows } = await sql<{ last: number | null }>`
        select max(subscriber_id) as last from (
          select subscriber_id from due_times
          where next_due_at = ${slot} and subscriber_id > ${cursor} ${only === undefined ? sql`` : sql`and subscriber_id = ${only}`}
          order by subscriber_id limit ${limit}
        ) stretch`.execute(trx)
      const { last } = rows[0]!
      if (last === null) return { planned: 0, last: null }
      const stretch = { slot, after: cursor, last, only }
      const groups = groupTable(ctx, slot, await listGroups(trx, stretch))
      const planned = isOver(edition)
        ? await passBy(trx, edition, stretch, groups)
        : await writeChunk(trx, editionId, stretch, groups)
      return { planned, last }
    }),
  )
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

/** The schedules of a stretch: a few hundred, however many people. */
async function listGroups(trx: Trx, stretch: Stretch): Promise<DueGroup[]> {
  const { rows } = await sql<DueGroup>`
    select s.timezone, s.send_hour, s.weekly_day, s.monthly_day, s.frequencies, t.carried_due
    from due_times t join subscribers s on s.id = t.subscriber_id and s.id > ${stretch.after} and s.id <= ${stretch.last}
    where ${isInStretch(stretch)} group by 1, 2, 3, 4, 5, 6`.execute(trx)
  return rows
}

function isInStretch({ slot, after, last, only }: Stretch) {
  return sql`t.next_due_at = ${slot} and t.subscriber_id > ${after} and t.subscriber_id <= ${last}
    ${only === undefined ? sql`` : sql`and t.subscriber_id = ${only}`}`
}

/** What each schedule makes of the slot, as a table for the statements below: the only place where they meet the calendar. */
function groupTable(ctx: Context, slot: Date, groups: readonly DueGroup[]) {
  const rows = groups.map((group) => {
    const schedule = scheduleOf(group, ctx.config.digest)
    return {
      timezone: group.timezone,
      send_hour: group.sendHour,
      weekly_day: group.weeklyDay,
      monthly_day: group.monthlyDay,
      frequencies: group.frequencies,
      carried_due: group.carriedDue,
      due: dueAt(schedule, slot) | (group.carriedDue & group.frequencies),
      next: nextDueAt(schedule, slot),
    }
  })
  return sql`jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as g (timezone text, send_hour smallint, weekly_day smallint,
    monthly_day smallint, frequencies smallint, carried_due smallint, due smallint, next timestamptz)`
}

/** Everybody of the stretch with their group. Who changed their schedule since the groups were read is in none, and waits for the
 * next tick. null counts as a value of its own, written so that the join can hash. */
function stretchTable(stretch: Stretch, groups: ReturnType<typeof groupTable>) {
  return sql`
    select t.ctid as tid, s.id, s.email, g.due, g.next, coalesce(s.paused_until > ${stretch.slot}, false) as is_paused
    from due_times t join subscribers s on s.id = t.subscriber_id and s.id > ${stretch.after} and s.id <= ${stretch.last}
    join ${groups} on coalesce(g.timezone, '') = coalesce(s.timezone, '') and coalesce(g.send_hour, -1) = coalesce(s.send_hour, -1)
      and coalesce(g.weekly_day, -1) = coalesce(s.weekly_day, -1) and coalesce(g.monthly_day, -1) = coalesce(s.monthly_day, -1)
      and g.frequencies = s.frequencies and g.carried_due = t.carried_due
    where ${isInStretch(stretch)}`
}

/** Who comes too late for an edition that is over moves on to the next slot. In a cancelled one that is what was asked for;
 * otherwise the edition says how many. */
async function passBy(
  trx: Trx,
  edition: Edition,
  stretch: Stretch,
  groups: ReturnType<typeof groupTable>,
): Promise<number> {
  const { rows } = await sql<{ passed: number }>`
    with c as materialized (${stretchTable(stretch, groups)}), moved as (${moveOn(stretch, sql`c`)}), ended as (${endDue(sql`c`)})
    select count(*)::int as passed from moved`.execute(trx)
  if (edition.state !== 'cancelled')
    await trx
      .updateTable('editions')
      .set({ missed: sql<number>`missed + ${rows[0]!.passed}` })
      .where('id', '=', edition.id)
      .execute()
  return 0
}

/** The update is what locks: whoever changed their due time meanwhile is left as they are. */
function moveOn({ slot }: Stretch, from: ReturnType<typeof sql>) {
  return sql`
    update due_times t set next_due_at = c.next, carried_due = 0 from ${from}
    where t.ctid = c.tid and t.next_due_at = ${slot} and c.next is not null
    returning c.id, c.email, c.due, c.is_paused`
}

/** Who has nothing chosen any more. */
function endDue(from: ReturnType<typeof sql>) {
  return sql`delete from due_times t using ${from} where t.ctid = c.tid and c.next is null`
}

/** The statements of a chunk. */
async function writeChunk(
  trx: Trx,
  editionId: number,
  stretch: Stretch,
  groups: ReturnType<typeof groupTable>,
): Promise<number> {
  const isOpenDigest = sql`d.kind = 'digest' and d.next_attempt_at is not null and d.state in ('queued', 'deferred')
    and d.subscriber_id > ${stretch.after} and d.subscriber_id <= ${stretch.last}`
  // Their last digests that are still open, unless a worker leases them: locked, so that none can be claimed from here on.
  await sql`
    select d.id from deliveries d join due_times t on t.subscriber_id = d.subscriber_id
    where ${isOpenDigest} and ${isInStretch(stretch)} order by d.id for update of d`.execute(trx)
  // A new snapshot: an open digest is either locked above, or leased and named in `claims`, and then its subscriber waits.
  const { rows: counts } = await sql<{ planned: number; superseded: Record<string, number> | null }>`
    with leased as materialized (
      select distinct d.subscriber_id from claims l cross join unnest(l.delivery_ids) as u (id)
      join deliveries d on d.id = u.id
      where d.kind = 'digest' and d.settled_at is null and d.state in ('queued', 'deferred') and d.subscriber_id is not null
    ), c as materialized (
      select * from (${stretchTable(stretch, groups)}) everybody
      where not exists (select from leased l where l.subscriber_id = everybody.id)
    ), moved as (${moveOn(stretch, sql`c`)}), ended as (${endDue(sql`c`)}), superseded as (
      update deliveries d set state = 'skipped', reason = 'superseded', next_attempt_at = null, settled_at = now()
      from moved m where d.subscriber_id = m.id and not m.is_paused and ${isOpenDigest}
      returning d.subscriber_id, d.edition_id, d.due
    ), carried as (
      select subscriber_id, bit_or(due) as due from superseded group by subscriber_id
    ), planned as (
      insert into deliveries (edition_id, subscriber_id, recipient, kind, lane, due, next_attempt_at)
      select ${editionId}, m.id, m.email, 'digest', 'digest', m.due | coalesce(carried.due, 0), now()
      from moved m left join carried on carried.subscriber_id = m.id
      where not m.is_paused and m.due | coalesce(carried.due, 0) <> 0
      order by m.id
      returning 1
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

/** The edition is planned when nobody is due at its slot. Says whether it is. */
async function markPlanned(ctx: Context, editionId: number, slot: Date): Promise<boolean> {
  const { rows } = await sql<{ id: number }>`
    update editions set planned_at = coalesce(planned_at, ${ctx.clock.now()})
    where id = ${editionId}
      and not exists (select from due_times where next_due_at = ${slot})
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

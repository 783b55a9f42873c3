// The statements of one chunk of planning. A chunk is a range of ids. Its subscribers fall into a few hundred groups with the same
// schedule, and the next due time is computed once per group (cadence.ts). One statement then moves the due times and writes the
// deliveries.
//
// No subscriber is locked before that statement. Its update of `due_times` is the lock: it updates only those whose due time is
// still the slot, and only they get a delivery.

import { sql } from 'kysely'
import type { Context } from '../db/context.ts'
import type { Trx } from '../db/connect.ts'
import type { Edition } from '../db/schema.ts'
import { dueAt, nextDueAt } from '../calendar/cadence.ts'
import { addCount } from '../editions/account.ts'
import { isWaiting, leasedDeliveries } from '../editions/open-deliveries.ts'
import { addMissed } from '../editions/audience.ts'
import { type OwnSchedule, scheduleOf } from '../calendar/schedules.ts'

/** Some of those who are due at a slot, by id: `after` < id <= `last`. */
export interface Stretch {
  slot: Date
  after: number
  last: number
  only: number | undefined
}

interface DueGroup extends OwnSchedule {
  carriedDue: number
}

/** The next `limit` subscribers who are due at the slot, above `after`; null: none. */
export async function findStretch(
  trx: Trx,
  { slot, after, only, limit }: Omit<Stretch, 'last'> & { limit: number },
): Promise<Stretch | null> {
  const { rows } = await sql<{ last: number | null }>`
    select max(subscriber_id) as last from (
      select subscriber_id from due_times
      where next_due_at = ${slot} and subscriber_id > ${after} ${only === undefined ? sql`` : sql`and subscriber_id = ${only}`}
      order by subscriber_id limit ${limit}
    ) stretch`.execute(trx)
  const { last } = rows[0]!
  return last === null ? null : { slot, after, last, only }
}

/** The schedules of a stretch: a few hundred, however many subscribers. */
export async function listGroups(trx: Trx, stretch: Stretch): Promise<DueGroup[]> {
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

type Groups = ReturnType<typeof groupTable>

/** The result of the calendar for each schedule and the slot, as a table for the statements below. */
export function groupTable(ctx: Context, slot: Date, groups: readonly DueGroup[]) {
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

/**
 * Moves all subscribers of the stretch on and returns whom it moved. The update is the lock: anyone who changed their schedule or
 * due time since the groups were read is in no group, and waits for the next tick. null is encoded as a value, so that the join
 * can hash.
 */
function moveOn(stretch: Stretch, groups: Groups, leased: readonly number[]) {
  return sql`
    update due_times t set next_due_at = g.next, carried_due = 0
    from subscribers s join ${groups} on coalesce(g.timezone, '') = coalesce(s.timezone, '')
      and coalesce(g.send_hour, -1) = coalesce(s.send_hour, -1) and coalesce(g.weekly_day, -1) = coalesce(s.weekly_day, -1)
      and coalesce(g.monthly_day, -1) = coalesce(s.monthly_day, -1) and g.frequencies = s.frequencies
    where ${isInStretch(stretch)} and s.id = t.subscriber_id and s.id > ${stretch.after} and s.id <= ${stretch.last}
      and g.carried_due = t.carried_due and g.next is not null
      and t.subscriber_id not in (select unnest(${`{${leased.join(',')}}`}::bigint[]))
    returning s.id, s.email, g.due, coalesce(s.paused_until > ${stretch.slot}, false) as is_paused`
}

/** Postgres can't estimate the rows of these joins and assumes one. It would then compare every row with every other. */
async function forbidNestedLoops(trx: Trx): Promise<void> {
  await sql`set local enable_nestloop = off`.execute(trx)
}

/** Subscribers with no categories are never due. */
async function endDue(trx: Trx, stretch: Stretch): Promise<void> {
  await sql`
    delete from due_times t using subscribers s
    where ${isInStretch(stretch)} and s.id = t.subscriber_id and s.frequencies = 0`.execute(trx)
}

/**
 * The edition is over: all subscribers of the stretch move on to their next slot. If it was cancelled, that was intended.
 * Otherwise they are counted as missed.
 */
export async function moveOnWithoutMail(trx: Trx, edition: Edition, stretch: Stretch, groups: Groups): Promise<number> {
  await endDue(trx, stretch)
  await forbidNestedLoops(trx)
  const { rows } = await sql<{ passed: number }>`
    with moved as (${moveOn(stretch, groups, [])}) select count(*)::int as passed from moved`.execute(trx)
  if (edition.state !== 'cancelled') await addMissed(trx, edition.id, rows[0]!.passed)
  return 0
}

/** Returns how many deliveries were written. The caller adds them to the edition's audience. */
export async function writeChunk(trx: Trx, editionId: number, stretch: Stretch, groups: Groups): Promise<number> {
  const isOpenDigest = sql`d.kind = 'digest' and ${isWaiting} and d.state in ('queued', 'deferred')
    and d.subscriber_id > ${stretch.after} and d.subscriber_id <= ${stretch.last}`
  // Their older open digests, unless a worker has leased them: locked, so that no worker can claim them from now on.
  await sql`
    select d.id from deliveries d join due_times t on t.subscriber_id = d.subscriber_id
    where ${isOpenDigest} and ${isInStretch(stretch)} order by d.id for update of d`.execute(trx)
  // In a new snapshot: an open digest is either locked above, or leased and named in `claims`. In that case its subscriber waits.
  const leased = await listLeased(trx)
  await endDue(trx, stretch)
  await forbidNestedLoops(trx)
  const { rows: counts } = await sql<{ planned: number; superseded: Record<string, number> | null }>`
    with moved as (${moveOn(stretch, groups, leased)}), superseded as (
      update deliveries d set state = 'skipped', reason = 'superseded', next_attempt_at = null, settled_at = now()
      from moved m where d.subscriber_id = m.id and not m.is_paused and ${isOpenDigest}
      returning d.subscriber_id, d.edition_id, d.due
    ), planned as (
      insert into deliveries (edition_id, subscriber_id, recipient, kind, lane, due, next_attempt_at)
      select ${editionId}, id, email, 'digest', 'digest', due, now() from (
        select id, max(email) as email, bit_or(due) as due from (
          select id, email, due from moved where not is_paused
          union all select subscriber_id, null, due from superseded) wanted
        group by id) each
      where due <> 0 order by id
      -- Who had it already, from a run that was ahead of the clock.
      on conflict do nothing
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
  return planned
}

/** Subscribers whose digest is leased by a worker. */
async function listLeased(trx: Trx): Promise<number[]> {
  const { rows } = await sql<{ id: number }>`
    select distinct d.subscriber_id as id from ${leasedDeliveries}
    where d.kind = 'digest' and d.state in ('queued', 'deferred') and d.subscriber_id is not null`.execute(trx)
  return rows.map(({ id }) => id)
}

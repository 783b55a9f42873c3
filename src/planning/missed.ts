// After a downtime, subscribers whose slots are older than the grace move on without a mail, and an edition of state `missed`
// counts them. A slot within the grace that a later slot overtakes isn't lost: what was due at it joins the later one
// (`carried_due`).

import { sql } from 'kysely'
import type { Context } from '../db/context.ts'
import type { Db, Trx } from '../db/connect.ts'
import { retryDeadlock } from '../db/retry-deadlock.ts'
import { reckon } from '../calendar/cadence.ts'
import { noteMissed } from '../editions/create.ts'
import { chunkSize } from './plan.ts'
import { passSlot } from '../calendar/due-times.ts'
import { type OwnSchedule, scheduleOf } from '../calendar/schedules.ts'

const hourMs = 3_600_000
/** Slots of one schedule are at least 23 hours apart, so a shorter grace contains at most one. */
const oneSlotMs = 20 * hourMs

/** The instants at which subscribers are due, oldest first. One index probe each, however many subscribers. */
export async function* dueSlots(db: Db, now: Date, after = new Date(0)): AsyncGenerator<Date> {
  for (let last = after; ;) {
    const { slot } = await db
      .selectFrom('dueTimes')
      .select((eb) => eb.fn.min('nextDueAt').as('slot'))
      .where('nextDueAt', '>', last)
      .where('nextDueAt', '<=', now)
      .executeTakeFirstOrThrow()
    if (!slot) return
    yield slot
    last = slot
  }
}

/** Moves on all subscribers whose slot can't fire any more. Returns how many slots were missed. */
export async function passMissed(ctx: Context, now: Date, only?: number): Promise<number> {
  const graceMs = ctx.config.digest.graceHours * hourMs
  const until = graceMs > oneSlotMs ? now : new Date(now.getTime() - graceMs - 1)
  let missed = 0
  for await (const slot of dueSlots(ctx.db, until)) {
    for (let cursor: number | null = 0; cursor !== null;) {
      const at: number = cursor
      const chunk = await retryDeadlock(() =>
        ctx.db.transaction().execute((trx) => passChunk(trx, ctx, { slot, now, graceMs, cursor: at, only })),
      )
      missed += chunk.missed
      cursor = chunk.last
    }
  }
  if (missed > 0) ctx.log.warn({ missed }, 'slots were missed: nothing ran within the grace')
  return missed
}

interface LockedGroup extends OwnSchedule {
  ids: number[]
}

async function passChunk(
  trx: Trx,
  ctx: Context,
  at: { slot: Date; now: Date; graceMs: number; cursor: number; only: number | undefined },
): Promise<{ missed: number; last: number | null }> {
  const { rows: groups } = await sql<LockedGroup>`
    with locked as materialized (
      select subscriber_id from due_times
      where next_due_at = ${at.slot} and subscriber_id > ${at.cursor}
        and (${at.only ?? null}::bigint is null or subscriber_id = ${at.only ?? null}::bigint)
      order by subscriber_id limit ${chunkSize} for update skip locked
    )
    select timezone, send_hour, weekly_day, monthly_day, frequencies, array_agg(s.id) as ids
    from locked join subscribers s on s.id = locked.subscriber_id group by 1, 2, 3, 4, 5`.execute(trx)
  const bySlot = new Map<number, number>()
  let last: number | null = null
  for (const group of groups) {
    for (const id of group.ids) if (last === null || id > last) last = id
    const found = reckon(scheduleOf(group, ctx.config.digest), at.slot, at.now, at.graceMs)
    if (found.slot?.getTime() === at.slot.getTime()) continue
    for (const missed of found.missed)
      bySlot.set(missed.getTime(), (bySlot.get(missed.getTime()) ?? 0) + group.ids.length)
    await passSlot(trx, group.ids, {
      next: found.slot ?? found.next,
      carried: found.slot === null ? null : found.due,
    })
  }
  const slots = [...bySlot].sort(([a], [b]) => a - b)
  // What a single subscriber missed isn't recorded as an edition.
  if (at.only === undefined) for (const [slot, count] of slots) await noteMissed(trx, new Date(slot), count, at.now)
  return { missed: slots.reduce((sum, [, count]) => sum + count, 0), last }
}

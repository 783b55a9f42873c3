// Corrects due times, chunk by chunk, in two cases:
// - The site's own hour, days or zone have changed, and with them the next slot of subscribers who use the site's. A setting
//   stores the ones that planning used last.
// - Subscribers were moved on to a slot that isn't their next one, by a run with `--as-of` in the future. Its editions are ahead
//   of the clock. No slot of the future can have been missed, and nobody would get mail at it.

import { sql } from 'kysely'
import type { Db } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import { findSetting, setSetting } from '../db/settings.ts'
import { nextDueAt } from '../calendar/cadence.ts'
import { takeBackMissed } from '../editions/create.ts'
import { chunkSize } from './plan.ts'
import { alignDueTimes } from '../calendar/due-times.ts'
import { type OwnSchedule, scheduleOf } from '../calendar/schedules.ts'

const settingKey = 'digest_schedule'
const aheadKey = 'digests_ahead'
const hourMs = 3_600_000
const dayMs = 24 * hourMs

export async function realign(ctx: Context): Promise<void> {
  const { timezone, hour, weekday, monthday } = ctx.config.digest
  const current = `${timezone} ${hour} ${weekday} ${monthday}`
  const known = await findSetting<string>(ctx.db, settingKey)
  if (known === current) return
  if (known !== undefined) await moveDueTimes(ctx, 'site')
  await setSetting(ctx.db, settingKey, current)
}

/** Not for a tick that runs ahead of the clock or behind it. */
export async function takeBack(ctx: Context): Promise<void> {
  const now = ctx.clock.now()
  // Clocks differ a little.
  const soon = new Date(now.getTime() + 60_000)
  const takenBack = await takeBackMissed(ctx.db, soon)
  // Editions that wait for approval are also ahead, by a day at most.
  const { newest } = await ctx.db
    .selectFrom('editions')
    .select((eb) => eb.fn.max('id').as('newest'))
    .where('kind', '=', 'scheduled')
    .where('slotAt', '>', new Date(now.getTime() + dayMs + hourMs))
    .executeTakeFirstOrThrow()
  const isAhead = newest !== null && newest !== (await findSetting<number>(ctx.db, aheadKey))
  if (takenBack === 0 && !isAhead && !(await isFarOff(ctx.db, now))) return
  const moved = await moveDueTimes(ctx, 'ahead')
  if (isAhead) await setSetting(ctx.db, aheadKey, newest)
  if (moved > 0) ctx.log.warn({ moved }, 'due times were ahead of their schedules, as after a run with --as-of')
}

/** Further away than the rarest schedule plus a pause. */
async function isFarOff(db: Db, now: Date): Promise<boolean> {
  const limit = new Date(now.getTime() + 63 * dayMs)
  const { rows } = await sql<{ found: boolean }>`
    select exists (
      select from due_times t join subscribers s on s.id = t.subscriber_id
      where t.next_due_at > ${limit} and t.next_due_at > coalesce(s.paused_until, ${now}) + interval '63 days'
    ) as found`.execute(db)
  return rows[0]!.found
}

interface DueGroup extends OwnSchedule {
  pausedUntil: Date | null
  /** Future slots whose digest they have already received. */
  served: Date[] | null
  ids: number[]
}

/**
 * Only moves subscribers who are due in the future: a slot that has come is planned as it is. `site`: those who use any of the
 * site's defaults. `ahead`: nobody is moved to a later slot. Returns how many were moved.
 */
async function moveDueTimes(ctx: Context, which: 'site' | 'ahead'): Promise<number> {
  const now = ctx.clock.now()
  const isSite = which === 'site'
  let moved = 0
  for (let cursor: number | null = 0; cursor !== null;) {
    const after: number = cursor
    cursor = await ctx.db.transaction().execute(async (trx) => {
      const { rows } = await sql<DueGroup>`
        with chunk as materialized (
          select s.id, timezone, send_hour, weekly_day, monthly_day, frequencies, paused_until
          from due_times t join subscribers s on s.id = t.subscriber_id
          where t.subscriber_id > ${after} and t.next_due_at > ${now}
            and (not ${isSite}::boolean or timezone is null or send_hour is null or weekly_day is null or monthly_day is null)
          order by t.subscriber_id limit ${chunkSize} for update of t
        ), ahead as materialized (
          select d.subscriber_id as id, array_agg(e.slot_at) as slots
          from editions e join deliveries d on d.edition_id = e.id
          where e.kind = 'scheduled' and e.slot_at > ${now} and d.subscriber_id > ${after}
            and d.subscriber_id <= (select max(id) from chunk)
          group by d.subscriber_id
        )
        select timezone, send_hour, weekly_day, monthly_day, frequencies, paused_until, ahead.slots as served,
          array_agg(id) as ids
        from chunk left join ahead using (id) group by 1, 2, 3, 4, 5, 6, 7`.execute(trx)
      let last: number | null = null
      for (const { ids, pausedUntil, served, ...own } of rows) {
        const had = new Set(served?.map((slot) => slot.getTime()))
        const schedule = scheduleOf(own, ctx.config.digest)
        let next = nextDueAt(schedule, pausedUntil && pausedUntil > now ? new Date(pausedUntil.getTime() - 1) : now)
        while (next && had.has(next.getTime())) next = nextDueAt(schedule, next)
        moved += await alignDueTimes(trx, ids, next, { onlyEarlier: !isSite })
        for (const id of ids) if (last === null || id > last) last = id
      }
      return last
    })
  }
  return moved
}

// When the site's own hour, days or zone change, so does the next slot of everyone who left them to the site. The last ones that
// planning went by are a setting; until it equals the configuration, due times are moved chunk by chunk.

import { sql } from 'kysely'
import type { Context } from '../db/context.ts'
import { findSetting, setSetting } from '../db/settings.ts'
import { nextDueAt } from './cadence.ts'
import { chunkSize } from './plan.ts'
import { type OwnSchedule, scheduleOf } from './schedules.ts'

const settingKey = 'digest_schedule'

export async function realign(ctx: Context): Promise<void> {
  const { timezone, hour, weekday, monthday } = ctx.config.digest
  const current = `${timezone} ${hour} ${weekday} ${monthday}`
  const known = await findSetting<string>(ctx.db, settingKey)
  if (known === current) return
  if (known !== undefined) await moveDueTimes(ctx, ctx.clock.now())
  await setSetting(ctx.db, settingKey, current)
}

/** Only who is due later: a slot that has come is planned as it stands. */
async function moveDueTimes(ctx: Context, now: Date): Promise<void> {
  for (let cursor: number | null = 0; cursor !== null;) {
    const after: number = cursor
    cursor = await ctx.db.transaction().execute(async (trx) => {
      const { rows } = await sql<OwnSchedule & { pausedUntil: Date | null; ids: number[] }>`
        with chunk as materialized (
          select s.id, timezone, send_hour, weekly_day, monthly_day, frequencies, paused_until
          from due_times t join subscribers s on s.id = t.subscriber_id
          where t.subscriber_id > ${after} and t.next_due_at > ${now}
            and (timezone is null or send_hour is null or weekly_day is null or monthly_day is null)
          order by t.subscriber_id limit ${chunkSize} for update of t
        )
        select timezone, send_hour, weekly_day, monthly_day, frequencies, paused_until, array_agg(id) as ids
        from chunk group by 1, 2, 3, 4, 5, 6`.execute(trx)
      let last: number | null = null
      for (const { ids, pausedUntil, ...own } of rows) {
        const from = pausedUntil && pausedUntil > now ? new Date(pausedUntil.getTime() - 1) : now
        const next = nextDueAt(scheduleOf(own, ctx.config.digest), from)
        await sql`update due_times set next_due_at = ${next} where subscriber_id = any(${`{${ids.join(',')}}`}::bigint[])`.execute(
          trx,
        )
        for (const id of ids) if (last === null || id > last) last = id
      }
      return last
    })
  }
}

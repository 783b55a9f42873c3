// The only place that writes a subscriber's choice. The rows, the bits that planning reads instead of them, and the next due time
// always change together. Otherwise a digest would be sent at an old hour, or never.

import { sql } from 'kysely'
import type { Config } from '../base/config.ts'
import { invalidField } from '../messages/refusals.ts'
import type { Trx } from '../db/connect.ts'
import { frequencyBits, type Frequency, type Subscriber } from '../db/schema.ts'
import { localTime, nextDueAt } from '../calendar/cadence.ts'
import { setDueTime } from '../calendar/due-times.ts'
import { scheduleOf } from '../calendar/schedules.ts'

export interface Choice {
  categoryId: number
  frequency: Frequency
  position: number
}

/** What decides when mail is due, besides the choice. */
export type Timing = Pick<Subscriber, 'status' | 'timezone' | 'sendHour' | 'weeklyDay' | 'monthlyDay' | 'pausedUntil'>

/**
 * Replaces the choice among offered categories. Rows of retired categories stay and keep their subscriber due: when such a
 * category is offered again, its subscribers get it again. Returns when mail is next due; null: never, as for every subscriber who
 * isn't active. The caller holds the subscriber's lock.
 */
export async function saveSubscriptions(
  trx: Trx,
  config: Config,
  subscriber: Timing & { id: number },
  choices: readonly Choice[],
  now: Date,
): Promise<Date | null> {
  await trx
    .deleteFrom('subscriptions')
    .where('subscriberId', '=', subscriber.id)
    .$if(choices.length > 0, (query) =>
      query.where(
        'categoryId',
        'not in',
        choices.map((choice) => choice.categoryId),
      ),
    )
    .where((eb) =>
      eb('categoryId', 'in', eb.selectFrom('categories').select('categories.id').where('retiredAt', 'is', null)),
    )
    .execute()
  if (choices.length > 0)
    await trx
      .insertInto('subscriptions')
      .values(choices.map((choice) => ({ subscriberId: subscriber.id, ...choice })))
      .onConflict((conflict) =>
        conflict.columns(['subscriberId', 'categoryId']).doUpdateSet((eb) => ({
          frequency: eb.ref('excluded.frequency'),
          position: eb.ref('excluded.position'),
        })),
      )
      .execute()
  const { frequencies, nextDueAt } = whenDue(config, subscriber, await listChosen(trx, [subscriber.id]), now)
  await trx.updateTable('subscribers').set({ frequencies }).where('id', '=', subscriber.id).execute()
  await setDueTime(trx, subscriber.id, nextDueAt)
  return nextDueAt
}

/** The input of whenDue, which includes retired categories. */
export async function listChosen(
  trx: Trx,
  subscriberIds: readonly number[],
): Promise<{ subscriberId: number; frequency: Frequency }[]> {
  return trx
    .selectFrom('subscriptions')
    .select(['subscriberId', 'frequency'])
    .where(sql<boolean>`subscriber_id = any(${[...subscriberIds]}::bigint[])`)
    .execute()
}

/** What planning reads instead of the choice. A pause ends by itself: the next slot is the first one after it. Pure. */
export function whenDue(
  config: Config,
  subscriber: Timing,
  choices: readonly { frequency: Frequency }[],
  now: Date,
): { frequencies: number; nextDueAt: Date | null } {
  const bits = choices.reduce((sum, choice) => sum | frequencyBits[choice.frequency], 0)
  if (subscriber.status !== 'active' || bits === 0) return { frequencies: bits, nextDueAt: null }
  const { pausedUntil } = subscriber
  // A slot exactly at the end of the pause counts as after it.
  const after = pausedUntil && pausedUntil > now ? new Date(pausedUntil.getTime() - 1) : now
  const schedule = scheduleOf({ ...subscriber, frequencies: bits }, config.digest)
  return { frequencies: bits, nextDueAt: nextDueAt(schedule, after) }
}

/** The instant at which a calendar date (2026-03-06) begins in a zone. Pure. */
export function startOfDate(date: string, timezone: string): Date {
  const utc = Date.parse(`${date}T00:00:00Z`)
  const midnights = { timezone, hour: 0, weeklyDay: 1, monthlyDay: 1, frequencies: frequencyBits.daily }
  // Zones lie between UTC-12 and UTC+14, so the first midnight may belong to the day before.
  const first = nextDueAt(midnights, new Date(utc - 14 * 3_600_000 - 1))!
  return localTime(timezone, first).monthday === new Date(utc).getUTCDate() ? first : nextDueAt(midnights, first)!
}

/** A pause from a form: a date from tomorrow to a year from now; empty: no pause. Pure. */
export function readPause(config: Config, given: unknown, timezone: string | null, now: Date): Date | null {
  if (given === undefined || given === null || given === '') return null
  if (typeof given !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(given) || Number.isNaN(Date.parse(given)))
    throw invalidField('paused_until', 'preferences.enterDate', { date: '2026-03-20' })
  const until = startOfDate(given, timezone ?? config.digest.timezone)
  if (until <= now) throw invalidField('paused_until', 'preferences.dayBegun')
  if (until.getTime() > now.getTime() + 366 * 86_400_000) throw invalidField('paused_until', 'preferences.pauseTooLong')
  return until
}

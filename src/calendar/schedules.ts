// From a subscriber's row to a schedule: what the subscriber left open is the site's. Pure.

import type { Config } from '../base/config.ts'
import type { Subscriber } from '../db/schema.ts'
import { nextDueAt, type Schedule } from './cadence.ts'

export type SiteSchedule = Pick<Config['digest'], 'timezone' | 'hour' | 'weekday' | 'monthday'>
export type OwnSchedule = Pick<Subscriber, 'timezone' | 'sendHour' | 'weeklyDay' | 'monthlyDay' | 'frequencies'>

export function scheduleOf(own: OwnSchedule, site: SiteSchedule): Schedule {
  return {
    timezone: own.timezone ?? site.timezone,
    hour: own.sendHour ?? site.hour,
    weeklyDay: own.weeklyDay ?? site.weekday,
    monthlyDay: own.monthlyDay ?? site.monthday,
    frequencies: own.frequencies,
  }
}

/** What `next_due_at` becomes when someone confirms, changes preferences, pauses or comes back: the next slot after `now`, and
 * not before the pause is over. */
export function dueAfter(
  own: OwnSchedule & Pick<Subscriber, 'pausedUntil'>,
  site: SiteSchedule,
  now: Date,
): Date | null {
  const schedule = scheduleOf(own, site)
  // A slot at the very instant at which the pause ends fires.
  return own.pausedUntil && own.pausedUntil > now
    ? nextDueAt(schedule, new Date(own.pausedUntil.getTime() - 1))
    : nextDueAt(schedule, now)
}

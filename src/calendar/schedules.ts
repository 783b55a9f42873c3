// Turns a subscriber's row into a schedule. What the subscriber didn't choose is the site's. Pure.

import type { Config } from '../base/config.ts'
import type { Subscriber } from '../db/schema.ts'
import type { Schedule } from './cadence.ts'

type SiteSchedule = Pick<Config['digest'], 'timezone' | 'hour' | 'weekday' | 'monthday'>
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

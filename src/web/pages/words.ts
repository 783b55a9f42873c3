// Dates, names and lists as readers see them: in the subscriber's language where there is one, else the site's.

import { formatDate } from '../../base/dates.ts'
import type { Config } from '../../base/config.ts'
import type { Frequency } from '../../db/schema.ts'

export const frequencyChoices = ['off', 'daily', 'weekly', 'monthly'] as const
export const frequencyNames: Record<Frequency | 'off', string> = {
  off: 'Off',
  daily: 'Daily',
  weekly: 'Weekly',
  monthly: 'Monthly',
}

export const weekdays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] as const

/** For a reader who hasn't said anything: the site's. */
export interface Reader {
  locale: string | null
  timezone: string | null
}

/** Monday, 2 March 2026 */
export function fullDate(config: Config, at: Date, timezone = config.digest.timezone): string {
  return formatDate(at, 'day', timezone, config.site.locale)
}

/** 2 March 2026 */
export function longDate(config: Config, at: Date, timezone = config.digest.timezone): string {
  return formatDate(at, 'date', timezone, config.site.locale)
}

/** 07:00 */
export function timeOfDay(config: Config, at: Date): string {
  return formatDate(at, 'time', config.digest.timezone, config.site.locale)
}

/** Tuesday 3 March at 07:00 (Europe/Berlin) */
export function dateAndTime(config: Config, at: Date, reader: Reader): string {
  const locale = reader.locale ?? config.site.locale
  const timeZone = reader.timezone ?? config.digest.timezone
  const day = formatDate(at, 'dayOfYear', timeZone, locale)
  const time = formatDate(at, 'time', timeZone, locale)
  return `${day} at ${time} (${timeZone.replaceAll('_', ' ')})`
}

/** Names that places have given up, and which ICU still lists instead of the ones that people look for. */
const renamedZones: Record<string, string> = {
  'Africa/Asmera': 'Africa/Asmara',
  'America/Buenos_Aires': 'America/Argentina/Buenos_Aires',
  'America/Godthab': 'America/Nuuk',
  'Asia/Calcutta': 'Asia/Kolkata',
  'Asia/Katmandu': 'Asia/Kathmandu',
  'Asia/Rangoon': 'Asia/Yangon',
  'Asia/Saigon': 'Asia/Ho_Chi_Minh',
  'Atlantic/Faeroe': 'Atlantic/Faroe',
  'Europe/Kiev': 'Europe/Kyiv',
  'Pacific/Enderbury': 'Pacific/Kanton',
  'Pacific/Ponape': 'Pacific/Pohnpei',
  'Pacific/Truk': 'Pacific/Chuuk',
}

/** All zones that this machine knows. */
export const timezones: readonly string[] = [
  'UTC',
  ...new Set(
    Intl.supportedValuesOf('timeZone')
      .map((zone) => renamedZones[zone] ?? zone)
      .filter((zone) => zone !== 'UTC')
      .toSorted(),
  ),
]

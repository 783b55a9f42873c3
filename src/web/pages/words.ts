// Dates, names and lists as readers see them: in the subscriber's language where there is one, else the site's.

import { dateFormat } from '../../base/date-format.ts'
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
  return dateFormat(config.site.locale, { dateStyle: 'full', timeZone: timezone }).format(at)
}

/** 2 March 2026 */
export function longDate(config: Config, at: Date, timezone = config.digest.timezone): string {
  return dateFormat(config.site.locale, { dateStyle: 'long', timeZone: timezone }).format(at)
}

/** 07:00 */
export function timeOfDay(config: Config, at: Date): string {
  return dateFormat(config.site.locale, {
    hour: '2-digit',
    minute: '2-digit',
    timeZone: config.digest.timezone,
  }).format(at)
}

/** Tuesday 3 March at 07:00 (Europe/Berlin) */
export function dateAndTime(config: Config, at: Date, reader: Reader): string {
  const locale = reader.locale ?? config.site.locale
  const timeZone = reader.timezone ?? config.digest.timezone
  const day = dateFormat(locale, { weekday: 'long', day: 'numeric', month: 'long', timeZone }).format(at)
  const time = dateFormat(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone }).format(at)
  return `${day} at ${time} (${timeZone.replaceAll('_', ' ')})`
}

/** 2026-03-02, as a date field wants it. */
export function isoDate(at: Date, timezone: string): string {
  return dateFormat('sv', { dateStyle: 'short', timeZone: timezone }).format(at)
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

/** Politics, World News and Business */
export function listed(names: readonly string[]): string {
  return new Intl.ListFormat('en', { type: 'conjunction' }).format(names)
}

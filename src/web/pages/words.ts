// Dates, names and lists as readers see them: in the subscriber's language where there is one, else the site's.

import { formatDate } from '../../base/dates.ts'
import type { Config } from '../../base/config.ts'
import { frequencies, type Category, type Frequency } from '../../db/schema.ts'
import type { Choices } from '../../subscribers/choices.ts'

export const frequencyChoices = ['off', 'daily', 'weekly', 'monthly'] as const
export const frequencyNames: Record<Frequency | 'off', string> = {
  off: 'Off',
  daily: 'Daily',
  weekly: 'Weekly',
  monthly: 'Monthly',
}

export const weekdays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] as const

/** What a choice means, as sentences: "Every day at 07:00: Politics, World News and Business. Every Tuesday at 07:00: Investing." */
export function choiceSentences(config: Config, choices: Choices, categories: readonly Category[]): string {
  const { hour, weekday, monthday } = config.digest
  const day = {
    daily: 'Every day',
    weekly: `Every ${weekdays[weekday - 1]}`,
    monthly: `Every month on day ${monthday}`,
  }
  return frequencies
    .flatMap((frequency) => {
      const names = categories.filter(({ slug }) => choices[slug] === frequency).map(({ name }) => name)
      return names.length === 0 ? [] : [`${day[frequency]} at ${clockHour(hour)}: ${nameList(names)}.`]
    })
    .join(' ')
}

/** At most six names, and how many more there are. */
function nameList(names: readonly string[]): string {
  const shown = names.length > 7 ? [...names.slice(0, 6), `${names.length - 6} more`] : names
  return new Intl.ListFormat('en-GB', { type: 'conjunction' }).format(shown)
}

/** 7 → 07:00 */
export function clockHour(hour: number): string {
  return `${String(hour).padStart(2, '0')}:00`
}

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

// Dates, names and lists as readers see them.

import type { Config } from '../../base/config.ts'
import { frequencies, type Category } from '../../db/schema.ts'
import type { Say } from '../../messages/messages.ts'
import type { Choices } from '../../subscribers/choices.ts'

export const frequencyChoices = ['off', 'daily', 'weekly', 'monthly'] as const

/** 1 (Monday) to 7, by name. */
export function weekdayName(say: Say, day: number): string {
  return say.date(new Date(Date.UTC(2024, 0, day)), 'weekday', 'UTC')
}

/** What a choice means, as sentences: "Every day at 07:00: Politics, World News and Business. Every Tuesday at 07:00: Investing." */
export function choiceSentences(
  say: Say,
  { digest }: Config,
  choices: Choices,
  categories: readonly Category[],
): string {
  const time = clockHour(say, digest.hour)
  const sentences = {
    daily: (topics: string) => say('form.everyDay', { time, topics }),
    weekly: (topics: string) => say('form.everyWeek', { weekday: weekdayName(say, digest.weekday), time, topics }),
    monthly: (topics: string) => say('form.everyMonth', { day: digest.monthday, time, topics }),
  }
  return frequencies
    .flatMap((frequency) => {
      const names = categories.filter(({ slug }) => choices[slug] === frequency).map(({ name }) => name)
      return names.length === 0 ? [] : [sentences[frequency](nameList(say, names))]
    })
    .join(' ')
}

/** At most six names, and how many more there are. */
function nameList(say: Say, names: readonly string[]): string {
  const shown = names.length > 7 ? [...names.slice(0, 6), say('form.moreTopics', { count: names.length - 6 })] : names
  return say.list(shown)
}

/** 7 → 07:00 */
export function clockHour(say: Say, hour: number): string {
  return say.date(new Date(Date.UTC(2024, 0, 1, hour)), 'time', 'UTC')
}

/** For a reader who hasn't said anything: the site's. */
export interface Reader {
  timezone: string | null
}

/** Tuesday 3 March at 07:00 (Europe/Berlin) */
export function dateAndTime(say: Say, config: Config, at: Date, reader: Reader): string {
  const timeZone = reader.timezone ?? config.digest.timezone
  return say('common.dayAtTime', {
    day: say.date(at, 'dayOfYear', timeZone),
    time: say.date(at, 'time', timeZone),
    zone: timeZone.replaceAll('_', ' '),
  })
}

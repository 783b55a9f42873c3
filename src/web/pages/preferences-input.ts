// What the preferences form says: kept as it was typed, so that nothing is lost when one field is wrong, and read field by field, so
// that every wrong one is named at once.

import { isoDate } from '../../base/dates.ts'
import { Refusal, type FieldProblem } from '../../base/errors.ts'
import type { Context } from '../../db/context.ts'
import type { Category, Subscriber } from '../../db/schema.ts'
import { invalidField, refusal } from '../../messages/refusals.ts'
import { readChoices, readTimezone } from '../../subscribers/choices.ts'
import { readLocale, readNumber, type PreferenceChanges } from '../../subscribers/preferences.ts'
import type { SubscriptionLine } from '../../subscribers/store.ts'
import { readPause, startOfDate } from '../../subscribers/subscriptions.ts'

export const pauseWeeks = [2, 4, 8] as const

/** The form's fields, as they are shown. */
export interface TypedPreferences {
  /** By slug; none: off. */
  frequency: Record<string, string>
  /** Every category on offer. */
  order: string[]
  hour: string
  weekday: string
  monthday: string
  timezone: string
  language: string
  /** Empty: no pause; a number of weeks, or `date`. */
  pause: string
  paused_until: string
  new_email: string
}

export type Fields = Record<string, unknown>

/** What holds today. */
export function typedOf(
  ctx: Context,
  subscriber: Subscriber,
  lines: readonly SubscriptionLine[],
  categories: readonly Category[],
): TypedPreferences {
  const { pausedUntil, sendHour, weeklyDay, monthlyDay, timezone, locale } = subscriber
  const isPaused = pausedUntil !== null && pausedUntil > ctx.clock.now()
  const own = lines.map(({ slug }) => slug)
  return {
    frequency: Object.fromEntries(lines.map((line) => [line.slug, line.frequency])),
    order: [...own, ...categories.map(({ slug }) => slug).filter((slug) => !own.includes(slug))],
    hour: String(sendHour ?? ''),
    weekday: String(weeklyDay ?? ''),
    monthday: String(monthlyDay ?? ''),
    timezone: timezone ?? '',
    language: locale ?? '',
    pause: isPaused ? 'date' : '',
    paused_until: isPaused ? isoDate(pausedUntil, zoneOf(ctx, timezone)) : '',
    new_email: '',
  }
}

/** The same with every edit of a form that isn't saved. */
export function typedOver(typed: TypedPreferences, fields: Fields): TypedPreferences {
  const texts = Object.entries(fields).filter(([name, value]) => name in typed && typeof value === 'string')
  const given: unknown = fields['frequency']
  const frequency = isRecord(given)
    ? { ...typed.frequency, ...Object.fromEntries(Object.entries(given).map(([slug, value]) => [slug, String(value)])) }
    : typed.frequency
  return { ...typed, ...(Object.fromEntries(texts) as object), frequency, order: orderOver(typed, fields) }
}

function orderOver(typed: TypedPreferences, fields: Fields): string[] {
  if (fields['order'] === undefined) return typed.order
  try {
    const order = readOrder(fields['order']).filter((slug) => typed.order.includes(slug))
    return [...order, ...typed.order.filter((slug) => !order.includes(slug))]
  } catch {
    return typed.order
  }
}

/** `move=up:politics`: the order after that press. undefined: it isn't one. Pure. */
export function readMove(given: unknown, order: readonly string[]): { slug: string; order: string[] } | undefined {
  const [, way, slug] = (typeof given === 'string' && /^(up|down):(.{1,200})$/.exec(given)) || []
  const at = order.indexOf(slug ?? '')
  if (at < 0) return undefined
  const to = Math.min(Math.max(at + (way === 'up' ? -1 : 1), 0), order.length - 1)
  return { slug: slug!, order: order.toSpliced(at, 1).toSpliced(to, 0, slug!) }
}

/** What a form says, and nothing about what it doesn't have. Refuses with every field that is wrong. */
export function readChanges(
  ctx: Context,
  fields: Fields,
  subscriber: Subscriber,
  shown: TypedPreferences,
  categories: readonly Category[],
): PreferenceChanges {
  const problems: FieldProblem[] = []
  const read = <T>(name: string, reader: (value: unknown) => T): T | undefined => {
    if (!Object.hasOwn(fields, name)) return undefined
    try {
      return reader(fields[name])
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      problems.push(...error.problems)
      return undefined
    }
  }
  const changes: PreferenceChanges = {
    choices: read('frequency', (value) => readChoices(value, categories)),
    order: read('order', readOrder),
    sendHour: read('hour', (value) => readNumber('hour', value, 0, 23)),
    weeklyDay: read('weekday', (value) => readNumber('weekday', value, 1, 7)),
    monthlyDay: read('monthday', (value) => readNumber('monthday', value, 1, 31)),
    timezone: read('timezone', readTimezone),
    locale: read('language', (value) => readLocale(value)),
  }
  const timezone = changes.timezone === undefined ? subscriber.timezone : changes.timezone
  const pause = Object.hasOwn(fields, 'pause') ? 'pause' : 'paused_until'
  changes.pausedUntil = read(pause, () => readPauseFields(ctx, fields, shown, timezone))
  if (fields['instead'] === 'weekly') changes.choices = weeklyInstead({ ...shown.frequency, ...changes.choices })
  if (fields['instead'] === 'pause-4') changes.pausedUntil = inWeeks(ctx, 4, timezone)
  if (problems.length > 0) throw refusal('invalid', 'form.fixFields', {}, problems)
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))
}

function weeklyInstead(frequency: Record<string, string>) {
  const daily = Object.keys(frequency).filter((slug) => frequency[slug] === 'daily')
  const rest = Object.entries(frequency) as [string, 'weekly'][]
  return { ...Object.fromEntries(rest), ...Object.fromEntries(daily.map((slug) => [slug, 'weekly' as const])) }
}

/** A date that was just entered counts even if "No pause" is still ticked beside it. */
function readPauseFields(ctx: Context, fields: Fields, shown: TypedPreferences, timezone: string | null): Date | null {
  const { pause = 'date', paused_until: date = '' } = fields
  const weeks = pauseWeeks.find((one) => String(one) === pause)
  if (weeks) return inWeeks(ctx, weeks, timezone)
  if (pause === '' && (date === '' || date === shown.paused_until)) return null
  if (pause !== '' && pause !== 'date') throw invalidField('pause', 'preferences.choosePause')
  if (date === '' && Object.hasOwn(fields, 'pause')) throw invalidField('paused_until', 'preferences.enterResumeDay')
  return readPause(ctx.config, date, timezone, ctx.clock.now())
}

/** The start of the day in so many weeks. */
export function inWeeks(ctx: Context, weeks: number, timezone: string | null): Date {
  const zone = zoneOf(ctx, timezone)
  return startOfDate(isoDate(new Date(ctx.clock.now().getTime() + weeks * 7 * 86_400_000), zone), zone)
}

export function zoneOf(ctx: Pick<Context, 'config'>, timezone: string | null): string {
  return timezone ?? ctx.config.digest.timezone
}

/** {slug: place} → slugs. The form lists them in the order that holds, so a place that differs from its line was chosen just now:
 * where two claim one place, the one that moved gets it. */
function readOrder(given: unknown): string[] {
  if (!isRecord(given))
    throw new Refusal('invalid', 'Give a place for each category.', [{ field: 'order', message: 'must be places.' }])
  return Object.entries(given)
    .map(([slug, place], index) => {
      const wanted = readNumber(`order[${slug.slice(0, 60)}]`, place, 1, 1000) ?? index + 1
      return { slug, place: wanted + Math.sign(wanted - index - 1) / 2 }
    })
    .toSorted((a, b) => a.place - b.place)
    .map(({ slug }) => slug)
}

const isRecord = (given: unknown): given is Record<string, unknown> =>
  typeof given === 'object' && given !== null && !Array.isArray(given)

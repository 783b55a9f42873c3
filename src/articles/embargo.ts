// When a story may be sent: not before its date. A story with a future date is stored at once and waits. If the date is far in the
// future, the story isn't stored, because that is usually a mistake. Pure.

const minuteMs = 60_000
/** The most by which clocks differ. */
const clockMs = 10 * minuteMs
const dayMs = 1440 * minuteMs
/** A story whose date is more days ahead isn't stored yet. */
export const mostDaysAhead = 30
/**
 * A story may be sent for so long after it became sendable. If its date passed earlier, it is never released. `reading.seen`
 * forgets after 60 days, so this must stay below.
 */
export const eligibleDays = 45

export function isAhead(date: Date, now: Date): boolean {
  return date.getTime() > now.getTime() + clockMs
}

export function isFarAhead(date: Date, now: Date): boolean {
  return date.getTime() > now.getTime() + mostDaysAhead * dayMs
}

/** From when on a story of that date is stored. */
export function takenFrom(date: Date): Date {
  return new Date(date.getTime() - mostDaysAhead * dayMs)
}

/** The date to use: with `ignoresDatesAhead`, a future date counts as none. */
export function dateThatCounts(date: Date | null, now: Date, ignoresDatesAhead: boolean): Date | null {
  return date && ignoresDatesAhead && isAhead(date, now) ? null : date
}

/** Until when a stored story waits. null: it doesn't wait, or its date has come and the next tick releases it. */
export function waitsUntil(article: { sendableAt: Date | null; publishedAt: Date }, now: Date): Date | null {
  return article.sendableAt === null && article.publishedAt > now ? article.publishedAt : null
}

const newest = 3

/** Whether even the newest entries of a feed have future dates. That is more likely a wrong clock or time zone than an embargo. */
export function seemsAhead(entries: readonly { publishedAt: Date | null }[], now: Date): boolean {
  const dates = entries.flatMap(({ publishedAt }) => publishedAt ?? []).sort((a, b) => b.getTime() - a.getTime())
  return dates.length > 0 && dates.slice(0, newest).every((date) => isAhead(date, now))
}

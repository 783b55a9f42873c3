// When may a story go out? Not before its date. One dated ahead is stored at once and waits; one dated far ahead isn't even taken,
// as that is a mistake more often than a plan. Pure.

const minuteMs = 60_000
/** Clocks differ by so much. */
const clockMs = 10 * minuteMs
const dayMs = 1440 * minuteMs
/** Days ahead beyond which a story isn't taken yet. */
export const mostDaysAhead = 30
/** A story is news for so long from the moment at which it could be sent; one whose date passed earlier is never released.
 * `reading.seen` forgets after 60 days, so this must stay below. */
export const eligibleDays = 45

export function isAhead(date: Date, now: Date): boolean {
  return date.getTime() > now.getTime() + clockMs
}

export function isFarAhead(date: Date, now: Date): boolean {
  return date.getTime() > now.getTime() + mostDaysAhead * dayMs
}

/** From when on a story of that date is taken. */
export function takenFrom(date: Date): Date {
  return new Date(date.getTime() - mostDaysAhead * dayMs)
}

/** The date that counts: with `ignoresDatesAhead`, one that is ahead is none. */
export function dateThatCounts(date: Date | null, now: Date, ignoresDatesAhead: boolean): Date | null {
  return date && ignoresDatesAhead && isAhead(date, now) ? null : date
}

/** Until when a stored story waits; null: it doesn't, or its date has come and the next tick releases it. */
export function waitsUntil(article: { sendableAt: Date | null; publishedAt: Date }, now: Date): Date | null {
  return article.sendableAt === null && article.publishedAt > now ? article.publishedAt : null
}

const newest = 3

/** Whether even the newest entries of a feed are ahead: then it is more likely its clock or its time zone than an embargo. */
export function seemsAhead(entries: readonly { publishedAt: Date | null }[], now: Date): boolean {
  const dates = entries.flatMap(({ publishedAt }) => publishedAt ?? []).sort((a, b) => b.getTime() - a.getTime())
  return dates.length > 0 && dates.slice(0, newest).every((date) => isAhead(date, now))
}

// Dates for people, in a language and a time zone. All code that prints a date for people uses formatDate.

const styles = {
  /** Tuesday, 24 November 2026 */
  day: { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' },
  /** 2026-11-24, in Swedish */
  isoDay: { dateStyle: 'short' },
  /** Tuesday 24 November */
  dayOfYear: { weekday: 'long', day: 'numeric', month: 'long' },
  /** 24 November 2026 */
  date: { day: 'numeric', month: 'long', year: 'numeric' },
  /** 2026 */
  year: { year: 'numeric' },
  /** 24 Nov */
  shortDay: { day: 'numeric', month: 'short' },
  /** Tuesday */
  weekday: { weekday: 'long' },
  /** 07:00 */
  time: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  /** Tue, 24 Nov, 07:00 */
  moment: {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  },
  /** Tue, 24 Nov 2026, 07:00 */
  momentWithYear: {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>

/** Creating a formatter takes a hundred times as long as using it. */
const formatters = new Map<string, Intl.DateTimeFormat>()

/** English puts the day before the month, as most countries do; `en-US` doesn't. */
export function formatDate(at: Date, style: keyof typeof styles, timeZone: string, locale: string): string {
  const key = `${style} ${timeZone} ${locale}`
  let found = formatters.get(key)
  if (!found) {
    // Readers send their own zones and languages, so the map is bounded.
    if (formatters.size > 500) formatters.clear()
    found = new Intl.DateTimeFormat(locale === 'en' ? 'en-GB' : locale, { ...styles[style], timeZone })
    formatters.set(key, found)
  }
  return found.format(at)
}

/** The calendar day in a time zone: 2026-11-24. */
export function isoDate(at: Date, timeZone: string): string {
  return formatDate(at, 'isoDay', timeZone, 'sv')
}

/** RFC 5322 §3.3, in UTC, as mails and RSS write it. */
export function rfcDate(at: Date): string {
  return at.toUTCString().replace('GMT', '+0000')
}

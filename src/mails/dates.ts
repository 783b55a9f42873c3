// Dates as people read them, in a zone and a language. Formatters are dear to make and cheap to use, so each is made once.

const formatters = new Map<string, Intl.DateTimeFormat>()

const styles = {
  /** Tuesday, 24 November 2026 */
  day: { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' },
  /** 24 Nov */
  shortDay: { day: 'numeric', month: 'short' },
  /** 07:00 */
  time: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>

export function formatDate(at: Date, style: keyof typeof styles, timeZone: string, locale: string): string {
  const key = `${style} ${timeZone} ${locale}`
  let formatter = formatters.get(key)
  if (!formatter) {
    // Plain "en" would put the month first, which is American only.
    const language = locale === 'en' ? 'en-GB' : locale
    formatters.set(key, (formatter = new Intl.DateTimeFormat(language, { ...styles[style], timeZone })))
  }
  return formatter.format(at)
}

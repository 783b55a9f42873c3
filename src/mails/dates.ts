// Dates as people read them in mails, in a zone and a language.

import { dateFormat } from '../base/date-format.ts'

const styles = {
  /** Tuesday, 24 November 2026 */
  day: { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' },
  /** 24 Nov */
  shortDay: { day: 'numeric', month: 'short' },
  /** 07:00 */
  time: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>

export function formatDate(at: Date, style: keyof typeof styles, timeZone: string, locale: string): string {
  return dateFormat(locale, { ...styles[style], timeZone }).format(at)
}

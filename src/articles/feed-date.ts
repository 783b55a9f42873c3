// Dates in feeds: RFC 822 with all common mistakes, ISO 8601 with or without zone, month names of a dozen languages, HTML inside
// the element. A date without a zone is in the given one. An impossible date (31 April, 1970, year 1) is null, never a guess.

import { offsetOf, type Offset } from './feed-zones.ts'

/** Including HTML around it. A longer text isn't a date. */
const mostWritten = 2000

/** null: no date, or an impossible one. `timezone` is the zone of a date without one. Pure. */
export function parseFeedDate(written: string, timezone: string | null = null): Date | null {
  const given = written.trim()
  if (!given || given.length > mostWritten) return null
  const usual = rfc822(given)
  if (usual !== null) return plausible(usual)
  const attribute = /\bdatetime\s*=\s*["']([^"']+)["']/i.exec(given)?.[1]
  const text = (attribute ?? given)
    .replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (digit) => String(digit.charCodeAt(0) & 0x0f))
    .replace(/<[^<>]*>/g, ' ')
    .replace(/&(?:nbsp|#160);/g, ' ')
    .replace(/[\s\u00a0\u200e\u200f]+/g, ' ')
    .replace(/ at (?=\d)/i, ' ')
    // 8 p.m. is 8:00 p.m.
    .replace(/(^|[ ,T@-])(\d{1,2}) ?([ap])\.? ?m\.?(?![a-z])/i, '$1$2:00 $3m')
    .trim()
  if (!text || text.length > 120) return null
  const site = timezone ?? 'UTC'
  return plausible(iso(text, site) ?? numeric(text, site) ?? worded(text, site))
}

/** No story in a feed is older. Programs write 1970, 1980 and year 1 if they know no date. */
const earliest = Date.UTC(1990, 0, 1)

/** null for a date that is impossible for a published story. */
export function plausible(time: number | null): Date | null {
  return time === null || Number.isNaN(time) || time < earliest || time > Date.UTC(2200, 0, 1) ? null : new Date(time)
}

interface Clock {
  hour: number
  minute: number
  second: number
  ms: number
}

const midnight: Clock = { hour: 0, minute: 0, second: 0, ms: 0 }

function instant(year: number, month: number, day: number, clock: Clock, offset: Offset): number | null {
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return null
  const { hour, minute, second, ms } = clock
  // 24:00 is the end of the day; a 60th second is the next minute's first.
  if (hour > 24 || minute > 59 || second > 60 || (hour === 24 && minute + second > 0)) return null
  const local = Date.UTC(year, month - 1, day, hour, minute, second, ms)
  return typeof offset === 'number' ? local - offset * 60_000 : inZone(local, offset)
}

/** From local time in a zone. An hour that the clocks skipped is read with the offset before the change. */
function inZone(local: number, timezone: string): number {
  if (timezone === 'UTC') return local
  const shown = Temporal.Instant.fromEpochMilliseconds(local).toZonedDateTimeISO('UTC').toPlainDateTime()
  return shown.toZonedDateTime(timezone).epochMilliseconds
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate()
}

const usualForm =
  /^(?:[A-Z][a-z]{2}, )?(\d{1,2}) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (\d{4}) (\d{2}):(\d{2}):(\d{2}) (?:GMT|UTC|([+-](?:0\d|1[0-4]))([0-5]\d))$/

/** `Mon, 16 Feb 2026 21:36:43 +0000` (RFC 822 §5), as most feeds write it: the rest would find the same, at ten times the cost. */
function rfc822(text: string): number | null {
  const match = usualForm.exec(text)
  if (!match) return null
  const [, day, month, year, hour, minute, second, offsetHours = '+0', offsetMinutes = '0'] = match
  const sign = offsetHours.startsWith('-') ? -1 : 1
  const offset = Number(offsetHours) * 60 + sign * Number(offsetMinutes)
  return instant(Number(year), monthNumber(month!.toLowerCase()), Number(day), clockOf(hour, minute, second), offset)
}

function iso(text: string, site: string): number | null {
  const match =
    /^(?:[^\d\s]+,? )?(\d{4})[-/.](\d{1,2})(?:[-/.](\d{1,2}))?(?:(?:[T ,]|\+(?=\d\d:)| - )+(\d{1,2})[:.](\d{2})(?:[:.](\d{1,2})(?:[.,:](\d{1,9}))?)?)? ?(.*)$/i.exec(
      text,
    ) ?? /^(\d{4})(\d{2})(\d{2})(?:[T ]?(\d{2}):?(\d{2}):?(\d{2})?(?:[.,](\d{1,9}))?)? ?(.*)$/i.exec(text)
  if (!match) return null
  const [, year, month, day, hour, minute, second, fraction, rest] = match
  const meridiem = /^([ap])\.?m\.?\b ?(.*)$/i.exec(rest ?? '')
  const zone = offsetOf((meridiem ? meridiem[2] : rest) ?? '', site, { lenient: hour !== undefined })
  if (zone === null) return null
  const clock = hour
    ? {
        hour: twelveHour(Number(hour), meridiem?.[1]),
        minute: Number(minute),
        second: Number(second ?? 0),
        ms: fraction ? Math.floor(Number(`0.${fraction}`) * 1000) : 0,
      }
    : midnight
  return instant(Number(year), Number(month), Number(day ?? 1), clock, zone)
}

/** Unix seconds or milliseconds; 29/05/2017 and 05/29/2017 (month first only if the day requires it, or with AM/PM). */
function numeric(text: string, site: string): number | null {
  if (/^\d{9,10}$/.test(text)) return Number(text) * 1000
  if (/^\d{12,13}$/.test(text)) return Number(text)
  const cjk =
    /^(\d{4}) ?[年년] ?(\d{1,2}) ?[月월] ?(\d{1,2}) ?[日일]?[^\d]*(?:(\d{1,2})[:時时시] ?(\d{2})(?:[:分분] ?(\d{2}))?)?/.exec(
      text,
    )
  if (cjk) return instant(Number(cjk[1]), Number(cjk[2]), Number(cjk[3]), clockOf(cjk[4], cjk[5], cjk[6]), site)
  const match =
    /^(?:[^\d\s]+,? )?(\d{1,2})([/.-])(\d{1,2})[/.-](\d{4}|\d{2})(?:[T ,-]+(\d{1,2})[:.h](\d{2})(?:[:.](\d{2}))?)? ?([ap])?\.?m?\.? ?(.*)$/i.exec(
      text,
    )
  if (!match) return null
  const [, first, mark, second, year, hour, minute, seconds, meridiem, rest] = match
  const zone = offsetOf(rest ?? '', site)
  if (zone === null) return null
  const isMonthFirst = Number(second) > 12 || (mark === '/' && Number(first) <= 12 && meridiem !== undefined)
  const [day, month] = isMonthFirst ? [second, first] : [first, second]
  const clock = clockOf(hour, minute, seconds)
  return instant(
    fullYear(year!),
    Number(month),
    Number(day),
    { ...clock, hour: twelveHour(clock.hour, meridiem) },
    zone,
  )
}

function clockOf(hour?: string, minute?: string, second?: string): Clock {
  return { hour: Number(hour ?? 0), minute: Number(minute ?? 0), second: Number(second ?? 0), ms: 0 }
}

function twelveHour(hour: number, meridiem: string | undefined): number {
  if (!meridiem || hour > 12) return hour
  return (hour % 12) + (meridiem.toLowerCase() === 'p' ? 12 : 0)
}

/** RFC 2822: 00-49 is this century, three digits count from 1900. */
function fullYear(written: string): number {
  const year = Number(written)
  if (written.length >= 4) return year
  return written.length === 3 ? 1900 + year : year < 50 ? 2000 + year : 1900 + year
}

/** Any text with the name of a month: finds time, name and numbers in any order. */
function worded(text: string, site: string): number | null {
  let rest = ` ${text.normalize('NFC').toLowerCase()} `
    .replace(/\bde\b|\bdel\b|\bof\b|(?<=\d)(?:st|nd|rd|th|er|º|ª)(?=[ ,.])/g, ' ')
    // Numbered months: 1月, 1월, thg 1.
    .replace(/(?:(?<= )(\d{1,2}) ?[月월]|\b(?:thg|tháng) ?(\d{1,2}))(?= |,)/g, (all, before, after) => {
      const beginning = monthBeginnings[Number(before ?? after) - 1]
      return beginning ? beginning.slice(0, 3) : all
    })
  const time =
    /(?:^|[ t,@-])(\d{1,2})[:h.](\d{2})(?:[:.m](\d{2}))?(?:[.,](\d{1,6}))?(?: ?([ap])\.?m\.?(?![a-z]))?/.exec(rest)
  let clock = midnight
  let zoneText = ''
  if (time) {
    clock = {
      hour: twelveHour(Number(time[1]), time[5]),
      minute: Number(time[2]),
      second: Number(time[3] ?? 0),
      ms: time[4] ? Math.floor(Number(`0.${time[4]}`) * 1000) : 0,
    }
    const after = rest.slice(time.index + time[0].length)
    zoneText = after.trim()
    rest = `${rest.slice(0, time.index)} ${after.replace(zoneNames, ' ')}`
  }
  let month = 0
  // The last one: "mar, 14 mag 2019" is a Tuesday (martedì) in May.
  for (const [word] of rest.matchAll(/\p{L}[\p{L}\p{M}]+/gu)) month = monthNumber(word) || month
  const numbers = [...rest.matchAll(/\d+/g)].map(([number]) => number)
  // "木, 29 1 2015 12:00:00 +0900": languages whose months have numbers.
  if (!month && time && numbers.length === 3 && numbers[2]!.length === 4) month = Number(numbers.splice(1, 1)[0])
  if (!month) return null
  const yearAt = numbers.findIndex((number) => number.length === 4)
  const year = yearAt >= 0 ? numbers.splice(yearAt, 1)[0]! : numbers.length > 1 ? numbers.splice(1, 1)[0]! : null
  const day = numbers[0]
  if (!year || !day || day.length > 2) return null
  // In "Mon May 29 01:23:57 EDT 2017" the year follows the zone.
  const zone = offsetOf(zoneText.replace(/\b(?:19|20)\d\d\b(?!:)/, ' '), site, { lenient: true })
  return instant(fullYear(year), month, Number(day), clock, zone ?? site)
}

/** Zones after the time: their digits aren't days, and Novosibirsk isn't a month. */
const zoneNames = /(?:gmt|utc|ut)? ?[+-]\d{1,2}:?\d{0,2}\b|\([^)]*\)|[a-z]+(?:\/[a-z_+-]+)+|(?:[a-z]+ ){1,4}time\b/g

/**
 * Beginnings of month names, lower case. English, Spanish, Portuguese, Catalan, French, Italian, Romanian, German, Dutch, Nordic,
 * Finnish, Estonian, Polish, Czech, Slovene, Hungarian, Turkish, Indonesian, Russian, Ukrainian, Bulgarian, Greek, Arabic, Hebrew.
 * The longest match wins.
 */
const monthBeginnings: readonly string[] = [
  'jan jän ene gen ian sty led oca tammi jaan янв яну січ ιαν يناير ינו',
  'feb fev fév febr lut úno şub helmi veeb фев лют φεβ فبراير פבר',
  'mar mär mrz mrt maa márc bře maalis мар бер μαρ μάρ مارس מרץ',
  'apr abr avr ápr kwi dub nis huhti апр кві απρ أبريل ابريل אפר',
  'may mai mei mag maj máj maio kvě touko май мая тра μαι μαϊ μάι μάϊ مايو מאי',
  'jun juin jún giu iun cze červen haz kesä juun июн юни чер ιουν ιούν يونيو יונ',
  'jul juil júl lug iul lip červenec tem heinä juul июл юли лип ιουλ ιούλ يوليو יול',
  'aug ago aou aoû agu agt avg sie srp ağu elo авг сер αυγ αύγ أغسطس اغسطس אוג',
  'sep set szept wrz zář eyl syys сен сеп вер σεπ سبتمبر ספט',
  'oct okt out ott paź říj eki loka окт жов οκτ أكتوبر اكتوبر אוק',
  'nov noi lis kas marras ноя ное лис νοε νοέ نوفمبر נוב',
  'dec dez dic déc des det gru pro ara joulu дек гру δεκ ديسمبر דצמ',
]
const months: readonly (readonly [beginning: string, month: number])[] = monthBeginnings
  .flatMap((line, index) => line.split(' ').map((beginning) => [beginning, index + 1] as const))
  .sort(([a], [b]) => b.length - a.length)

function monthNumber(word: string): number {
  return months.find(([beginning]) => word.startsWith(beginning))?.[1] ?? 0
}

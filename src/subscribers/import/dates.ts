// Times in the formats of other systems.

/**
 * undefined: not understood. Without an offset it is UTC. If day and month could be exchanged, the later of the two that isn't
 * after `now`. A time after `now` isn't valid. Pure.
 */
export function readDate(text: string, now: Date): Date | undefined {
  const given = text.trim()
  const found = readNumbers(given, now) ?? readIso(given) ?? readSlashes(given, now) ?? readNamed(given)
  if (!found || Number.isNaN(found.getTime())) return undefined
  return found.getTime() <= now.getTime() + day && found.getTime() > earliest ? found : undefined
}

const day = 86_400_000
const earliest = Date.UTC(1990, 0, 1)

/** Seconds or milliseconds since 1970. */
function readNumbers(text: string, now: Date): Date | undefined {
  if (!/^\d{9,13}$/.test(text)) return undefined
  const value = Number(text)
  return new Date(value * 1000 <= now.getTime() + day ? value * 1000 : value)
}

const clock = String.raw`(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?(?: ?([ap])\.?m\.?)?`
/** `2024-03-01T10:00:00.123Z`, `2024/03/01 10:00`, `2024-03-01 10:00:00.5 +0530 IST`. */
const iso = new RegExp(
  String.raw`^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ,]+${clock} ?(Z|UTC|GMT|[+-]\d\d:?\d\d)?(?: [A-Z]{2,5})?)?$`,
  'i',
)
const slashes = new RegExp(
  String.raw`^(\d{1,2})([./-])(\d{1,2})[./-](\d{4}|\d\d)(?:[T ,]+${clock}(?: ?(Z|UTC|GMT))?)?$`,
  'i',
)

function readIso(text: string): Date | undefined {
  const [, year, month, date, hour, minute, second, half, zone] = iso.exec(text) ?? []
  return year ? timeOf(Number(year), Number(month), Number(date), [hour, minute, second, half], zone) : undefined
}

function readSlashes(text: string, now: Date): Date | undefined {
  const [, one, mark, other, years, hour, minute, second, half] = slashes.exec(text) ?? []
  if (!one) return undefined
  const year = years!.length === 2 ? 2000 + Number(years) : Number(years)
  const time = [hour, minute, second, half]
  const dayFirst = timeOf(year, Number(other), Number(one), time)
  if (mark === '.') return dayFirst
  const monthFirst = timeOf(year, Number(one), Number(other), time)
  const past = [dayFirst, monthFirst].flatMap((at) => (at && at.getTime() <= now.getTime() + day ? [at] : []))
  return past.length === 0 ? undefined : new Date(Math.max(...past.map(Number)))
}

/**
 * `March 3, 2024 5:00 PM`, `3 Mar 2024`, `Fri, 01 Mar 2024 10:00:00 +0000`: formats that JavaScript reads itself, if they name a
 * month and a year.
 */
function readNamed(text: string): Date | undefined {
  if (!/\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b/i.test(text) || !/\b(19|20)\d\d\b/.test(text))
    return undefined
  const clean = text
    .replace(/(\d)(st|nd|rd|th)\b/gi, '$1')
    .replace(/\bat\b/gi, '')
    .slice(0, 60)
  return new Date(/[+-]\d\d:?\d\d|GMT|UTC|Z$/i.test(clean) ? clean : `${clean} UTC`)
}

type Clock = readonly (string | undefined)[]

function timeOf(year: number, month: number, date: number, [hour, minute, second, half]: Clock, zone?: string) {
  if (month < 1 || month > 12 || date < 1 || date > 31) return undefined
  let hours = Number(hour ?? 0)
  if (half) hours = (hours % 12) + (half.toLowerCase() === 'p' ? 12 : 0)
  if (hours > 24 || Number(minute ?? 0) > 59) return undefined
  const at = Date.UTC(year, month - 1, date, hours, Number(minute ?? 0), Number(second ?? 0))
  if (new Date(at).getUTCMonth() !== month - 1 && hours < 24) return undefined
  const offset = /([+-])(\d\d):?(\d\d)/.exec(zone ?? '')
  const minutes = offset ? Number(`${offset[1]}1`) * (Number(offset[2]) * 60 + Number(offset[3])) : 0
  return new Date(at - minutes * 60_000)
}

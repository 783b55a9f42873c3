// When a feed is polled next. The interval that the feed or its server asks for is the minimum. Failures back off, with jitter, so
// that a hundred feeds of one failing host aren't polled at once. Pure; all values in seconds.

export interface Rhythm {
  /** RSS ttl: the feed says how long its copy may be kept. */
  ttlSeconds: number | null
  /** Cache-Control: max-age. */
  maxAgeSeconds: number | null
  /** Dates of its entries. */
  dates: readonly Date[]
  /** A hub tells us about new entries: polling is only the safety net. */
  hasHub: boolean
}

const quickest = 300
const slowest = 1800
/** Jitter only lengthens the interval, by up to a tenth, because what a feed asks for is the minimum. */
const mostJitter = 0.1

/**
 * An eighth of the usual gap between stories, within 5 to 30 minutes, including jitter. A longer wish is respected up to 4 hours.
 */
export function intervalFor(rhythm: Rhythm): number {
  const gap = usualGap(rhythm.dates)
  const own = gap === null ? 900 : clamp(gap / 8, quickest, slowest / (1 + mostJitter))
  const asked = Math.max(rhythm.ttlSeconds ?? 0, rhythm.maxAgeSeconds ?? 0)
  return Math.ceil(Math.max(own, Math.min(asked, 4 * 3600), rhythm.hasHub ? 3600 : 0))
}

/** The median gap between the newest ten; null with fewer than three dates. */
function usualGap(dates: readonly Date[]): number | null {
  const times = dates
    .map((date) => date.getTime())
    .sort((a, b) => b - a)
    .slice(0, 10)
  if (times.length < 3) return null
  const gaps = times.slice(1).map((time, index) => (times[index]! - time) / 1000)
  return gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)]!
}

const mostBackoff = 12 * 3600

/**
 * After the nth failure in a row: 5 minutes, doubling, plus up to a half, at most 12 hours. Retry-After is the minimum, up to 2
 * days.
 */
export function backoffFor(failures: number, retryAfterSeconds: number | null, random: () => number): number {
  const base = Math.min(quickest * 2 ** Math.max(0, Math.min(failures, 20) - 1), mostBackoff / 1.5)
  const jittered = base * (1 + random() * 0.5)
  return Math.ceil(Math.max(jittered, Math.min(retryAfterSeconds ?? 0, 2 * 86_400)))
}

/** Up to a tenth longer, never shorter. */
export function withJitter(seconds: number, random: () => number): number {
  return Math.floor(seconds * (1 + random() * mostJitter))
}

/** Seconds, or an HTTP date; null: neither. */
export function readRetryAfter(header: string | undefined, now: Date): number | null {
  const text = header?.trim()
  if (!text) return null
  if (/^\d+$/.test(text)) return Number(text)
  const at = Date.parse(text)
  return Number.isNaN(at) ? null : Math.max(0, Math.round((at - now.getTime()) / 1000))
}

export function readMaxAge(header: string | undefined): number | null {
  const match = /(?:^|[\s,])max-age\s*=\s*"?(\d+)/i.exec(header ?? '')
  return match ? Number(match[1]) : null
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most)
}

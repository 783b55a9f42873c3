// When reports that are no proof alone become one. Pure. Times are hours since 1970.
//
// Soft (mailbox full, too big, given up): a point a day; five points over at least 14 days, and 30 quiet days reset. Host unknown: two
// reports a day apart, as a name server that is down for an afternoon says the same.

const dayHours = 24
const quietHours = 30 * dayHours
const softPoints = 5
const softHours = 14 * dayHours
const mostKept = 200

export const hourOf = (at: Date): number => Math.floor(at.getTime() / 3_600_000)

/** With one more report, in order, in whatever order they come. What 30 quiet days follow is forgotten. */
export function withReport(hours: readonly number[], hour: number): number[] {
  const all = [...new Set([...hours, hour])].toSorted((a, b) => a - b)
  const from = all.findLastIndex((each, i) => i > 0 && each - all[i - 1]! >= quietHours)
  const kept = all.slice(Math.max(from, 0))
  return kept.length > mostKept ? [kept[0]!, ...kept.slice(1 - mostKept)] : kept
}

/** The mailbox takes nothing, and hasn't for a while. */
export function isWornOut(hours: readonly number[]): boolean {
  const days = new Set(hours.map((hour) => Math.floor(hour / dayHours)))
  return days.size >= softPoints && span(hours) >= softHours
}

export function isHostGone(hours: readonly number[]): boolean {
  return span(hours) >= dayHours
}

const span = (hours: readonly number[]): number => (hours.length ? hours.at(-1)! - hours[0]! : 0)

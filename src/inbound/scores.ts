// When several reports that prove nothing alone become a proof. Pure. Times are hours since 1970.
//
// Soft (mailbox full, too big, given up): one point a day. Five points over at least 14 days are enough, and 30 days without a
// report reset them. Host unknown: two reports a day apart, because a name server that is down for an afternoon causes the same.

const dayHours = 24
const quietHours = 30 * dayHours
const softPoints = 5
const softHours = 14 * dayHours
const mostKept = 200

export const hourOf = (at: Date): number => Math.floor(at.getTime() / 3_600_000)

/** Adds a report, in time order, whatever order they arrive in. Reports before 30 quiet days are dropped. */
export function withReport(hours: readonly number[], hour: number): number[] {
  const all = [...new Set([...hours, hour])].toSorted((a, b) => a - b)
  const from = all.findLastIndex((each, i) => i > 0 && each - all[i - 1]! >= quietHours)
  const kept = all.slice(Math.max(from, 0))
  return kept.length > mostKept ? [kept[0]!, ...kept.slice(1 - mostKept)] : kept
}

/** The mailbox accepts nothing, and hasn't for a while. */
export function isWornOut(hours: readonly number[]): boolean {
  const days = new Set(hours.map((hour) => Math.floor(hour / dayHours)))
  return days.size >= softPoints && span(hours) >= softHours
}

export function isHostGone(hours: readonly number[]): boolean {
  return span(hours) >= dayHours
}

const span = (hours: readonly number[]): number => (hours.length ? hours.at(-1)! - hours[0]! : 0)

// The local calendar, reckoned apart from the product: asked of Intl quarter hour by quarter hour where a zone's offset changes, and
// without any rule of ours but the ones that design.md §6 writes down.

const minuteMs = 60_000
const quarterMs = 15 * minuteMs
const dayMs = 86_400_000

/** The wall clock: as if it were UTC. */
type Wall = number

export class Calendar {
  readonly #format: Intl.DateTimeFormat

  constructor(zone: string) {
    const fields = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' } as const
    this.#format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, hourCycle: 'h23', ...fields })
  }

  /** `2026-03-29 03:00` */
  wall(at: number): Wall {
    return Date.parse(`${this.#format.format(at).replace(' ', 'T')}:00Z`)
  }

  /** Instants at which the wall clock shows that hour, first come, one for each local date from `start` on: where it is skipped, it
   * moves forward by the gap. A date that doesn't exist has none. */
  slots(hour: number, start: number, end: number): Map<string, number> {
    const slots = new Map<string, number>()
    const noted = (date: Wall, at: number) => {
      const name = new Date(date).toISOString().slice(0, 10)
      if (!slots.has(name)) slots.set(name, at)
    }
    for (let day = start; day < end; day += dayMs) {
      const offset = this.wall(day) - day
      const isPlain = [day - quarterMs, day + dayMs / 4, day + dayMs / 2, day + (dayMs * 3) / 4, day + dayMs].every(
        (at) => this.wall(at) - at === offset,
      )
      if (isPlain) {
        for (const date of [dateOf(day + offset), dateOf(day + offset) + dayMs]) {
          const at = date + hour * 60 * minuteMs - offset
          if (at >= day && at < day + dayMs) noted(date, at)
        }
        continue
      }
      for (let at = day; at < day + dayMs; at += quarterMs) {
        const before = this.wall(at - quarterMs)
        const now = this.wall(at)
        // The dates that exist at this step: a jump of a whole day skips one.
        for (const date of new Set([dateOf(before), dateOf(now)])) {
          const wanted = date + hour * 60 * minuteMs
          // How far into the gap: a gap from 2:45 to 3:45 moves 3:00 to 4:00.
          if (before < wanted && now >= wanted) noted(date, now === wanted ? at : at + wanted - before - quarterMs)
        }
      }
    }
    return slots
  }
}

function dateOf(wall: Wall): Wall {
  return Math.floor(wall / dayMs) * dayMs
}

export interface Choice {
  zone: string
  hour: number
  /** ISO. */
  weeklyDay: number
  monthlyDay: number
  daily: boolean
  weekly: boolean
  monthly: boolean
}

/** Instants at which something is due, with the bits of what: 1 daily, 2 weekly, 4 monthly. */
export function reckonSlots(choice: Choice, start: number, end: number): Map<number, number> {
  const due = new Map<number, number>()
  for (const [date, at] of new Calendar(choice.zone).slots(choice.hour, start, end)) {
    const [year, month, day] = date.split('-').map(Number) as [number, number, number]
    const isoDay = new Date(`${date}T00:00:00Z`).getUTCDay() || 7
    const lastDay = new Date(Date.UTC(year, month, 0)).getUTCDate()
    const bits =
      (choice.daily ? 1 : 0) |
      (choice.weekly && isoDay === choice.weeklyDay ? 2 : 0) |
      (choice.monthly && day === Math.min(choice.monthlyDay, lastDay) ? 4 : 0)
    if (bits && at >= start && at < end) due.set(at, (due.get(at) ?? 0) | bits)
  }
  return due
}

/** Whole-hour and half-hour and 45-minute offsets, both hemispheres, gaps at midnight, half an hour of daylight saving, a day that
 * was skipped, and zones without any change. */
export const twentyZones = [
  'Europe/Berlin',
  'America/New_York',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Asia/Kathmandu',
  'America/Sao_Paulo',
  'UTC',
  'Europe/London',
  'America/Los_Angeles',
  'Asia/Tokyo',
  'Australia/Adelaide',
  'Pacific/Chatham',
  'Africa/Casablanca',
  'Africa/Cairo',
  'Asia/Tehran',
  'America/St_Johns',
  'America/Scoresbysund',
  'Pacific/Kiritimati',
  'America/Santiago',
  'Asia/Gaza',
] as const

/** Repeatable chance. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** 0 … `limit` - 1 (mulberry32). */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}

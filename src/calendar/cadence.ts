// When is a subscriber due? All time-zone thinking of the product is in this file; everything else has instants. Pure.
//
// A local hour that daylight saving skips moves forward by the gap (02:00 → 03:00), one that comes twice fires at its first
// coming, and a local day that doesn't exist (Apia, 30 December 2011) falls on the same instant as the next and fires with it.

import { frequencyBits } from '../db/schema.ts'

export interface Schedule {
  /** IANA. One that this machine doesn't know counts as UTC: a bad row must not stop everyone's planning. */
  timezone: string
  /** 0-23, local. */
  hour: number
  /** ISO, 1 = Monday. */
  weeklyDay: number
  /** 1-31, clamped to the month's end. */
  monthlyDay: number
  /** frequencyBits of what the subscriber has chosen. */
  frequencies: number
}

/** The first slot strictly after `after` at which anything is due; null when nothing ever is. */
export function nextDueAt(schedule: Schedule, after: Date): Date | null {
  const from = after.getTime()
  // A slot of yesterday's date may still be ahead: a gap at midnight moves it into today.
  const yesterday = localDay(schedule.timezone, from) - 1
  let next = Infinity
  if (schedule.frequencies & frequencyBits.daily) {
    for (let day = yesterday, at = 0; at <= from; day++) {
      at = instantOf(schedule, day)
      if (at > from) next = at
    }
  } else {
    if (schedule.frequencies & frequencyBits.weekly) {
      const first = yesterday + ((schedule.weeklyDay - weekday(yesterday) + 7) % 7)
      for (let day = first, at = 0; at <= from; day += 7) {
        at = instantOf(schedule, day)
        if (at > from) next = at
      }
    }
    if (schedule.frequencies & frequencyBits.monthly) {
      for (let month = monthOf(yesterday), at = 0; at <= from; month++) {
        at = instantOf(schedule, dayInMonth(month, schedule.monthlyDay))
        if (at > from && at < next) next = at
      }
    }
  }
  return next === Infinity ? null : new Date(next)
}

/** frequencyBits that are due at `slot`, of those that the subscriber has. A slot that isn't one of the schedule's own, as after
 * the site's default hour has changed, counts for its local date. */
export function dueAt(schedule: Schedule, slot: Date): number {
  const at = slot.getTime()
  const today = localDay(schedule.timezone, at)
  let bits = 0
  for (const day of [today - 1, today]) if (instantOf(schedule, day) === at) bits |= bitsOf(schedule, day)
  return (bits || bitsOf(schedule, today)) & schedule.frequencies
}

export interface Reckoning {
  /** What fires now: the latest slot, when it is within the grace. */
  slot: Date | null
  /** Due at it, earlier slots within the grace merged in. */
  due: number
  /** Slots that don't fire, oldest first. */
  missed: Date[]
  next: Date | null
}

/** What becomes of a subscriber who was due at `dueSince` (at or before `now`) and wasn't planned until `now`. */
export function reckon(schedule: Schedule, dueSince: Date, now: Date, graceMs: number): Reckoning {
  const slots: Date[] = []
  let next: Date | null = dueSince
  while (next !== null && next <= now) {
    slots.push(next)
    next = nextDueAt(schedule, next)
  }
  const firing = slots.filter((slot) => slot.getTime() >= now.getTime() - graceMs)
  const slot = firing.at(-1) ?? null
  return {
    slot,
    due: firing.reduce((bits, each) => bits | dueAt(schedule, each), 0),
    missed: slots.filter((each) => each !== slot),
    next,
  }
}

/** The local hour (0-23), ISO weekday and day of the month at an instant; `isWholeHour` where a slot can fall on it. */
export function localTime(timezone: string, at: Date) {
  const local = at.getTime() + offsetAt(zoneOf(timezone), at.getTime())
  const day = Math.floor(local / dayMs)
  return {
    hour: Math.floor((local - day * dayMs) / hourMs),
    weekday: weekday(day),
    monthday: new Date(day * dayMs).getUTCDate(),
    isWholeHour: local % hourMs === 0,
  }
}

const hourMs = 3_600_000
const dayMs = 86_400_000

// Days are numbers: days since 1 January 1970 of the local calendar.

function bitsOf(schedule: Schedule, day: number): number {
  return (
    frequencyBits.daily |
    (weekday(day) === schedule.weeklyDay ? frequencyBits.weekly : 0) |
    (dayInMonth(monthOf(day), schedule.monthlyDay) === day ? frequencyBits.monthly : 0)
  )
}

function weekday(day: number): number {
  return ((((day + 3) % 7) + 7) % 7) + 1
}

function monthOf(day: number): number {
  const date = new Date(day * dayMs)
  return date.getUTCFullYear() * 12 + date.getUTCMonth()
}

function dayInMonth(month: number, wanted: number): number {
  const first = Date.UTC(Math.floor(month / 12), month % 12, 1) / dayMs
  const length = Date.UTC(Math.floor((month + 1) / 12), (month + 1) % 12, 1) / dayMs - first
  return first + Math.min(wanted, length) - 1
}

function localDay(timezone: string, at: number): number {
  return Math.floor((at + offsetAt(zoneOf(timezone), at)) / dayMs)
}

/** The instant of the schedule's hour on a local day. */
function instantOf(schedule: Schedule, day: number): number {
  const zone = zoneOf(schedule.timezone)
  const wall = day * dayMs + schedule.hour * hourMs
  const before = offsetAt(zone, wall - dayMs)
  const after = offsetAt(zone, wall + dayMs)
  const early = wall - before
  if (before === after || offsetAt(zone, early) === before) return early
  const late = wall - after
  return offsetAt(zone, late) === after ? late : early
}

/** Offsets of a zone, found once per day: asking Intl for each of a million subscribers would take minutes. */
interface Zone {
  format: Intl.DateTimeFormat
  /** Offset at the start of a UTC day. */
  starts: Map<number, number>
  /** Instant at which the offset changes within a UTC day. */
  changes: Map<number, number>
}

const zones = new Map<string, Zone>()

function zoneOf(timezone: string): Zone {
  let zone = zones.get(timezone)
  if (!zone) zones.set(timezone, (zone = { format: formatFor(timezone), starts: new Map(), changes: new Map() }))
  return zone
}

function formatFor(timezone: string): Intl.DateTimeFormat {
  const fields = { year: 'numeric', month: 'numeric', day: 'numeric' } as const
  const options = { ...fields, hour: 'numeric', minute: 'numeric', second: 'numeric', hourCycle: 'h23' } as const
  try {
    return new Intl.DateTimeFormat('en-US', { ...options, timeZone: timezone })
  } catch {
    return new Intl.DateTimeFormat('en-US', { ...options, timeZone: 'UTC' })
  }
}

/** Milliseconds east of UTC. */
function offsetAt(zone: Zone, at: number): number {
  const day = Math.floor(at / dayMs)
  const start = startOffset(zone, day)
  const end = startOffset(zone, day + 1)
  if (start === end) return start
  return at < changeOn(zone, day, start) ? start : end
}

function startOffset(zone: Zone, day: number): number {
  let offset = zone.starts.get(day)
  if (offset === undefined) {
    if (zone.starts.size > 5000) zone.starts.clear()
    zone.starts.set(day, (offset = askOffset(zone, day * dayMs)))
  }
  return offset
}

function changeOn(zone: Zone, day: number, start: number): number {
  let change = zone.changes.get(day)
  if (change === undefined) {
    let low = day * dayMs
    let high = low + dayMs
    while (high - low > 1000) {
      const middle = Math.floor((low + high) / 2000) * 1000
      if (askOffset(zone, middle) === start) low = middle
      else high = middle
    }
    zone.changes.set(day, (change = high))
  }
  return change
}

function askOffset(zone: Zone, at: number): number {
  const part: Record<string, number> = {}
  for (const { type, value } of zone.format.formatToParts(at)) part[type] = Number(value)
  return Date.UTC(part['year']!, part['month']! - 1, part['day'], part['hour'], part['minute'], part['second']) - at
}

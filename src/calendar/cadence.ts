// Computes when a subscriber is due. All time-zone arithmetic of the program is in this file; everything else uses instants. Pure.
//
// If daylight saving skips a local hour, the slot moves forward by the gap (02:00 → 03:00). If an hour occurs twice, the first
// fires. A local day that doesn't exist (Apia, 30 December 2011) has the same instant as the next day and fires with it.

import { frequencyBits } from '../db/schema.ts'

export interface Schedule {
  /** IANA. A zone that this machine doesn't know counts as UTC: a bad row must not stop planning for everyone. */
  timezone: string
  /** 0-23, local. */
  hour: number
  /** ISO, 1 = Monday. */
  weeklyDay: number
  /** 1-31; in a shorter month, its last day. */
  monthlyDay: number
  /** frequencyBits that the subscriber has chosen. */
  frequencies: number
}

/** The first slot strictly after `after` at which anything is due; null when nothing ever is. */
export function nextDueAt(schedule: Schedule, after: Date): Date | null {
  const from = after.getTime()
  // A slot of yesterday's date may still be ahead: a gap at midnight moves it to today.
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

/**
 * frequencyBits that are due at `slot`, of those that the subscriber has. A slot that isn't in the schedule, as after a change of
 * the site's default hour, counts for its local date.
 */
export function dueAt(schedule: Schedule, slot: Date): number {
  const at = slot.getTime()
  const today = localDay(schedule.timezone, at)
  let bits = 0
  for (const day of [today - 1, today]) if (instantOf(schedule, day) === at) bits |= bitsOf(schedule, day)
  return (bits || bitsOf(schedule, today)) & schedule.frequencies
}

export interface Reckoning {
  /** The slot that fires now: the latest, if it is within the grace. */
  slot: Date | null
  /** Due at that slot, including earlier slots within the grace. */
  due: number
  /** Slots that don't fire, oldest first. */
  missed: Date[]
  next: Date | null
}

/** For a subscriber who was due at `dueSince` (at or before `now`) and wasn't planned until `now`. */
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

/** The local hour (0-23), ISO weekday and day of the month at an instant. `isWholeHour`: a slot can fall on it. */
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

// Days are numbers: days since 1 January 1970 in the local calendar.

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

/** Offsets of a zone, computed once per day: asking Intl for each of a million subscribers would take minutes. */
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

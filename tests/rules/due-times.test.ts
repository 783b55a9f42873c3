// Three years of slots in twenty zones against the local calendar, which is asked of Intl day by day.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dueAt, nextDueAt, type Schedule } from '../../src/digests/cadence.ts'

const zones =
  `Europe/Berlin America/New_York Australia/Lord_Howe Pacific/Apia Asia/Kathmandu America/Sao_Paulo UTC Europe/London
    America/Los_Angeles Asia/Tokyo Australia/Adelaide Pacific/Chatham Africa/Casablanca Africa/Cairo Asia/Tehran America/St_Johns
    America/Scoresbysund Pacific/Kiritimati Pacific/Auckland Asia/Gaza`.split(/\s+/)
const from = Date.parse('2024-01-01T00:00:00Z')
const until = Date.parse('2027-01-01T00:00:00Z')
const dayMs = 86_400_000

/** The wall clock at an instant, as Intl shows it. */
function wallClock(zone: string) {
  const format = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    hourCycle: 'h23',
    ...({
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      weekday: 'short',
    } as const),
  })
  return (at: number) => {
    const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]))
    return {
      date: `${part['year']}-${part['month']}-${part['day']}`,
      time: `${part['hour']}:${part['minute']}`,
      weekday: part['weekday']!,
    }
  }
}

function slotsOf(schedule: Schedule, start = from): Date[] {
  const slots: Date[] = []
  for (let at = nextDueAt(schedule, new Date(start)); at && at.getTime() < until; at = nextDueAt(schedule, at))
    slots.push(at)
  return slots
}

for (const zone of zones)
  test(`the slots of three years in ${zone} are the days of its calendar`, () => {
    const clock = wallClock(zone)
    for (const hour of [0, 2, 7, 23]) {
      const wanted = `${String(hour).padStart(2, '0')}:00`
      const slots = slotsOf({ timezone: zone, hour, weeklyDay: 1, monthlyDay: 1, frequencies: 1 })
      const days = Math.round((until - from) / dayMs)
      assert.ok(Math.abs(slots.length - days) <= 1, `${slots.length} slots in ${days} days`)
      const dates = slots.map((slot) => {
        const { date, time } = clock(slot.getTime())
        // An hour that is skipped moves forward, at most by the gap, and so perhaps into the next date.
        if (time === wanted) return date
        assert.notEqual(clock(slot.getTime() - 60_000).time, `${wanted.slice(0, 2)}:59`)
        return hour === 23 ? clock(slot.getTime() - 2 * 3_600_000).date : date
      })
      assert.equal(new Set(dates).size, dates.length, 'a date fired twice')
    }
  })

test('weekly and monthly digests fall on their days, in every zone', () => {
  const names = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
  for (const zone of zones) {
    const clock = wallClock(zone)
    for (const weeklyDay of [1, 6, 7]) {
      const weekly = slotsOf({ timezone: zone, hour: 7, weeklyDay, monthlyDay: 1, frequencies: 2 })
      assert.ok(weekly.length === 156 || weekly.length === 157)
      for (const slot of weekly) assert.equal(clock(slot.getTime()).weekday, names[weeklyDay - 1])
    }
    const monthly = slotsOf({ timezone: zone, hour: 7, weeklyDay: 1, monthlyDay: 31, frequencies: 4 })
    assert.equal(monthly.length, 36)
    for (const slot of monthly) assert.match(clock(slot.getTime() + dayMs).date, /-01$/)
  }
})

test('what is due at each slot adds up to the weeks and months of the calendar', () => {
  for (const zone of zones) {
    const all: Schedule = { timezone: zone, hour: 2, weeklyDay: 7, monthlyDay: 30, frequencies: 7 }
    const due = slotsOf(all).map((slot) => dueAt(all, slot))
    assert.equal(due.filter((bits) => bits & 4).length, 36)
    assert.ok([156, 157].includes(due.filter((bits) => bits & 2).length))
    assert.ok(due.every((bits) => bits & 1))
  }
})

test('wherever the clock steps, the next slot is later and the same for everyone who asks', () => {
  const schedule: Schedule = { timezone: 'Europe/Berlin', hour: 2, weeklyDay: 1, monthlyDay: 1, frequencies: 1 }
  const slots = slotsOf(schedule)
  for (const [index, slot] of slots.slice(0, -2).entries())
    for (const step of [-3_600_000, -1, 0, 3_600_000, 23 * 3_600_000 - 1]) {
      const next = nextDueAt(schedule, new Date(slot.getTime() + step))!
      assert.equal(next.getTime(), (step < 0 ? slot : slots[index + 1]!).getTime())
    }
})

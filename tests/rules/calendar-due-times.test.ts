// Three years of slots in twenty zones, one by one, against a calendar that is reckoned apart (tests/support/calendar.ts).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dueAt, nextDueAt, type Schedule } from '../../src/calendar/cadence.ts'
import { reckonSlots, twentyZones } from '../support/calendar.ts'

const from = Date.parse('2024-01-01T00:00:00Z')
const until = Date.parse('2027-01-01T00:00:00Z')

const bitsOf = ({ daily, weekly, monthly }: { daily: boolean; weekly: boolean; monthly: boolean }) =>
  (daily ? 1 : 0) | (weekly ? 2 : 0) | (monthly ? 4 : 0)

function slotsOf(schedule: Schedule, start: number, end: number): Map<number, number> {
  const slots = new Map<number, number>()
  for (let at = nextDueAt(schedule, new Date(start - 1)); at && at.getTime() < end; at = nextDueAt(schedule, at))
    slots.set(at.getTime(), dueAt(schedule, at))
  return slots
}

const told = (slots: Map<number, number>) =>
  [...slots].sort(([a], [b]) => a - b).map(([at, bits]) => `${new Date(at).toISOString()} ${bits}`)

function compare(zone: string, given: Partial<Schedule> & { frequencies: number }, start = from, end = until): number {
  const schedule = { timezone: zone, hour: 7, weeklyDay: 1, monthlyDay: 1, ...given }
  const { hour, weeklyDay, monthlyDay, frequencies } = schedule
  const [daily, weekly, monthly] = [1, 2, 4].map((bit) => (frequencies & bit) !== 0) as [boolean, boolean, boolean]
  const expected = told(reckonSlots({ zone, hour, weeklyDay, monthlyDay, daily, weekly, monthly }, start, end))
  assert.equal(bitsOf({ daily, weekly, monthly }), frequencies)
  assert.deepEqual(told(slotsOf(schedule, start, end)), expected, `${zone} ${JSON.stringify(given)}`)
  return expected.length
}

for (const zone of twentyZones)
  test(`the slots of three years in ${zone} are those of its calendar, exactly`, () => {
    // 1,096 days, and where the clock has moved over the turn of the year, one more or less.
    for (const hour of [0, 1, 2, 3, 7, 23]) assert.ok(Math.abs(compare(zone, { hour, frequencies: 1 }) - 1096) <= 1)
    for (const weeklyDay of [1, 2, 3, 4, 5, 6, 7])
      assert.ok([156, 157].includes(compare(zone, { weeklyDay, hour: (weeklyDay * 23) % 24, frequencies: 2 })))
    for (const monthlyDay of [1, 15, 28, 29, 30, 31])
      assert.equal(compare(zone, { monthlyDay, hour: monthlyDay % 3, frequencies: 4 }), 36)
    compare(zone, { hour: 2, weeklyDay: 7, monthlyDay: 31, frequencies: 6 })
    compare(zone, { hour: 23, weeklyDay: 7, monthlyDay: 29, frequencies: 7 })
  })

test('a day that a zone skipped fires with the next, and no other day is lost', () => {
  const start = Date.parse('2011-01-01T00:00:00Z')
  const end = Date.parse('2013-01-01T00:00:00Z')
  // 731 dates, less the one.
  for (const hour of [0, 7, 23])
    assert.ok(Math.abs(compare('Pacific/Apia', { hour, frequencies: 1 }, start, end) - 730) <= 1)
  // 30 December 2011, which never came, was a Friday.
  const friday: Schedule = { timezone: 'Pacific/Apia', hour: 7, weeklyDay: 5, monthlyDay: 30, frequencies: 7 }
  const slot = nextDueAt(friday, new Date('2011-12-29T18:00:00Z'))!
  assert.equal(slot.toISOString(), '2011-12-30T17:00:00.000Z')
  assert.equal(dueAt(friday, slot), 7)
})

test('gaps and doubled hours of zones whose rules have changed since', () => {
  const start = Date.parse('2017-01-01T00:00:00Z')
  const end = Date.parse('2020-01-01T00:00:00Z')
  for (const zone of ['America/Sao_Paulo', 'Asia/Tehran', 'Asia/Amman', 'Asia/Pyongyang', 'Africa/Sao_Tome'])
    for (const hour of [0, 1, 23]) compare(zone, { hour, frequencies: 1 }, start, end)
})

test('wherever the clock changes, the next slot is later and the same for every caller', () => {
  for (const timezone of ['Europe/Berlin', 'Australia/Lord_Howe', 'America/Scoresbysund']) {
    const schedule: Schedule = { timezone, hour: 2, weeklyDay: 1, monthlyDay: 1, frequencies: 1 }
    const slots = [...slotsOf(schedule, from, until).keys()]
    for (const [index, slot] of slots.slice(0, -2).entries())
      for (const step of [-3_600_000, -1, 0, 3_600_000, 22 * 3_600_000]) {
        const next = nextDueAt(schedule, new Date(slot + step))!
        assert.equal(next.getTime(), step < 0 ? slot : slots[index + 1]!)
      }
  }
})

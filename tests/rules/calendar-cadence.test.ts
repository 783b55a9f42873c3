import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dueAt, nextDueAt, reckon, type Schedule } from '../../src/calendar/cadence.ts'

const daily = 1
const weekly = 2
const monthly = 4
const schedule = (given: Partial<Schedule>): Schedule => ({
  timezone: 'UTC',
  hour: 7,
  weeklyDay: 1,
  monthlyDay: 1,
  frequencies: daily,
  ...given,
})
const next = (given: Partial<Schedule>, after: string) =>
  nextDueAt(schedule(given), new Date(after))?.toISOString().slice(0, 16)

const berlin = 'Europe/Berlin'
const cases: [title: string, given: Partial<Schedule>, after: string, next: string | undefined][] = [
  ['later today', {}, '2026-03-04T06:59:59Z', '2026-03-04T07:00'],
  ['strictly after: at the slot itself the next one', {}, '2026-03-04T07:00:00Z', '2026-03-05T07:00'],
  ['a zone east of UTC', { timezone: 'Asia/Kathmandu' }, '2026-03-04T00:00Z', '2026-03-04T01:15'],
  ['a zone where today is still yesterday', { timezone: 'America/New_York' }, '2026-03-04T03:00Z', '2026-03-04T12:00'],
  ['weekly, later this week', { frequencies: weekly, weeklyDay: 5 }, '2026-03-04T08:00Z', '2026-03-06T07:00'],
  ['weekly, today is over', { frequencies: weekly, weeklyDay: 3 }, '2026-03-04T08:00Z', '2026-03-11T07:00'],
  ['monthly', { frequencies: monthly, monthlyDay: 15 }, '2026-03-20T08:00Z', '2026-04-15T07:00'],
  [
    'monthly, clamped to the end of February',
    { frequencies: monthly, monthlyDay: 31 },
    '2026-02-01T00:00Z',
    '2026-02-28T07:00',
  ],
  [
    'monthly, clamped in a leap year',
    { frequencies: monthly, monthlyDay: 30 },
    '2028-02-01T00:00Z',
    '2028-02-29T07:00',
  ],
  [
    'monthly, over the turn of the year',
    { frequencies: monthly, monthlyDay: 1 },
    '2026-12-01T07:00Z',
    '2027-01-01T07:00',
  ],
  [
    'weekly and monthly: whichever comes first',
    { frequencies: weekly | monthly, weeklyDay: 1, monthlyDay: 6 },
    '2026-03-04T08:00Z',
    '2026-03-06T07:00',
  ],
  ['nothing chosen', { frequencies: 0 }, '2026-03-04T08:00Z', undefined],
  ['an hour that is skipped moves forward', { timezone: berlin, hour: 2 }, '2026-03-29T00:00Z', '2026-03-29T01:00'],
  [
    'an hour that comes twice fires at its first coming',
    { timezone: berlin, hour: 2 },
    '2026-10-25T00:00Z',
    '2026-10-26T01:00',
  ],
  ['… and not again at its second', { timezone: berlin, hour: 2 }, '2026-10-24T20:00Z', '2026-10-25T00:00'],
  [
    'half an hour of daylight saving',
    { timezone: 'Australia/Lord_Howe', hour: 2 },
    '2026-10-03T00:00Z',
    '2026-10-03T15:30',
  ],
  ['a midnight that is skipped', { timezone: 'America/Sao_Paulo', hour: 0 }, '2018-11-03T12:00Z', '2018-11-04T03:00'],
  ['a day that does not exist is passed over', { timezone: 'Pacific/Apia' }, '2011-12-29T17:00Z', '2011-12-30T17:00'],
  [
    'an hour moved over midnight',
    { timezone: 'America/Scoresbysund', hour: 23 },
    '2025-03-30T00:30Z',
    '2025-03-30T01:00',
  ],
  ['an unknown zone counts as UTC', { timezone: 'Mars/Olympus' }, '2026-03-04T08:00Z', '2026-03-05T07:00'],
]

for (const [title, given, after, expected] of cases)
  test(`next due: ${title}`, () => assert.equal(next(given, after), expected))

test('what is due at a slot follows the local date', () => {
  const all = schedule({ timezone: 'Pacific/Auckland', frequencies: 7, weeklyDay: 1, monthlyDay: 31 })
  assert.equal(dueAt(all, new Date('2026-03-01T18:00Z')), daily | weekly)
  assert.equal(dueAt(all, new Date('2026-06-29T19:00Z')), daily | monthly)
  assert.equal(dueAt({ ...all, frequencies: weekly }, new Date('2026-03-01T18:00Z')), weekly)
})

test('an hour moved over midnight is due by the date that it belongs to', () => {
  const saturday = schedule({ timezone: 'America/Scoresbysund', hour: 23, frequencies: weekly, weeklyDay: 6 })
  const slot = nextDueAt(saturday, new Date('2025-03-28T00:00Z'))!
  assert.equal(slot.toISOString(), '2025-03-30T01:00:00.000Z')
  assert.equal(dueAt(saturday, slot), weekly)
})

test('down for four hours: the slot still fires', () => {
  const now = new Date('2026-03-04T11:00Z')
  const slot = new Date('2026-03-04T07:00Z')
  const found = reckon(schedule({}), slot, now, 6 * 3_600_000)
  assert.deepEqual(found, { slot, due: daily, missed: [], next: new Date('2026-03-05T07:00Z') })
})

test('down for three days: what is beyond the grace is missed, and only the latest slot fires', () => {
  const found = reckon(schedule({}), new Date('2026-03-02T07:00Z'), new Date('2026-03-05T08:00Z'), 6 * 3_600_000)
  assert.deepEqual(found.slot, new Date('2026-03-05T07:00Z'))
  assert.equal(found.missed.length, 3)
  const late = reckon(schedule({}), new Date('2026-03-02T07:00Z'), new Date('2026-03-05T20:00Z'), 6 * 3_600_000)
  assert.equal(late.slot, null)
  assert.equal(late.missed.length, 4)
  assert.deepEqual(late.next, new Date('2026-03-06T07:00Z'))
})

test('slots within a long grace merge into the latest', () => {
  const both = schedule({ frequencies: daily | weekly, weeklyDay: 1 })
  const found = reckon(both, new Date('2026-03-02T07:00Z'), new Date('2026-03-03T08:00Z'), 72 * 3_600_000)
  assert.deepEqual(found.slot, new Date('2026-03-03T07:00Z'))
  assert.equal(found.due, daily | weekly)
})

// Ticks on a clock that stops, jumps and goes back, against the calendars of twenty zones: each slot of each subscriber fires once or
// is recorded as missed. TICKS_SEED repeats a run.

import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { Random, reckonSlots, twentyZones } from '../support/calendar.ts'
import { story } from '../support/house.ts'
import { addCategories, addReader, tick } from '../support/newsroom.ts'
import { seedOf } from '../support/seed.ts'

const hourMs = 3_600_000
const seed = seedOf('TICKS_SEED')

story(`whatever the clock does, a slot fires once or is recorded as missed (TICKS_SEED=${seed})`, async (house) => {
  const { ctx, db, clock } = house
  const random = new Random(seed)
  const categories = await addCategories(db, 'a', 'b', 'c')
  const start = Date.parse('2026-03-05T00:30:00Z')
  clock.set(new Date(start))
  const calendars = new Map<number, ReturnType<typeof reckonSlots>>()
  for (const zone of twentyZones) {
    const [weekly, monthly] = [random.below(2) > 0, random.below(2) > 0]
    const daily = random.below(3) > 0 || (!weekly && !monthly)
    const choice = { zone, hour: random.below(24), weeklyDay: 1 + random.below(7), monthlyDay: 1 + random.below(31) }
    const chosen = {
      [categories[0]!]: daily && 'daily',
      [categories[1]!]: weekly && 'weekly',
      [categories[2]!]: monthly && 'monthly',
    }
    const id = await addReader(ctx, {
      choice: Object.fromEntries(Object.entries(chosen).filter(([, frequency]) => frequency)) as Record<
        number,
        'daily'
      >,
      timezone: zone,
      sendHour: choice.hour,
      weeklyDay: choice.weeklyDay,
      monthlyDay: choice.monthlyDay,
    })
    calendars.set(id, reckonSlots({ ...choice, daily, weekly, monthly }, start, Date.parse('2026-04-09T00:00:00Z')))
  }

  let latest = start
  const tickAt = async (at: number) => {
    latest = Math.max(latest, at)
    clock.set(new Date(at))
    await tick(ctx)
  }
  // Days around the changes of New York, Berlin and Lord Howe; what lies between is downtime.
  for (const day of ['2026-03-07T18:10:00Z', '2026-03-28T12:10:00Z', '2026-04-04T03:10:00Z'])
    for (let at = Date.parse(day), end = at + 20 * hourMs; at < end; at += hourMs) {
      const what = random.below(20)
      if (what === 0) at += 3 * hourMs
      if (what === 1 || what === 2) await tickAt(at + hourMs)
      if (what === 3) await tickAt(at + 24 * hourMs)
      if (what === 4 || what === 5) await tickAt(at - hourMs)
      await tickAt(at)
    }

  // A clock that went back takes back what was missed ahead of it: that is still to come.
  await tickAt(latest)

  const { rows: fired } = await sql<{ id: number; slot: Date; due: number }>`
    select d.subscriber_id as id, e.slot_at as slot, d.due from deliveries d join editions e on e.id = d.edition_id
    where d.kind = 'digest' order by d.id`.execute(db)
  const once = new Set(fired.map(({ id, slot }) => `${id} ${slot.getTime()}`))
  assert.equal(once.size, fired.length, 'a slot fired twice')
  for (const { id, slot, due } of fired) {
    const own = calendars.get(id)!.get(slot.getTime())
    assert.ok(own, `subscriber ${id} has no slot at ${slot.toISOString()}`)
    assert.equal(due & own, own)
  }
  const editions = await db.selectFrom('editions').selectAll().execute()
  const found = new Map(editions.map(({ slotAt, audience, missed }) => [slotAt!.getTime(), audience + missed]))
  const expected = new Map<number, number>()
  // Who joins at the very instant of a slot begins with the next one.
  for (const slots of calendars.values())
    for (const at of slots.keys()) if (at > start && at <= latest) expected.set(at, (expected.get(at) ?? 0) + 1)
  const told = (counts: Map<number, number>) =>
    [...counts].sort(([a], [b]) => a - b).map(([at, count]) => `${new Date(at).toISOString()} ${count}`)
  assert.deepEqual(told(found), told(expected))
})

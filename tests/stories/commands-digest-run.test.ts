import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { deadAddressesOf } from '../../src/subscribers/suppression.ts'
import { composersOf } from '../../src/composers.ts'
import { DeliveryWorker } from '../../src/delivery/worker.ts'
import { digestRun, type DigestRunArgs } from '../../src/commands/digests/run.ts'
import { seed } from '../../src/commands/digests/seed.ts'
import { type House, story } from '../support/house.ts'
import { addCategories, addReader, addStory } from '../support/newsroom.ts'
import { digestExplain } from '../../src/commands/digests/explain.ts'

type Line = Record<string, unknown> & { event: string }

function listen() {
  const lines: Line[] = []
  const out = {
    print: (line: string) => void lines.push(JSON.parse(line) as Line),
    progress: () => {},
    error: () => {},
    isTty: false,
  }
  return { lines, out }
}

async function run(house: House, args: DigestRunArgs): Promise<Line[]> {
  const { lines, out } = listen()
  const { ctx, database } = house
  const { config, log } = ctx
  const code = await digestRun(ctx, { json: true, ...args }, out, {
    openWorker: (asOf) =>
      new DeliveryWorker({
        database,
        config,
        log,
        composers: composersOf(ctx),
        deadAddresses: deadAddressesOf(ctx),
        ...(asOf ? { asOf } : {}),
      }),
  })
  assert.equal(code, 0)
  return lines
}

const events = (lines: Line[]) => lines.map((line) => line.event)

story('digest run plans the slot, sends it over SMTP, and says how it ended', async (house) => {
  const [politics] = await addCategories(house.db, 'politics')
  await addStory(house.ctx, 'Harbour reopens', [politics!])
  await addReader(house.ctx, { email: 'ann@mail.example', choice: { [politics!]: 'daily' } })
  await addReader(house.ctx, { email: 'bob@mail.example', choice: { [politics!]: 'weekly' }, weeklyDay: 5 })

  assert.deepEqual(await run(house, {}), [])
  const lines = await run(house, { asOf: '2026-03-02T07:00:00Z' })
  assert.deepEqual(events(lines), ['planned', 'closed'])
  assert.equal(lines[0]!['audience'], 1)
  assert.equal((lines[1]!['account'] as { sent: number }).sent, 1)
  assert.equal(house.inbox.to('ann@mail.example').length, 1)
  assert.match(house.inbox.last('ann@mail.example').mail.html ?? '', /Harbour reopens/)
  assert.deepEqual(await run(house, { asOf: '2026-03-02T07:00:00Z' }), [])

  const manual = await run(house, { asOf: '2026-03-02T07:05:00Z', manual: true, category: ['politics'] })
  assert.deepEqual(events(manual), ['planned', 'closed'])
  const { skipped, sent } = manual[1]!['account'] as { skipped: { nothing_new: number }; sent: number }
  assert.deepEqual([sent, skipped.nothing_new], [1, 1])
  assert.equal(house.inbox.to('bob@mail.example').length, 1)
})

story(
  'an edition that waits for approval is said to be open; at its slot it goes out',
  async (house) => {
    const [politics] = await addCategories(house.db, 'politics')
    await addStory(house.ctx, 'Harbour reopens', [politics!])
    await addReader(house.ctx, { email: 'ann@mail.example', choice: { [politics!]: 'daily' } })
    const early = await run(house, { asOf: '2026-03-02T06:45:00Z' })
    assert.deepEqual(events(early), ['open'])
    assert.deepEqual(events(await run(house, { asOf: '2026-03-02T06:50:00Z', planOnly: true })), ['open'])
    assert.equal(house.inbox.to('ann@mail.example').length, 0)
    const atSlot = await run(house, { asOf: '2026-03-02T07:00:00Z' })
    assert.deepEqual(events(atSlot), ['planned', 'closed'])
    assert.equal(atSlot[1]!['edition'], early[0]!['edition'])
    assert.equal(house.inbox.to('ann@mail.example').length, 1)
  },
  { env: { APPROVAL_MINUTES: '30', APPROVAL_POLICY: 'send' } },
)

story('only one address, a dry run that sends nothing, and planning alone', async (house) => {
  const [politics] = await addCategories(house.db, 'politics')
  await addStory(house.ctx, 'Harbour reopens', [politics!])
  for (const name of ['ann', 'bob'])
    await addReader(house.ctx, { email: `${name}@mail.example`, choice: { [politics!]: 'daily' } })
  const asOf = '2026-03-02T07:00:00Z'

  const dry = await run(house, { asOf, dryRun: true })
  assert.deepEqual(events(dry), ['would-send', 'would-send'])
  assert.ok((dry[0]!['htmlBytes'] as number) > 500)
  assert.equal((await house.db.selectFrom('editions').selectAll().execute()).length, 0)

  assert.deepEqual(events(await run(house, { asOf, only: 'Ann@mail.example' })), ['planned', 'open'])
  assert.equal(house.inbox.to('ann@mail.example').length, 1)
  assert.equal(house.inbox.to('bob@mail.example').length, 0)

  assert.deepEqual(events(await run(house, { asOf, planOnly: true })), ['planned'])
  assert.equal(house.inbox.to('bob@mail.example').length, 0)
  assert.deepEqual(events(await run(house, { asOf })), ['closed'])
  assert.equal(house.inbox.to('bob@mail.example').length, 1)
  await assert.rejects(run(house, { only: 'nobody@mail.example' }), /no subscriber/)
  await assert.rejects(run(house, { asOf: 'soon' }), /not an instant/)
})

story('digest explain says why an address did or did not get each edition', async (house) => {
  const [politics] = await addCategories(house.db, 'politics')
  await addReader(house.ctx, { email: 'ann@mail.example', choice: { [politics!]: 'daily' } })
  await addReader(house.ctx, { email: 'bob@mail.example', choice: { [politics!]: 'weekly' }, weeklyDay: 5 })
  await run(house, { asOf: '2026-03-02T07:00:00Z' })
  const explain = async (email: string) => {
    const { lines, out } = listen()
    await digestExplain(house.ctx, { email, json: true }, out)
    return lines.map((line) => line['why'])
  }
  assert.match((await explain('ann@mail.example')).join(), /is active.*nothing new in the categories that were due/)
  assert.match((await explain('bob@mail.example')).join(), /nothing was due at this slot/)
})

story('seed adds subscribers who are all due at one slot, with a history and new stories', async (house) => {
  const { lines, out } = listen()
  await seed(house.ctx, { subscribers: 120, articles: 12, history: 3, json: true }, out)
  assert.equal(lines[0]!['subscribers'], 120)
  const slot = lines[0]!['slot'] as string
  const people = await house.db.selectFrom('subscribers').selectAll().execute()
  assert.equal(new Set(people.map(({ email }) => email.split('@')[1])).size, 50)
  assert.ok(new Set(people.map(({ timezone }) => timezone)).size > 10)
  const sent = await run(house, { asOf: slot })
  assert.deepEqual(events(sent), ['planned', 'closed'])
  assert.equal((sent[1]!['account'] as { sent: number }).sent, 120)

  const spread = listen()
  await seed(house.ctx, { subscribers: 60, spread: true, json: true }, spread.out)
  const due = await house.db
    .selectFrom('dueTimes')
    .select('nextDueAt')
    .orderBy('subscriberId', 'desc')
    .limit(60)
    .execute()
  assert.ok(new Set(due.map(({ nextDueAt }) => nextDueAt.getTime())).size > 20)
})

story('more than eight days ahead of the database needs --far, except to look', async (house) => {
  const [politics] = await addCategories(house.db, 'politics')
  await addStory(house.ctx, 'Harbour reopens', [politics!])
  await addReader(house.ctx, { email: 'ann@mail.example', choice: { [politics!]: 'daily' } })
  const daysAhead = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString()
  await assert.rejects(run(house, { asOf: daysAhead(365.5) }), /365 days ahead[^]*--far/)
  await assert.rejects(run(house, { asOf: daysAhead(8.1), manual: true }), /--far/)
  assert.equal((await house.db.selectFrom('editions').select('id').execute()).length, 0)
  assert.deepEqual(events(await run(house, { asOf: daysAhead(365), dryRun: true })), ['would-skip'])
  await run(house, { asOf: daysAhead(365), only: 'ann@mail.example' })
  const missed = await house.db.selectFrom('editions').select('id').where('state', '=', 'missed').execute()
  assert.equal(missed.length, 0, 'what one reader missed is no edition of everybody’s')
  await run(house, { asOf: daysAhead(7.9) })
  await run(house, { asOf: daysAhead(365), far: true })
})

story('a list that a run with --as-of silenced for a year recovers by itself', async (house) => {
  const { ctx, db, clock } = house
  clock.set(new Date(Math.floor(Date.now() / 86_400_000) * 86_400_000 + 12 * 3_600_000))
  const start = clock.now()
  const [politics, weather] = await addCategories(db, 'politics', 'weather')
  await addStory(ctx, 'Harbour reopens', [politics!, weather!])
  const daily = await addReader(ctx, { email: 'ann@mail.example', choice: { [politics!]: 'daily' } })
  const weekly = await addReader(ctx, { email: 'bob@mail.example', choice: { [weather!]: 'weekly' }, weeklyDay: 5 })
  const paused = await addReader(ctx, { email: 'cyd@mail.example', choice: { [politics!]: 'daily' } })
  const pausedUntil = new Date(start.getTime() + 100 * 86_400_000)
  await db.updateTable('subscribers').set({ pausedUntil }).where('id', '=', paused).execute()
  const dueTimes = async () => {
    const rows = await db.selectFrom('dueTimes').select(['subscriberId', 'nextDueAt']).execute()
    return new Map(rows.map((row) => [row.subscriberId, row.nextDueAt.getTime()]))
  }
  const before = await dueTimes()
  const slotInAYear = new Date(before.get(daily)! + 365 * 86_400_000)
  await run(house, { asOf: slotInAYear.toISOString(), far: true })
  assert.ok((await db.selectFrom('editions').select('id').where('state', '=', 'missed').execute()).length > 300)

  await run(house, {})
  const back = await dueTimes()
  assert.equal(back.get(daily), before.get(daily))
  assert.equal(back.get(weekly), before.get(weekly))
  assert.ok(back.get(paused)! >= pausedUntil.getTime() && back.get(paused)! < pausedUntil.getTime() + 86_400_001)
  assert.equal((await db.selectFrom('editions').select('id').where('state', '=', 'missed').execute()).length, 0)

  await addStory(ctx, 'Ferry delayed', [politics!])
  clock.set(new Date(before.get(daily)!))
  await run(house, {})
  assert.match(house.inbox.last('ann@mail.example').mail.html ?? '', /Ferry delayed/)
  assert.equal((await dueTimes()).get(daily), before.get(daily)! + 86_400_000)

  // A run that was a few days ahead: its digest isn't planned a second time.
  const ahead = new Date(before.get(daily)! + 3 * 86_400_000)
  await addStory(ctx, 'Bridge painted', [politics!])
  await run(house, { asOf: ahead.toISOString() })
  await run(house, {})
  for (let day = 1; day <= 4; day++) {
    clock.set(new Date(before.get(daily)! + day * 86_400_000))
    await addStory(ctx, `Day ${day}`, [politics!])
    await run(house, {})
  }
  const slots = await sql<{ slot: Date }>`
    select e.slot_at as slot from deliveries d join editions e on e.id = d.edition_id
    where d.subscriber_id = ${daily} and e.slot_at < ${slotInAYear} order by 1`.execute(db)
  assert.deepEqual(
    slots.rows.map(({ slot }) => (slot.getTime() - before.get(daily)!) / 86_400_000),
    [0, 1, 2, 3, 4],
  )
})

import assert from 'node:assert/strict'
import { deadAddressesOf } from '../../src/subscribers/suppression.ts'
import { composersOf } from '../../src/composers.ts'
import { DeliveryWorker } from '../../src/delivery/worker.ts'
import { digestExplain } from '../../src/digests/explain.ts'
import { digestRun, type DigestRunArgs } from '../../src/digests/run.ts'
import { seed } from '../../src/digests/seed.ts'
import { type House, story } from '../support/house.ts'
import { addCategories, addReader, addStory } from '../support/newsroom.ts'

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
  assert.match((await explain('bob@mail.example')).join(), /nothing was due for them at this slot/)
})

story('seed adds subscribers who are all due at one slot, with a past and stories to come', async (house) => {
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

// No story twice, none missed: whatever readers, editors, feeds and crashes do over simulated months. A model beside the product
// keeps, per reader and category, the stories that must still come; each mail is checked against it.
// `npm run simulate` runs it longer (SIMULATE_RUNS, SIMULATE_STEPS; SIMULATE_SEED repeats a failure, SIMULATE_SHRINK looks for the
// shortest one).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { sql } from 'kysely'
import { releaseSeq } from '../../src/articles/seq.ts'
import { type Frequency, frequencyBits } from '../../src/db/schema.ts'
import { dueAfter } from '../../src/digests/schedules.ts'
import { triggerDigest } from '../../src/digests/trigger.ts'
import { type House, openHouse } from '../support/house.ts'
import { addCategories, addReader, addStory, type Posted, postAll, tick } from '../support/newsroom.ts'

const runs = Number(process.env['SIMULATE_RUNS'] ?? 5)
/** Bounded runs walk the same paths each time; long ones (`npm run simulate`) new ones. */
const seed = Number(process.env['SIMULATE_SEED'] ?? (process.env['SIMULATE_RUNS'] ? Date.now() % 2 ** 31 : 2026))
const steps = Number(process.env['SIMULATE_STEPS'] ?? 50)

const zones = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Pacific/Apia']
const readers = 4
const categories = 3
const shownPerCategory = 2
const dayMs = 86_400_000

const reader = fc.nat(readers - 1)
const category = fc.nat(categories - 1)
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('wait' as const), hours: fc.integer({ min: 1, max: 30 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sleep' as const), hours: fc.integer({ min: 48, max: 500 }) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('publish' as const), category, second: category }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('redate' as const),
      story: fc.nat(),
      hours: fc.integer({ min: -900, max: 900 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pin' as const), story: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('hold' as const), story: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('release' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('withdraw' as const), story: fc.nat() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('choose' as const),
      reader,
      category,
      frequency: fc.constantFrom<Frequency | 'off'>('off', 'daily', 'weekly', 'monthly'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('move' as const),
      reader,
      zone: fc.constantFrom(...zones),
      hour: fc.nat(23),
      address: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('pause' as const), reader, days: fc.integer({ min: -1, max: 9 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('manual' as const), category: fc.option(category) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('holiday' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('crash' as const), reader }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

test('no story twice, none missed, over simulated months of everything at once', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: steps, maxLength: steps, size: 'max' }), async (all) => {
      await using house = await openHouse('embedded', { env: { DIGEST_STORIES: String(shownPerCategory) } })
      const world = await openWorld(house)
      for (const each of all) await world.take(each)
      await world.finish()
    }),
    {
      numRuns: runs,
      seed,
      endOnFailure: process.env['SIMULATE_SHRINK'] === undefined,
    },
  )
})

async function openWorld(house: House) {
  const { db, ctx, clock } = house
  const categoryIds = await addCategories(db, 'politics', 'world', 'business')
  const readerIds: number[] = []
  for (let n = 0; n < readers; n++)
    readerIds.push(
      await addReader(ctx, {
        choice: { [categoryIds[n % categories]!]: 'daily', [categoryIds[(n + 1) % categories]!]: 'weekly' },
        timezone: zones[n]!,
      }),
    )
  const stories: number[] = []
  const held = new Set<number>()
  const mailed = new Map(readerIds.map((id) => [id, new Set<number>()]))
  /** Per reader and category, once the reader has had it: what became sendable and was neither sent nor counted since. */
  const pending = new Map<string, Set<number>>()
  let onHoliday = false
  let crashing: number | null = null

  const rechoose = async (id: number) => {
    const own = await db.selectFrom('subscribers').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
    const chosen = await db.selectFrom('subscriptions').select('frequency').where('subscriberId', '=', id).execute()
    const frequencies = chosen.reduce((bits, { frequency }) => bits | frequencyBits[frequency], 0)
    const nextDueAt = dueAfter({ ...own, frequencies }, ctx.config.digest, clock.now())
    await db.updateTable('subscribers').set({ frequencies, nextDueAt }).where('id', '=', id).execute()
  }
  const becomesSendable = (articleId: number, ids: readonly number[]) => {
    for (const id of readerIds) for (const c of ids) pending.get(`${id} ${c}`)?.add(articleId)
  }

  const check = async ({ editionId, subscriberId, selection }: Posted, due: number) => {
    const edition = await db.selectFrom('editions').selectAll().where('id', '=', editionId).executeTakeFirstOrThrow()
    const had = mailed.get(subscriberId)!
    const inMail = selection ? [...selection.sections.flatMap((s) => s.articleIds), ...selection.alsoLike] : []
    assert.equal(new Set(inMail).size, inMail.length, 'a story twice in one mail')
    for (const id of inMail) assert.ok(!had.has(id), `reader ${subscriberId} got story ${id} twice`)
    for (const id of inMail) had.add(id)

    const frozen = await db.selectFrom('editionArticles').selectAll().where('editionId', '=', editionId).execute()
    const chosen = await db.selectFrom('subscriptions').selectAll().where('subscriberId', '=', subscriberId).execute()
    const waiting = new Set<number>()
    let isNew = false
    for (const { categoryId, frequency } of chosen) {
      if (!(frequencyBits[frequency] & due)) continue
      if (edition.categoryIds && !edition.categoryIds.includes(categoryId)) continue
      const key = `${subscriberId} ${categoryId}`
      const must = pending.get(key)
      if (!must) {
        isNew = true
        if (selection?.watermarks[categoryId] !== undefined)
          pending.set(key, await sendableAfter(categoryId, edition.cutoffSeq!))
        continue
      }
      for (const { articleId } of frozen.filter((row) => row.categoryId === categoryId)) {
        if (!must.has(articleId)) continue
        if (!had.has(articleId)) waiting.add(articleId)
        if (selection) must.delete(articleId)
      }
    }
    if (selection) {
      const counted = selection.sections.reduce((sum, section) => sum + section.waiting, 0)
      assert.equal(counted, waiting.size, `reader ${subscriberId}: what waits isn't what is counted`)
    } else if (!isNew) assert.equal(waiting.size, 0, `reader ${subscriberId} missed ${[...waiting].join()}`)
  }
  /** A reader whose first mail was composed late: stories after its cut-off are still to come. */
  const sendableAfter = async (categoryId: number, seq: number) => {
    const rows = await db
      .selectFrom('articleCategories')
      .select('articleId')
      .where('categoryId', '=', categoryId)
      .where('seq', '>', seq)
      .execute()
    return new Set(rows.map((row) => row.articleId).filter((id) => !held.has(id)))
  }

  const look = async () => {
    await tick(ctx)
    if (onHoliday) return
    const { rows } = await sql<{ key: string; due: number }>`
      select edition_id || ' ' || subscriber_id as key, due from deliveries where next_attempt_at is not null`.execute(
      db,
    )
    const due = new Map(rows.map((row) => [row.key, row.due]))
    const crashed = crashing
    crashing = null
    for (const posted of await postAll(ctx, { crashed: (id) => id === crashed }))
      await check(posted, due.get(`${posted.editionId} ${posted.subscriberId}`)!)
  }

  const story = (n: number) => stories[n % stories.length]
  const take = async (each: Step) => {
    switch (each.do) {
      case 'wait':
      case 'sleep':
        clock.advance(`${each.hours}h`)
        return look()
      case 'publish': {
        const ids = [...new Set([categoryIds[each.category]!, categoryIds[each.second]!])]
        const id = await addStory(ctx, `story-${stories.length}`, ids)
        stories.push(id)
        return becomesSendable(id, ids)
      }
      case 'redate':
        if (story(each.story))
          await sql`update articles set title = title || '!', published_at = published_at + ${each.hours} * interval '1 hour'
            where id = ${story(each.story)!}`.execute(db)
        return
      case 'pin':
        if (story(each.story))
          await db.updateTable('articles').set({ pinnedAt: clock.now() }).where('id', '=', story(each.story)!).execute()
        return
      case 'hold': {
        const id = story(each.story)
        if (!id || held.has(id)) return
        await db.updateTable('articles').set({ heldAt: clock.now() }).where('id', '=', id).execute()
        held.add(id)
        return forget(id)
      }
      case 'release':
        for (const id of held) {
          const rows = await db
            .selectFrom('articleCategories')
            .select('categoryId')
            .where('articleId', '=', id)
            .execute()
          const ids = rows.map((row) => row.categoryId)
          await db.transaction().execute(async (trx) => {
            await trx.updateTable('articles').set({ heldAt: null }).where('id', '=', id).execute()
            await releaseSeq(trx, id, ids)
          })
          becomesSendable(id, ids)
        }
        return held.clear()
      case 'withdraw': {
        const id = story(each.story)
        if (!id) return
        await db.updateTable('articles').set({ withdrawnAt: clock.now() }).where('id', '=', id).execute()
        return forget(id)
      }
      case 'choose': {
        const key = { subscriberId: readerIds[each.reader]!, categoryId: categoryIds[each.category]! }
        const { frequency } = each
        await db
          .deleteFrom('subscriptions')
          .where('subscriberId', '=', key.subscriberId)
          .where('categoryId', '=', key.categoryId)
          .execute()
        if (frequency !== 'off')
          await db
            .insertInto('subscriptions')
            .values({ ...key, frequency })
            .execute()
        return rechoose(key.subscriberId)
      }
      case 'move': {
        const id = readerIds[each.reader]!
        const email = `moved-${clock.now().getTime()}-${id}@mail.example`
        await db
          .updateTable('subscribers')
          .set({ timezone: each.zone, sendHour: each.hour })
          .$if(each.address, (query) => query.set({ email, emailKey: email, emailHash: email }))
          .where('id', '=', id)
          .execute()
        return rechoose(id)
      }
      case 'pause': {
        const pausedUntil = each.days < 0 ? null : new Date(clock.now().getTime() + each.days * dayMs)
        await db.updateTable('subscribers').set({ pausedUntil }).where('id', '=', readerIds[each.reader]!).execute()
        return rechoose(readerIds[each.reader]!)
      }
      case 'manual': {
        const slugs = ['politics', 'world', 'business']
        await triggerDigest(ctx, { categories: each.category === null ? [] : [slugs[each.category]!], actor: 'cli' })
        return look()
      }
      // Nothing is sent for a while: digests stay queued and are superseded at the next slot.
      case 'holiday':
        onHoliday = !onHoliday
        return
      case 'crash':
        crashing = readerIds[each.reader]!
    }
  }
  const forget = (id: number) => {
    for (const set of pending.values()) set.delete(id)
  }

  const finish = async () => {
    onHoliday = false
    clock.advance('30h')
    await look()
    await tick(ctx)
    const editions = await db.selectFrom('editions').selectAll().execute()
    for (const edition of editions) {
      if (edition.state === 'missed') continue
      assert.ok(edition.closedAt, `edition ${edition.id} is ${edition.state}`)
      const { audience, sent, failed, uncertain, open, skipped } = edition.account!
      const skips = Object.values(skipped).reduce((sum, count) => sum + count, 0)
      assert.equal(audience, sent + failed + uncertain + open + skips)
      assert.equal(open, 0)
    }
  }
  return { take, finish }
}

// npm run bench -- compose [--mails N]: what composing a digest costs once its edition is rendered: loading a batch's readers from
// the (embedded) database, selecting, splicing, signing links, building the message; with one combination of categories for
// everybody and with 1,000 different ones, in turns in one run. Fails nothing; prints a table and one JSON line.

import { fixedClock } from '../src/base/clock.ts'
import { createLog } from '../src/base/log.ts'
import { openEmbedded } from '../src/db/connect.ts'
import { migrate } from '../src/db/migrate.ts'
import type { ClaimedDelivery } from '../src/delivery/composer.ts'
import { buildMessage } from '../src/delivery/message.ts'
import { digestComposer } from '../src/digests/compose.ts'
import { makeSnapshot } from '../src/digests/snapshot.ts'
import { makeSource, mailConfig } from '../tests/support/digest-mail.ts'

const at = process.argv.indexOf('--mails')
const mails = at < 0 ? 40_000 : Number(process.argv[at + 1])
const readers = 1000
const batch = 500
/** Many short turns by CPU time, the best of each counts: the machine's other work then disturbs neither. */
const turns = Math.max(4, Math.ceil(mails / readers))
const categories = 20
const chosen = 4
const now = new Date('2026-11-23T06:00:00Z')

const database = await openEmbedded('memory://')
await migrate(database.db)
const config = { ...mailConfig, digest: { ...mailConfig.digest, stories: 5 } }
const ctx = { db: database.db, clock: fixedClock(now), config, log: createLog('silent') }
await seedEdition()
const renderStart = performance.now()
await makeSnapshot(ctx, 1)
const renderMs = performance.now() - renderStart
// Four categories each, in an order of their own: 20 × 19 × 18 × 17 are possible.
const combinations = Array.from({ length: readers }, (_, index) => {
  const pool = Array.from({ length: categories }, (_, id) => id + 1)
  let seed = index * 7919 + 17
  return Array.from({ length: chosen }, () => {
    seed = (seed * 48_271) % 2_147_483_647
    return pool.splice(seed % pool.length, 1)[0]!
  })
})
await seedReaders(1, () => combinations[0]!)
await seedReaders(readers + 1, (index) => combinations[index]!)
const composer = digestComposer(ctx)

await run(1)
await run(readers + 1)
const one: number[] = []
const thousand: number[] = []
let bytes = 0
for (let turn = 0; turn < turns; turn++) {
  one.push((await run(1)).us)
  const result = await run(readers + 1)
  thousand.push(result.us)
  bytes = result.bytes
}
const [a, b] = [Math.min(...one), Math.min(...thousand)]
const different = new Set(combinations.map(String)).size
console.log(`edition rendered   ${renderMs.toFixed(0)} ms, ${categories} categories of 15 stories`)
console.log(`one combination    ${a.toFixed(1)} µs of CPU a mail`)
console.log(`${different} combinations ${b.toFixed(1)} µs of CPU a mail`)
console.log(`ratio              ${(b / a).toFixed(3)} (at most 1.1 wanted), ${bytes} bytes of HTML`)
console.log(
  JSON.stringify({
    bench: 'compose',
    mails: turns * readers,
    combinations: different,
    renderMs: Math.round(renderMs),
    oneUs: Number(a.toFixed(2)),
    manyUs: Number(b.toFixed(2)),
    ratio: Number((b / a).toFixed(3)),
    htmlBytes: bytes,
  }),
)
await database.close()

async function run(firstId: number): Promise<{ us: number; bytes: number }> {
  let total = 0
  const start = process.cpuUsage()
  for (let from = 0; from < readers; from += batch) {
    const deliveries = Array.from({ length: batch }, (_, index): ClaimedDelivery => {
      const id = firstId + from + index
      return {
        id,
        kind: 'digest',
        lane: 'digest',
        editionId: 1,
        subscriberId: id,
        recipient: `reader${id}@example.org`,
        due: 1,
        attempt: 0,
        articleIds: null,
        payload: null,
      }
    })
    const compose = await composer.prepare(deliveries)
    for (const delivery of deliveries) {
      const composed = await compose(delivery)
      if (composed.outcome !== 'mail') throw new Error('every reader has something new')
      total += composed.mail.htmlBytes
      await buildMessage(composed.mail, { recipient: delivery.recipient, messageId: '<1@x.example>', date: now }, null)
    }
  }
  const { user, system } = process.cpuUsage(start)
  return { us: (user + system) / readers, bytes: Math.round(total / readers) }
}

async function seedEdition(): Promise<void> {
  const source = makeSource(categories, 15)
  for (const { id, name, position } of source.categories)
    await ctx.db
      .insertInto('categories')
      .values({ slug: `c${id}`, name, position })
      .execute()
  const ids = new Map<number, number>()
  for (const { id, ...article } of source.articles.values()) {
    const row = await ctx.db
      .insertInto('articles')
      .values({ ...article, firstSeenAt: now, sendableAt: now, updatedAt: now })
      .returning('id')
      .executeTakeFirstOrThrow()
    ids.set(id, row.id)
  }
  const edition = { kind: 'manual', state: 'sending', cutoffSeq: 1_000_000, createdAt: now } as const
  await ctx.db.insertInto('editions').values(edition).execute()
  await ctx.db
    .insertInto('editionArticles')
    .values(
      source.categories.flatMap(({ id, stories }) =>
        stories.map(({ articleId, seq }, position) => ({
          editionId: 1,
          categoryId: id,
          articleId: ids.get(articleId)!,
          seq,
          position,
        })),
      ),
    )
    .execute()
}

async function seedReaders(firstId: number, categoriesOf: (index: number) => readonly number[]): Promise<void> {
  for (let index = 0; index < readers; index++) {
    const email = `reader${firstId + index}@example.org`
    await ctx.db
      .insertInto('subscribers')
      .values({ email, emailKey: email, emailHash: email, status: 'active', createdAt: now, timezone: 'Europe/Berlin' })
      .execute()
    await ctx.db
      .insertInto('subscriptions')
      .values(
        categoriesOf(index).map((categoryId, position) => ({
          subscriberId: firstId + index,
          categoryId,
          frequency: 'daily' as const,
          position,
        })),
      )
      .execute()
  }
}

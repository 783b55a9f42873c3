// No story twice, none missed, while everything happens at the same time: days of slots in a second, several ticks at once, editors
// who trigger, pause and retry, two workers, a relay that fails. On Postgres alone: the embedded database does one thing at a time.

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import PostalMime from 'postal-mime'
import { controlArticle } from '../../src/articles/control.ts'
import { Refusal } from '../../src/base/errors.ts'
import { decideUncertain, moveEdition, retryFailed } from '../../src/desk/control.ts'
import { runTick } from '../../src/planning/tick.ts'
import { triggerDigest } from '../../src/planning/trigger.ts'
import { selectSubscribers } from '../../src/subscribers/store.ts'
import { resubscribe, unsubscribe } from '../../src/subscribers/unsubscribe.ts'
import { Random } from '../support/calendar.ts'
import { type Captured, startCaptureServer } from '../support/capture-server.ts'
import { type House, story } from '../support/house.ts'
import { addCategories, addReader, addStory } from '../support/newsroom.ts'
import { openWorker } from '../support/post.ts'
import { seedOf } from '../support/seed.ts'

const seed = seedOf('CHAOS_SEED')
const readers = 40
const days = 8
const storiesPerDay = 2
const dayMs = 86_400_000
const actor = 'cli'

/** An editor or another process: what is refused, as the edition has moved on, is no failure. */
async function tryTo(act: () => Promise<unknown>): Promise<void> {
  try {
    await act()
  } catch (cause) {
    if (!(cause instanceof Refusal)) throw cause
  }
}

async function listEditions({ db }: House) {
  return db.selectFrom('editions').select(['id', 'state', 'closedAt', 'kind']).orderBy('id').execute()
}

/** What was put off may be claimed at once. */
async function bringForward({ db }: House): Promise<void> {
  await db
    .updateTable('deliveries')
    .set({ nextAttemptAt: new Date() })
    .where('nextAttemptAt', '>', new Date())
    .execute()
}

async function leaveAndReturn({ ctx, db }: House, random: Random): Promise<void> {
  const { id } = await db
    .selectFrom('subscribers')
    .select('id')
    .orderBy('id')
    .offset(random.below(readers))
    .limit(1)
    .executeTakeFirstOrThrow()
  const origin = { ip: null, formUrl: null }
  await unsubscribe(ctx, id, { way: 'page', origin })
  await sleep(random.below(20))
  await resubscribe(ctx, id, origin)
}

async function holdAndRelease({ ctx, db }: House, random: Random): Promise<void> {
  const articles = await db.selectFrom('articles').select('id').execute()
  const { id } = articles[random.below(articles.length)]!
  await controlArticle(ctx, id, 'hold')
  await sleep(random.below(40))
  await controlArticle(ctx, id, 'release')
}

async function actAtRandom(house: House, random: Random): Promise<void> {
  const { ctx } = house
  const editions = await listEditions(house)
  const { id: editionId } = editions[random.below(editions.length)] ?? { id: 0 }
  switch (random.below(10)) {
    case 0:
      await triggerDigest(ctx, { actor })
      return void (await runTick(ctx, { chunkSize: 7 }))
    case 1:
      return tryTo(() => moveEdition(ctx, { editionId, move: 'pause', actor }))
    case 2:
      return tryTo(() => moveEdition(ctx, { editionId, move: 'resume', actor }))
    case 3:
      return tryTo(() => retryFailed(ctx, { editionId, actor }))
    case 4:
      return bringForward(house)
    case 5:
      return leaveAndReturn(house, random)
    case 6:
      return holdAndRelease(house, random)
    case 7:
      return tryTo(() => moveEdition(ctx, { editionId, move: 'cancel', actor }))
    case 8:
      return tryTo(() => decideUncertain(ctx, { editionId, as: random.below(2) ? 'sent' : 'resend', actor }))
    default:
      return void (await runTick(ctx, { chunkSize: 7 }))
  }
}

/** Plans what is due, and goes on until nothing is open any more. */
async function finish(house: House): Promise<void> {
  for (let turn = 0; turn < 600; turn++) {
    await bringForward(house)
    await runTick(house.ctx)
    const open = (await listEditions(house)).filter(({ closedAt }) => !closedAt)
    if (!open.length) return
    for (const { id, state } of open)
      if (state === 'paused') await tryTo(() => moveEdition(house.ctx, { editionId: id, move: 'resume', actor }))
    await sleep(30)
  }
  assert.fail(`never over: ${JSON.stringify(await listEditions(house))}`)
}

/** reader → stories, once for each mail that isn't a second copy of another. */
async function readMails(mails: readonly Captured[]): Promise<Map<string, number[]>> {
  const seen = new Set<string>()
  const read = new Map<string, number[]>()
  for (const { to, message } of mails) {
    const { messageId, text } = await PostalMime.parse(Buffer.from(message, 'latin1'))
    if (seen.has(messageId!)) continue
    seen.add(messageId!)
    const stories = [...text!.matchAll(/^https:\/\/news\.example\/story-(\d+)$/gm)].map(([, n]) => Number(n))
    read.set(to, [...(read.get(to) ?? []), ...stories])
  }
  return read
}

/** What became of a reader's digests. */
async function tellOf({ db }: House, address: string): Promise<string> {
  const deliveries = await db
    .selectFrom('deliveries')
    .innerJoin('editions', 'editions.id', 'editionId')
    .select([
      'deliveries.id',
      'editionId',
      'editions.kind',
      'slotAt',
      'deliveries.state',
      'reason',
      'attempt',
      'doubts',
    ])
    .select(['articleIds', 'smtpReply', 'deliveries.createdAt', 'settledAt', 'cutoffSeq'])
    .where('recipient', '=', address)
    .orderBy('deliveries.id')
    .execute()
  const subscriber = await selectSubscribers(db).where('email', '=', address).executeTakeFirstOrThrow()
  const reading = await db.selectFrom('reading').selectAll().where('subscriberId', '=', subscriber.id).execute()
  return [...deliveries, subscriber, ...reading].map((row) => JSON.stringify(row)).join('\n')
}

story(
  `each reader gets each story once, with everyone at work at once (CHAOS_SEED=${seed})`,
  async (house) => {
    const { ctx, db, clock } = house
    const random = new Random(seed)
    const [politics] = await addCategories(db, 'politics')
    for (let n = 0; n < readers; n++)
      await addReader(ctx, { email: `reader-${n}@mail-${n}.example`, choice: { [politics!]: 'daily' } })

    await using running = new AsyncDisposableStack()
    const relay = running.use(await startCaptureServer())
    const mood = new Random(seed + 1)
    relay.fault = (step) => {
      const what = mood.below(30)
      if (step === 'rcpt' && what === 0) return { reply: '451 4.3.0 not now' }
      if (step === 'rcpt' && what === 1) return { reply: '552 5.2.2 mailbox full' }
      if (step === 'dot' && what === 0) return { hangUp: true, stored: true }
      return undefined
    }
    relay.onMail = () => sleep(mood.below(30))
    const workers = [1, 2].map(() => {
      const worker = openWorker(house, { relays: [relay.relay] })
      running.defer(() => worker.stop())
      return worker
    })
    for (const worker of workers) await worker.start()
    const restart = async () => {
      await sleep(random.below(100))
      const worker = workers[random.below(2)]!
      await worker.stop()
      await worker.start()
    }

    let stories = 0
    const openDay = async (count: number) => {
      for (let n = 0; n < count; n++) await addStory(ctx, `story-${stories++}`, [politics!])
      clock.set(new Date(clock.now().getTime() + dayMs).toISOString())
    }
    for (let day = 0; day < days; day++) {
      await openDay(storiesPerDay)
      const hands = Array.from({ length: 4 }, async () => {
        for (let turn = 0; turn < 4; turn++) {
          await actAtRandom(house, random)
          await sleep(random.below(60))
        }
      })
      await Promise.all([...hands, runTick(ctx, { chunkSize: 7 }), restart()])
    }
    // What failed or was left behind comes with the next digest, which the relay takes.
    await finish(house)
    relay.fault = () => undefined
    await openDay(0)
    await finish(house)

    const read = await readMails(relay.captured)
    const all = Array.from({ length: stories }, (_, n) => n)
    for (let n = 0; n < readers; n++) {
      const address = `reader-${n}@mail-${n}.example`
      const got = read.get(address)?.toSorted((a, b) => a - b)
      if (String(got) !== String(all)) assert.fail(`${address} got ${got}\n${await tellOf(house, address)}`)
    }
  },
  { on: 'postgres', now: '2026-03-01T07:00:00Z', env: { DIGEST_STORIES: '50' } },
)

// An edition under every hand at once: editors press every button by API, readers leave and erase themselves, the relay fails, and
// whoever reads the account meanwhile reads one that adds up.

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { runTick } from '../../src/planning/tick.ts'
import { Random } from '../support/calendar.ts'
import { startCaptureServer } from '../support/capture-server.ts'
import { type House, story } from '../support/house.ts'
import { openApi } from '../support/keys.ts'
import { addCategories, addReader, addStory } from '../support/newsroom.ts'
import { openWorker } from '../support/post.ts'
import { seedOf } from '../support/seed.ts'

const seed = seedOf('CHAOS_SEED')
const readers = 120

interface Shown {
  state: string
  closedAt: string | null
  account: Record<'audience' | 'sent' | 'failed' | 'uncertain' | 'open', number> & { skipped: Record<string, number> }
}

function checkSum({ account }: Shown): void {
  const { audience, sent, failed, uncertain, open, skipped } = account
  const skips = Object.values(skipped).reduce((sum, count) => sum + count, 0)
  assert.ok(open >= 0 && uncertain >= 0 && failed >= 0, JSON.stringify(account))
  assert.equal(audience, sent + failed + uncertain + open + skips, JSON.stringify(account))
}

story(`the account adds up at every moment, whoever does what (CHAOS_SEED=${seed})`, async (house) => {
  const { ctx, db } = house
  const random = new Random(seed)
  const [politics] = await addCategories(db, 'politics')
  for (let n = 0; n < 8; n++) await addStory(ctx, `story-${n}`, [politics!])
  const ids: number[] = []
  for (let n = 0; n < readers; n++)
    ids.push(await addReader(ctx, { email: `reader-${n}@mail-${n % 9}.example`, choice: { [politics!]: 'daily' } }))

  await using running = new AsyncDisposableStack()
  const relay = running.use(await startCaptureServer())
  const mood = new Random(seed + 1)
  relay.fault = (step) => {
    const what = mood.below(60)
    if (step === 'rcpt' && what === 0) return { reply: '451 4.3.0 not now' }
    if (step === 'rcpt' && what === 1) return { reply: '552 5.2.2 mailbox full' }
    if (step === 'dot' && what < 2) return { hangUp: true, stored: what === 0 }
    return undefined
  }
  relay.onMail = () => sleep(20)
  const worker = openWorker(house, { relays: [relay.relay] })
  running.defer(() => worker.stop())
  await worker.start()
  const api = await openApi(house)
  const { id } = (
    await api('post', '/editions')
      .send({ kind: 'manual', categories: ['politics'] })
      .expect(201)
  ).body
  const read = async (): Promise<Shown> => (await api('get', `/editions/${id}`).expect(200)).body

  const over = new AbortController()
  running.defer(() => over.abort())
  let reads = 0
  const watching = (async () => {
    while (!over.signal.aborted) {
      checkSum(await read())
      reads++
    }
  })()
  const planning = runTick(ctx, { chunkSize: 60 })
  const gone = new Set<number>()
  for (let turn = 0; turn < 25; turn++) {
    const button = ['pause', 'resume', 'resume', 'resume', 'retry'][random.below(5)]!
    const reader = ids[random.below(readers)]!
    const acts = [api('post', `/editions/${id}/${button}`).then(({ status }) => assert.ok([200, 409].includes(status)))]
    const what = random.below(3)
    if (what === 0)
      acts.push(api('post', `/subscribers/${reader}/unsubscribe`).then(({ status }) => assert.ok(status < 500)))
    if (what === 1) acts.push(api('delete', `/subscribers/${reader}`).then(({ status }) => assert.ok(status < 500)))
    if (what < 2) gone.add(reader)
    await Promise.all(acts)
    await sleep(random.below(40))
  }
  await planning
  if (random.below(2)) await api('post', `/editions/${id}/cancel`)
  await finish(house, id, read)
  over.abort()
  await watching
  await worker.stop()

  const last = await read()
  checkSum(last)
  assert.ok(last.closedAt && last.account.open === 0, JSON.stringify(last))
  assert.ok(reads > 10, `${reads} reads`)
  const taken = relay.captured.filter(({ message }) => message.includes('List-Unsubscribe'))
  const times = Map.groupBy(taken, ({ to }) => to)
  // Nobody got it twice but where nobody knew whether it had arrived, or an editor asked.
  for (const [to, mails] of times) {
    const { doubts } = await db
      .selectFrom('deliveries')
      .select('doubts')
      .where('recipient', '=', to)
      .executeTakeFirst()
      .then((row) => row ?? { doubts: 9 })
    assert.ok(mails.length <= 1 + doubts, `${to} got ${mails.length}`)
  }
})

/** Resumes it, brings forward what was put off (retries, also of what is uncertain, and what a slow domain had better not get yet),
 * and waits until it is closed. */
async function finish({ ctx, db }: House, id: number, read: () => Promise<Shown>): Promise<void> {
  for (let turn = 0; turn < 400; turn++) {
    const { state, closedAt } = await read()
    if (closedAt) return
    if (state === 'paused') await db.updateTable('editions').set({ state: 'sending' }).where('id', '=', id).execute()
    await db
      .updateTable('deliveries')
      .set({ nextAttemptAt: new Date() })
      .where('nextAttemptAt', '>', new Date())
      .execute()
    await runTick(ctx)
    await sleep(50)
  }
  const left = await db
    .selectFrom('deliveries')
    .select(['id', 'state', 'stage', 'attempt', 'nextAttemptAt', 'settledAt', 'claimedBy', 'smtpReply', 'recipient'])
    .where('editionId', '=', id)
    .where('settledAt', 'is', null)
    .execute()
  throw new Error(`it never closed: ${JSON.stringify([await read(), left, Date.now()])}`)
}

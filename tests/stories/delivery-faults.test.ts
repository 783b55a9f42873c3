import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { sql } from 'kysely'
import type { Database } from '../../src/db/connect.ts'
import { type CaptureServer, type Fault, startCaptureServer, type Step } from '../support/capture-server.ts'
import { openMigrated } from '../support/embedded.ts'
import { countOutcomes, countStates, makeWorker, planEdition, sendingConfig } from '../support/sending.ts'
import { waitFor } from '../support/wait-for.ts'

describe('delivery when the relay misbehaves', () => {
  let database: Database
  let server: CaptureServer
  before(async () => {
    database = await openMigrated()
  })
  beforeEach(async () => {
    await sql`truncate deliveries, editions, subscribers, suppressions, edition_counts, workers cascade`.execute(
      database.db,
    )
    server = await startCaptureServer()
  })
  afterEach(() => server.close())
  after(() => database.close())

  const addresses = (count: number) => Array.from({ length: count }, (_, i) => `reader${i}@a${i % 5}.example`)
  const run = () => makeWorker(database, [server.relay]).runOnce()
  const makeDue = () =>
    sql`update deliveries set next_attempt_at = now() where next_attempt_at is not null`.execute(database.db)
  /** Misbehaves once per recipient in `victims`. */
  const onceFor = (victims: readonly string[], step: Step, fault: Fault) => {
    const left = new Set(victims)
    server.fault = (at, mail) => (at === step && left.delete(mail.to) ? fault : undefined)
  }
  const receivedOnce = (expected: readonly string[]) =>
    assert.deepEqual(server.captured.map((mail) => mail.to).sort(), [...expected].sort())

  for (const step of ['rcpt', 'data', 'body'] as const)
    it(`cut off at ${step}, a mail was certainly not taken: it is sent again, nobody gets two`, async () => {
      const all = addresses(40)
      const edition = await planEdition(database, all)
      onceFor(all.slice(0, 7), step, { hangUp: true })
      await run()
      await makeDue()
      await run()
      receivedOnce(all)
      assert.equal((await countStates(database, edition)).sent, 40)
    })

  it('cut off at the dot without having been taken, a mail is resent once', async () => {
    const all = addresses(30)
    const edition = await planEdition(database, all)
    onceFor(all.slice(0, 5), 'dot', { hangUp: true })
    await run()
    receivedOnce(all)
    assert.deepEqual(await countOutcomes(database, edition), { sent: 30 })
  })

  it('cut off at the dot after having been taken, a mail is doubled with the same Message-ID', async () => {
    const all = addresses(30)
    const edition = await planEdition(database, all)
    onceFor(all.slice(0, 5), 'dot', { hangUp: true, stored: true })
    await run()
    assert.equal(server.captured.length, 35)
    const ids = new Set(server.captured.map((mail) => /^Message-ID: (.*)$/m.exec(mail.message)![1]))
    assert.equal(ids.size, 30)
    assert.deepEqual(await countOutcomes(database, edition), { sent: 30 })
  })

  it('a second doubt about the same mail waits for an editor', async () => {
    const edition = await planEdition(database, ['doubtful@example.org'])
    server.fault = (step) => (step === 'dot' ? { hangUp: true } : undefined)
    await run()
    await makeDue()
    await run()
    assert.deepEqual(await countStates(database, edition), { uncertain: 1 })
    assert.deepEqual(await countOutcomes(database, edition), { uncertain: 1 })
    const row = await database.db
      .selectFrom('deliveries')
      .select(['settledAt', 'attempt', 'articleIds'])
      .executeTakeFirstOrThrow()
    assert.notEqual(row.settledAt, null)
    assert.equal(row.attempt, 2)
    assert.deepEqual(row.articleIds, [1, 2])
  })

  it('4xx defers by five minutes or more, and the next try goes through', async () => {
    const all = addresses(20)
    const edition = await planEdition(database, all)
    onceFor(all.slice(0, 6), 'rcpt', { reply: '450 4.2.0 greylisted, come back later' })
    await run()
    assert.deepEqual(await countStates(database, edition), { sent: 14, deferred: 6 })
    const wait = await sql<{
      least: number
    }>`select min(extract(epoch from next_attempt_at - now()))::float8 as least from deliveries where state = 'deferred'`.execute(
      database.db,
    )
    assert.ok(wait.rows[0]!.least > 230, `${wait.rows[0]!.least}`)
    await makeWorker(database, [server.relay], { asOf: new Date(Date.now() + 3_600_000) }).runOnce()
    receivedOnce(all)
    assert.deepEqual(await countOutcomes(database, edition), { sent: 20 })
  })

  it('an edition with a window of its own gives up when that has passed, others go on', async () => {
    const [short, long] = [
      await planEdition(database, ['a@short.example']),
      await planEdition(database, ['b@long.example']),
    ]
    await database.db.updateTable('editions').set({ retryHours: 1 }).where('id', '=', short).execute()
    await sql`update deliveries set created_at = now() - interval '61 minutes', attempt = 2`.execute(database.db)
    server.fault = (step) => (step === 'rcpt' ? { reply: '450 4.2.0 not now' } : undefined)
    await run()
    await run()
    assert.deepEqual(await countStates(database, short), { failed: 1 })
    assert.deepEqual(await countStates(database, long), { deferred: 1 })
  })

  it('an address that the server calls dead is failed and suppressed, nobody else is', async () => {
    const all = addresses(20)
    const dead = all.slice(0, 4)
    const full = all.slice(4, 6)
    const edition = await planEdition(database, all)
    server.fault = (step, mail) => {
      if (step !== 'rcpt') return undefined
      if (dead.includes(mail.to)) return { reply: '550 5.1.1 no such user here' }
      return full.includes(mail.to) ? { reply: '552 5.2.2 mailbox full' } : undefined
    }
    await run()
    assert.deepEqual(await countOutcomes(database, edition), { sent: 14, failed: 6 })
    const suppressed = await database.db.selectFrom('suppressions').select('email').orderBy('email').execute()
    assert.deepEqual(
      suppressed.map((row) => row.email),
      [...dead].sort(),
    )
    const subscribers = await database.db
      .selectFrom('subscribers')
      .select('email')
      .where('status', '=', 'suppressed')
      .orderBy('email')
      .execute()
    assert.deepEqual(
      subscribers.map((row) => row.email),
      [...dead].sort(),
    )
  })

  it('a policy refusal of everyone pauses the edition after at most twenty, and suppresses nobody', async () => {
    const edition = await planEdition(database, addresses(200))
    let refusals = 0
    server.fault = (step) => {
      if (step !== 'dot') return undefined
      refusals++
      return { reply: '550 5.7.515 Access denied, sending domain does not meet the required authentication level' }
    }
    await run()
    assert.ok(refusals <= 20, `${refusals} mails were refused`)
    const { state, note } = await database.db
      .selectFrom('editions')
      .select(['state', 'note'])
      .where('id', '=', edition)
      .executeTakeFirstOrThrow()
    assert.equal(state, 'paused')
    assert.match(note, /because of the sender/)
    assert.deepEqual(await database.db.selectFrom('suppressions').selectAll().execute(), [])
    const states = await countStates(database, edition)
    assert.equal((states.queued ?? 0) + (states.deferred ?? 0), 200)
  })

  it('resumed too soon it is paused again at once: no provider was put off for what all of them say', async (test) => {
    const edition = await planEdition(
      database,
      Array.from({ length: 60 }, (_, i) => `reader${i}@only.example`),
    )
    const { db } = database
    server.fault = (step) => (step === 'dot' ? { reply: '550 5.7.1 not from you' } : undefined)
    const worker = makeWorker(database, [server.relay])
    test.after(() => worker.stop())
    await worker.start()
    for (let pauses = 0; pauses < 3; pauses++) {
      await db.updateTable('editions').set({ state: 'sending' }).where('id', '=', edition).execute()
      worker.wake()
      const isPaused = () =>
        db.selectFrom('editions').select('id').where('state', '=', 'paused').executeTakeFirst().then(Boolean)
      await waitFor(isPaused, `not paused for the ${pauses + 1}. time`)
    }
    await worker.stop()
    const putOff = await db
      .selectFrom('deliveries')
      .select('id')
      .where('attempt', '=', 0)
      .where('nextAttemptAt', '>', new Date())
      .execute()
    assert.deepEqual(putOff, [])
  })

  it('421 now and then only costs a new connection', async () => {
    const all = addresses(60)
    await planEdition(database, all)
    let commands = 0
    server.fault = (step) =>
      step === 'mail' && ++commands % 13 === 0 ? { reply: '421 4.7.0 too many mails on this connection' } : undefined
    await run()
    for (let round = 0; round < 2; round++) {
      await makeDue()
      await run()
    }
    receivedOnce(all)
  })

  it('one throttling provider holds up nobody else', async () => {
    const slow = Array.from({ length: 60 }, (_, i) => `reader${i}@slow.example`)
    const fast = Array.from({ length: 60 }, (_, i) => `reader${i}@fast.example`)
    const edition = await planEdition(database, [...slow, ...fast])
    server.fault = (step, mail) =>
      step === 'rcpt' && mail.to.endsWith('@slow.example')
        ? { reply: '451 4.7.1 too many messages, slow down' }
        : undefined
    await run()
    receivedOnce(fast)
    const tries = server.seen.get('RCPT')! - fast.length
    assert.ok(tries <= slow.length, `the slow provider was asked ${tries} times`)
    assert.equal((await countStates(database, edition)).sent, 60)
  })

  it('a provider whose server thinks for minutes over each mail holds up nobody else', async () => {
    const slow = Array.from({ length: 100 }, (_, i) => `reader${i}@slow.example`)
    const fast = Array.from({ length: 900 }, (_, i) => `reader${i}@a${i % 20}.example`)
    await planEdition(
      database,
      fast.flatMap((address, i) => (i % 9 ? [address] : [slow[i / 9]!, address])),
    )
    server.fault = (step, mail) => (step === 'dot' && mail.to.endsWith('@slow.example') ? { silent: true } : undefined)
    const worker = makeWorker(database, [server.relay])
    const allFast = new Promise<void>((resolve) => {
      server.onMail = () => {
        if (server.captured.length === fast.length) resolve()
      }
    })
    await worker.start()
    await allFast
    receivedOnce(fast)
    await server.close()
    await worker.stop()
    server = await startCaptureServer()
  })

  it('a relay that is down loses nothing: the mails stay queued', async () => {
    const all = addresses(5)
    const edition = await planEdition(database, all)
    await server.close()
    await run()
    assert.deepEqual(await countStates(database, edition), { queued: 5 })
    server = await startCaptureServer()
    await run()
    receivedOnce(all)
  })

  it('with two relays one that is down is made up for by the other', async () => {
    const gone = await startCaptureServer()
    await gone.close()
    const all = addresses(40)
    const edition = await planEdition(database, all)
    await makeWorker(database, [gone.relay, server.relay]).runOnce()
    receivedOnce(all)
    assert.deepEqual(await countOutcomes(database, edition), { sent: 40 })
  })

  it('two relays share the work by weight: three times as many connections for the heavier', async () => {
    await using light = await startCaptureServer()
    const all = addresses(300)
    const edition = await planEdition(database, all)
    // The first success proves the edition; then every mail waits until all connections are there.
    let release = () => {}
    const allThere = new Promise<void>((resolve) => (release = resolve))
    let waiting = 0
    const hold = () => {
      if (server.captured.length + light.captured.length === 1) return
      if (++waiting >= 8) release()
      return allThere
    }
    server.onMail = hold
    light.onMail = hold
    const config = { ...sendingConfig, smtp: { ...sendingConfig.smtp, connections: 6 } }
    const heavy = { ...server.relay, weight: 3 }
    await makeWorker(database, [heavy, { ...light.relay, weight: 1 }], { config }).runOnce()
    assert.deepEqual([server.connections, light.connections], [6, 2])
    assert.deepEqual([...server.captured, ...light.captured].map((mail) => mail.to).sort(), [...all].sort())
    assert.deepEqual(await countOutcomes(database, edition), { sent: 300 })
  })

  it('a relay that comes back is used again', async () => {
    const gone = await startCaptureServer()
    const { port } = gone.relay
    await gone.close()
    await planEdition(database, addresses(40))
    const worker = makeWorker(database, [server.relay, gone.relay])
    const firstHalf = new Promise<void>((resolve) => {
      server.onMail = () => {
        if (server.captured.length === 40) resolve()
      }
    })
    await worker.start()
    await firstHalf
    await using back = await startCaptureServer({ port })
    const isBack = new Promise<void>((resolve) => {
      back.onMail = () => resolve()
    })
    // The other holds what it gets once the edition is proven, so that nothing but the one that came back moves.
    server.onMail = () => (server.captured.length > 41 ? isBack : undefined)
    await planEdition(database, addresses(200))
    worker.wake()
    await isBack
    await worker.stop()
  })

  it('a server without PIPELINING is spoken to command by command', async () => {
    await using plain = await startCaptureServer({ pipelining: false })
    const all = addresses(10)
    await planEdition(database, all)
    await makeWorker(database, [plain.relay]).runOnce()
    assert.equal(plain.captured.length, 10)
  })
})

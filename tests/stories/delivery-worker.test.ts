import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { Registry } from 'prom-client'
import type { Database } from '../../src/db/connect.ts'
import { systemClock } from '../../src/base/clock.ts'
import { DeliveryMetrics } from '../../src/delivery/metrics.ts'
import { addToOutbox } from '../../src/delivery/outbox.ts'
import { resolveUncertain } from '../../src/delivery/uncertain.ts'
import { eraseSubscriber } from '../../src/subscribers/erase.ts'
import { type CaptureServer, startCaptureServer } from '../support/capture-server.ts'
import { listTablesNaming } from '../support/database.ts'
import { openMigrated } from '../support/embedded.ts'
import {
  countOutcomes,
  countStates,
  makeWorker,
  plainComposers,
  planEdition,
  quietLog,
  sendingConfig,
} from '../support/sending.ts'
import { waitFor } from '../support/wait-for.ts'

describe('delivery', () => {
  let database: Database
  let server: CaptureServer
  before(async () => {
    database = await openMigrated()
  })
  beforeEach(async () => {
    server = await startCaptureServer()
  })
  afterEach(() => server.close())
  after(() => database.close())

  it('sends every digest of an edition once, and accounts for it', async () => {
    const addresses = Array.from({ length: 30 }, (_, i) => `reader${i}@a${i % 3}.example`)
    const edition = await planEdition(database, addresses)
    await makeWorker(database, [server.relay]).runOnce()
    assert.deepEqual(server.captured.map((mail) => mail.to).sort(), addresses.sort())
    assert.deepEqual(await countStates(database, edition), { sent: 30 })
    assert.deepEqual(await countOutcomes(database, edition), { sent: 30 })
    const left = await database.db.selectFrom('workers').select('id').execute()
    assert.deepEqual(left, [])
  })

  it('a mail on the wire stays named while hundreds behind it are skipped', async () => {
    const skips = Array.from({ length: 450 }, (_, i) => `skip${i}@a.example`)
    const edition = await planEdition(database, ['slow@a.example', ...skips])
    const composers = plainComposers((to) =>
      to.startsWith('skip') ? { outcome: 'skip', reason: 'nothing_new' } : null,
    )
    const { promise: isAtDot, resolve: atDot } = Promise.withResolvers<void>()
    const { promise: mayAnswer, resolve: answer } = Promise.withResolvers<void>()
    server.onMail = () => {
      atDot()
      return mayAnswer
    }
    const config = { ...sendingConfig, smtp: { ...sendingConfig.smtp, connections: 1 } }
    const sending = makeWorker(database, [server.relay], { composers, config }).runOnce()
    await isAtDot
    await waitFor(async () => ((await countOutcomes(database, edition))['skipped:nothing_new'] ?? 0) >= 400)
    const named = await database.db
      .selectFrom('inFlight')
      .innerJoin('deliveries', 'deliveries.id', 'inFlight.deliveryId')
      .select('recipient')
      .execute()
    answer()
    await sending
    assert.deepEqual(named, [{ recipient: 'slow@a.example' }])
    assert.deepEqual(await countOutcomes(database, edition), { sent: 1, 'skipped:nothing_new': 450 })
  })

  it('a sent digest moves the watermarks and is remembered', async () => {
    await planEdition(database, ['ada@example.org'])
    await makeWorker(database, [server.relay]).runOnce()
    const reading = await database.db
      .selectFrom('reading')
      .innerJoin('subscribers', 'subscribers.id', 'reading.subscriberId')
      .select(['watermarks', 'seen'])
      .where('email', '=', 'ada@example.org')
      .executeTakeFirstOrThrow()
    assert.deepEqual(reading, { watermarks: { 7: 70 }, seen: [1, 2] })
  })

  it('stories that left the last 60 days are forgotten, in bulk', async () => {
    await planEdition(database, ['keen@example.org'])
    const old = Array.from({ length: 120 }, (_, i) => i + 1)
    const { db } = database
    const { id: newest } = await db
      .insertInto('articles')
      .values({
        title: 'New',
        link: 'https://news.example/new',
        publishedAt: new Date(),
        firstSeenAt: new Date(),
        sendableAt: new Date(),
        updatedAt: new Date(),
        id: 500,
      })
      .returning('id')
      .executeTakeFirstOrThrow()
    const { id } = await db
      .selectFrom('subscribers')
      .select('id')
      .where('email', '=', 'keen@example.org')
      .executeTakeFirstOrThrow()
    await db
      .insertInto('reading')
      .values({ subscriberId: id, seen: [...old, newest] })
      .execute()
    await makeWorker(database, [server.relay]).runOnce()
    const { seen } = await db
      .selectFrom('reading')
      .select('seen')
      .where('subscriberId', '=', id)
      .executeTakeFirstOrThrow()
    assert.deepEqual(seen, [newest, 1, 2])
    await db.deleteFrom('articles').execute()
  })

  it('who left after planning gets nothing', async () => {
    const edition = await planEdition(database, ['left@example.org', 'stays@example.org'])
    await database.db
      .updateTable('subscribers')
      .set({ status: 'unsubscribed' })
      .where('email', '=', 'left@example.org')
      .execute()
    await makeWorker(database, [server.relay]).runOnce()
    assert.deepEqual(
      server.captured.map((mail) => mail.to),
      ['stays@example.org'],
    )
    assert.deepEqual(await countOutcomes(database, edition), { sent: 1, 'skipped:unsubscribed': 1 })
  })

  for (const [name, reply] of [
    ['mary', '450 4.2.0 <mary@example.org>: later'],
    ['grace', '550 5.1.1 <grace@example.org>: no such user'],
  ] as const)
    it(`who is erased while the mail is on the wire isn’t named by the answer to it (${reply.slice(0, 3)})`, async () => {
      await planEdition(database, [`${name}@example.org`])
      const { id } = await database.db
        .selectFrom('subscribers')
        .select('id')
        .where('email', '=', `${name}@example.org`)
        .executeTakeFirstOrThrow()
      const ctx = { db: database.db, clock: systemClock, config: sendingConfig, log: quietLog }
      let erasing: Promise<boolean> | null = null
      server.fault = (step) => {
        if (step === 'rcpt') return { reply }
        if (step !== 'mail') return undefined
        erasing ??= eraseSubscriber(ctx, id)
        return { delayMs: 500 }
      }
      await makeWorker(database, [server.relay]).runOnce()
      assert.equal(await erasing, true)
      const said = await database.db
        .selectFrom('deliveries')
        .select('smtpCode')
        .where('recipient', '=', 'erased')
        .execute()
      assert.deepEqual(said.at(-1), { smtpCode: Number(reply.slice(0, 3)) })
      assert.deepEqual(await listTablesNaming(database, `${name}@`), [])
    })

  it('a digest with nothing new is skipped and says so', async () => {
    const edition = await planEdition(database, ['bored@example.org', 'keen@example.org'])
    const composers = plainComposers((recipient) =>
      recipient.startsWith('bored') ? { outcome: 'skip', reason: 'nothing_new' } : null,
    )
    await makeWorker(database, [server.relay], { composers }).runOnce()
    assert.deepEqual(await countOutcomes(database, edition), { sent: 1, 'skipped:nothing_new': 1 })
  })

  it('a paused edition waits', async () => {
    const edition = await planEdition(database, ['patient@example.org'])
    await database.db.updateTable('editions').set({ state: 'paused' }).where('id', '=', edition).execute()
    await makeWorker(database, [server.relay]).runOnce()
    assert.equal(server.captured.length, 0)
    assert.deepEqual(await countStates(database, edition), { queued: 1 })
  })

  it('a mail from the outbox needs no edition and no subscriber', async () => {
    await database.db
      .transaction()
      .execute((trx) => addToOutbox(trx, { kind: 'sign-in', recipient: 'editor@example.org' }))
    await makeWorker(database, [server.relay]).runOnce()
    assert.deepEqual(
      server.captured.map((mail) => mail.to),
      ['editor@example.org'],
    )
    assert.match(server.captured[0]!.from, /^b-[0-9a-z]+-[a-z2-7]{20}@bounces\.news\.example$/)
    assert.match(server.captured[0]!.message, /\r\n\.a line with a dot\r\n/)
  })

  it('a started worker sends what is added later, without being asked', async () => {
    const worker = makeWorker(database, [server.relay])
    await worker.start()
    const arrived = new Promise<void>((resolve) => {
      server.onMail = () => resolve()
    })
    await database.db
      .transaction()
      .execute((trx) => addToOutbox(trx, { kind: 'confirmation', recipient: 'new@example.org' }))
    await arrived
    await worker.stop()
    assert.equal(server.captured.length, 1)
    const row = await database.db
      .selectFrom('deliveries')
      .select(['state', 'attempt'])
      .where('recipient', '=', 'new@example.org')
      .executeTakeFirstOrThrow()
    assert.deepEqual(row, { state: 'sent', attempt: 1 })
  })
})

describe('deliveries in doubt, and metrics', () => {
  it('an editor counts doubtful ones as sent, or has them sent again under the same Message-ID', async () => {
    const database = await openMigrated()
    await using server = await startCaptureServer()
    const addresses = Array.from({ length: 4 }, (_, i) => `reader${i}@example.org`)
    const edition = await planEdition(database, addresses)
    server.fault = (step) => (step === 'dot' ? { hangUp: true, stored: true } : undefined)
    const config = { ...sendingConfig, mail: { ...sendingConfig.mail, uncertain: 'hold' as const } }
    await makeWorker(database, [server.relay], { config }).runOnce()
    assert.deepEqual(await countOutcomes(database, edition), { uncertain: 4 })
    const doubtful = await database.db.selectFrom('deliveries').select('id').orderBy('id').execute()
    assert.equal(doubtful.length, 4)
    server.fault = () => undefined

    const resolve = (resolution: 'sent' | 'resend', ids: readonly number[] | null) =>
      database.db.transaction().execute((trx) => resolveUncertain(trx, edition, resolution, ids))
    assert.equal(await resolve('sent', [doubtful[0]!.id]), 1)
    assert.equal(await resolve('sent', [doubtful[0]!.id]), 0)
    assert.equal(await resolve('resend', null), 3)
    await makeWorker(database, [server.relay], { config }).runOnce()
    assert.deepEqual(await countOutcomes(database, edition), { sent: 4 })
    const ids = new Set(server.captured.map((mail) => /^Message-ID: (.*)$/m.exec(mail.message)![1]))
    assert.deepEqual([server.captured.length, ids.size], [7, 4])
    await database.close()
  })

  it('what was sent, refused and left over can be scraped, without an address in it', async () => {
    const database = await openMigrated()
    await using server = await startCaptureServer()
    await planEdition(database, ['ada@example.org', 'bob@example.net'])
    server.fault = (step, mail) =>
      step === 'rcpt' && mail.to.startsWith('bob') ? { reply: '450 4.2.0 not now' } : undefined
    const registry = new Registry()
    const metrics = new DeliveryMetrics(registry, database.db)
    await makeWorker(database, [server.relay], { metrics }).runOnce()
    await makeWorker(database, [server.relay], { metrics, asOf: new Date(Date.now() + 3_600_000) }).runOnce()
    const text = await registry.metrics()
    assert.match(text, /broadsheet_retries_total\{lane="digest"\} 1/)
    assert.match(text, /broadsheet_mails_total\{lane="digest",class="sent"\} 1/)
    assert.match(text, /broadsheet_smtp_replies_total\{class="temporary",code="450",domain="example.net"\} 2/)
    assert.match(text, /broadsheet_open_deliveries\{lane="digest"\} 1/)
    assert.match(text, /broadsheet_delivery_step_seconds_count\{step="sign"\} 3/)
    assert.doesNotMatch(text, /ada|bob/)
    await database.close()
  })
})

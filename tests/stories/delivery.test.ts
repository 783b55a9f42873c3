import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import type { Database } from '../../src/db/connect.ts'
import { addToOutbox } from '../../src/delivery/outbox.ts'
import { type CaptureServer, startCaptureServer } from '../support/capture-server.ts'
import {
  countOutcomes,
  countStates,
  makeWorker,
  openSendingDatabase,
  plainComposers,
  planEdition,
} from '../support/sending.ts'

describe('delivery', () => {
  let database: Database
  let server: CaptureServer
  before(async () => {
    database = await openSendingDatabase()
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

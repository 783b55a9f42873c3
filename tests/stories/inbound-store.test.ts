// What comes back is kept before anything is made of it.

import assert from 'node:assert/strict'
import { storeInbound } from '../../src/inbound/store.ts'
import { story } from '../support/house.ts'

const receivedAt = new Date('2026-03-02T06:00:00Z')

story('the same mail is stored once, byte for byte; to another recipient it is another one', async ({ db }) => {
  // Not text: no encoding may touch it.
  const raw = Buffer.from(Array.from({ length: 1024 }, (_, i) => i % 256))
  const mail = { source: 'listener', envelopeTo: 'b-1-x@bounces.example', raw, receivedAt } as const
  assert.equal(await storeInbound(db, mail), 'stored')
  assert.equal(await storeInbound(db, { ...mail, receivedAt: new Date() }), 'known')
  assert.equal(await storeInbound(db, { ...mail, source: 'imap', envelopeTo: 'B-1-X@bounces.example' }), 'known')
  assert.equal(await storeInbound(db, { ...mail, envelopeTo: 'b-2-x@bounces.example' }), 'stored')
  const rows = await db.selectFrom('inboundEvents').selectAll().orderBy('id').execute()
  assert.deepEqual(
    rows.map(({ source, envelopeTo }) => [source, envelopeTo]),
    [
      ['listener', 'b-1-x@bounces.example'],
      ['listener', 'b-2-x@bounces.example'],
    ],
  )
  assert.deepEqual(Buffer.from(rows[0]!.raw!), raw)
  assert.deepEqual(rows[0]!.receivedAt, receivedAt)
})

story('of a large mail the beginning is kept, and all of it tells it from others', async ({ db }) => {
  const raw = Buffer.alloc(9_000_000, 'x'.repeat(76) + '\r\n')
  const mail = { source: 'listener', envelopeTo: 'b-1-x@bounces.example', raw, receivedAt } as const
  assert.equal(await storeInbound(db, mail), 'stored')
  assert.equal(await storeInbound(db, { ...mail, raw: Buffer.concat([raw, Buffer.from('y')]) }), 'stored')
  assert.equal(await storeInbound(db, mail), 'known')
  const kept = await db.selectFrom('inboundEvents').select('raw').executeTakeFirstOrThrow()
  assert.deepEqual(Buffer.from(kept.raw!), raw.subarray(0, 512 * 1024))
})

story("a provider's event counts once by its own id, whatever it says", async ({ db }) => {
  const facts = { id: 'e-1', returnPath: null, deliveryHeader: null, messageId: null, reports: [] }
  const event = { source: 'ses', envelopeTo: null, raw: null, facts, receivedAt } as const
  assert.equal(await storeInbound(db, event), 'stored')
  assert.equal(await storeInbound(db, { ...event, facts: { ...facts, messageId: '<a@b>' } }), 'known')
  assert.equal(await storeInbound(db, { ...event, source: 'mailgun' }), 'stored')
})

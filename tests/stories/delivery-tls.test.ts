import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Relay } from '../../src/base/relay.ts'
import type { Database } from '../../src/db/connect.ts'
import { RelayUnavailable } from '../../src/delivery/relay-dial.ts'
import { SmtpConnection } from '../../src/delivery/smtp-connection.ts'
import { type CaptureServer, startCaptureServer } from '../support/capture-server.ts'
import { openMigrated } from '../support/embedded.ts'
import { countStates, makeWorker, planEdition } from '../support/sending.ts'
import { startTlsRelay, type TlsFault, type TlsRelay, trustTestAuthority } from '../support/tls-relay.ts'

trustTestAuthority()

describe('delivery and TLS', () => {
  let database: Database
  before(async () => {
    database = await openMigrated()
  })
  after(() => database.close())

  /** One mail; returns what became of it. */
  const send = async (...relays: Relay[]) => {
    const edition = await planEdition(database, ['ada@example.org'])
    await makeWorker(database, relays).runOnce()
    const states = await countStates(database, edition)
    await database.db.deleteFrom('editions').where('id', '=', edition).execute()
    return states
  }

  /** What the relay does wrong, and what the error must say. */
  const kinds: Record<Exclude<TlsFault, 'injected'>, [string, RegExp]> = {
    none: ['doesn’t offer STARTTLS', /STARTTLS/],
    refused: ['refuses STARTTLS', /454 4\.7\.0 TLS not available/],
    unknown: ['has a certificate of nobody we know', /self-signed certificate/],
    expired: ['has a certificate that has expired', /certificate has expired/],
    future: ['has a certificate that isn’t valid yet', /certificate is not yet valid/],
    elsewhere: ['has the certificate of another host', /DNS:relay\.example/],
    old: ['speaks nothing newer than TLS 1.1', /protocol/i],
    reset: ['hangs up in the handshake', /TLS|closed|reset/i],
  }
  const ways = [
    ...(Object.keys(kinds) as (keyof typeof kinds)[]).map((fault) => ({ fault, isImplicit: false })),
    ...(['unknown', 'expired', 'future', 'elsewhere', 'old'] as const).map((fault) => ({ fault, isImplicit: true })),
  ]
  const start = async ({ fault, isImplicit }: (typeof ways)[number], capture: CaptureServer) => {
    const server = await startTlsRelay(capture.relay.port, isImplicit)
    server.fault = () => fault
    const relay: Relay = {
      ...capture.relay,
      name: `${fault}:${server.port}`,
      host: 'localhost',
      port: server.port,
      implicitTls: isImplicit,
      tls: 'required',
      user: 'news',
      password: 'pässword',
    }
    return { server, relay }
  }
  const nothingInClear = (server: TlsRelay) =>
    assert.deepEqual(
      server.inClear.filter((line) => !/^(?:EHLO \S+|STARTTLS|QUIT)$/.test(line)),
      [],
    )

  for (const way of ways)
    it(`a${way.isImplicit ? 'n smtps' : ''} relay that ${kinds[way.fault][0]} is refused with the reason`, async () => {
      await using capture = await startCaptureServer()
      const { server, relay } = await start(way, capture)
      await using _closed = server
      await assert.rejects(SmtpConnection.open(relay), (error) => {
        assert.ok(error instanceof RelayUnavailable)
        assert.match(error.message, kinds[way.fault][1])
        return true
      })
      nothingInClear(server)
    })

  it('none of these relays gets a mail in clear, and the mail is kept', async () => {
    await using capture = await startCaptureServer()
    const started = await Promise.all(ways.map((way) => start(way, capture)))
    assert.deepEqual(await send(...started.map(({ relay }) => relay)), { queued: 1 })
    assert.deepEqual(capture.captured, [])
    for (const { server } of started) {
      nothingInClear(server)
      await server.close()
    }
  })

  it('what stands in clear behind the go-ahead of STARTTLS is no part of the dialogue', async () => {
    await using capture = await startCaptureServer()
    await using server = await startTlsRelay(capture.relay.port)
    server.fault = () => 'injected'
    const relay: Relay = { ...capture.relay, host: 'localhost', port: server.port, tls: 'required' }
    const connection = await SmtpConnection.open(relay)
    connection.close('over')
    assert.deepEqual([connection.facts.hello, connection.facts.extensions], ['capture', ['PIPELINING', 'SIZE']])
    assert.deepEqual([await send(relay), capture.captured.length], [{ sent: 1 }, 1])
    await assert.rejects(
      SmtpConnection.open({ ...relay, user: 'news', password: 'pässword' }),
      /it offers no mechanism/,
    )
    nothingInClear(server)
  })

  it('a relay whose certificate is good gets the mail', async () => {
    await using capture = await startCaptureServer()
    await using server = await startTlsRelay(capture.relay.port)
    const relay: Relay = { ...capture.relay, host: 'localhost', port: server.port, tls: 'required' }
    assert.deepEqual([await send(relay), capture.captured.length], [{ sent: 1 }, 1])
    nothingInClear(server)
  })

  it('opportunistic encrypts whatever the certificate is, and goes in clear where nothing else is offered', async () => {
    await using capture = await startCaptureServer()
    await using server = await startTlsRelay(capture.relay.port)
    for (const fault of ['unknown', 'expired', 'elsewhere'] as const) {
      server.fault = () => fault
      const relay: Relay = { ...capture.relay, host: 'localhost', port: server.port, tls: 'opportunistic' }
      assert.deepEqual(await send(relay), { sent: 1 })
    }
    nothingInClear(server)
    assert.deepEqual(await send({ ...capture.relay, tls: 'opportunistic' }), { sent: 1 })
    assert.equal(capture.captured.length, 4)
  })
})

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import type { Relay } from '../../src/base/relay.ts'
import type { Database } from '../../src/db/connect.ts'
import { RelayUnavailable } from '../../src/delivery/relay-dial.ts'
import { SmtpConnection } from '../../src/delivery/smtp-connection.ts'
import { type CaptureServer, startCaptureServer } from '../support/capture-server.ts'
import { countStates, makeWorker, openSendingDatabase, planEdition } from '../support/sending.ts'
import { startTlsRelay, type TlsFault, type TlsRelay, tlsFaults, trustTestAuthority } from '../support/tls-relay.ts'

trustTestAuthority()

describe('delivery and TLS', () => {
  let database: Database
  before(async () => {
    database = await openSendingDatabase()
  })
  after(() => database.close())

  const attempt = async (server: SMTPServerOptions, relay: Partial<Relay>) => {
    const taken: { isSecure: boolean; user: unknown }[] = []
    const smtp = new SMTPServer({
      logger: false,
      authOptional: true,
      onData: (stream, session, done) => {
        stream.resume()
        stream.on('end', () => {
          taken.push({ isSecure: session.secure, user: session.user })
          done()
        })
      },
      ...server,
    })
    smtp.on('error', () => {})
    smtp.listen(0, '127.0.0.1')
    await once(smtp.server, 'listening')
    const { port } = smtp.server.address() as AddressInfo
    const edition = await planEdition(database, ['ada@example.org'])
    const full: Relay = {
      name: 'relay',
      host: 'localhost',
      port,
      implicitTls: false,
      tls: 'required',
      user: null,
      password: null,
      weight: 1,
      ...relay,
    }
    await makeWorker(database, [full]).runOnce()
    await new Promise<void>((resolve) => smtp.close(resolve))
    const states = await countStates(database, edition)
    await database.db.deleteFrom('editions').where('id', '=', edition).execute()
    return { taken, states }
  }

  /** What the relay does wrong, and what the error must say. */
  const kinds: Record<TlsFault, [string, RegExp]> = {
    none: ['doesn’t offer STARTTLS', /STARTTLS/],
    refused: ['refuses STARTTLS', /454 4\.7\.0 TLS not available/],
    unknown: ['has a certificate of nobody we know', /self.signed/i],
    expired: ['has a certificate that has expired', /has.expired/i],
    future: ['has a certificate that isn’t valid yet', /not.yet.valid/i],
    elsewhere: ['has the certificate of another host', /altname/i],
    old: ['speaks nothing newer than TLS 1.1', /protocol/i],
    reset: ['hangs up in the handshake', /TLS|closed|reset/i],
    injected: ['puts bytes behind its go-ahead', /./],
  }
  const ways = [
    ...tlsFaults.map((fault) => ({ fault, isImplicit: false })),
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
    const edition = await planEdition(database, ['ada@example.org'])
    await makeWorker(
      database,
      started.map(({ relay }) => relay),
    ).runOnce()
    for (const { server } of started) {
      nothingInClear(server)
      await server.close()
    }
    assert.deepEqual([capture.captured, await countStates(database, edition)], [[], { queued: 1 }])
    await database.db.deleteFrom('editions').where('id', '=', edition).execute()
  })

  it('a relay whose certificate is good gets the mail', async () => {
    await using capture = await startCaptureServer()
    await using server = await startTlsRelay(capture.relay.port)
    const edition = await planEdition(database, ['ada@example.org'])
    const relay: Relay = { ...capture.relay, host: 'localhost', port: server.port, tls: 'required' }
    await makeWorker(database, [relay]).runOnce()
    assert.deepEqual(await countStates(database, edition), { sent: 1 })
    await database.db.deleteFrom('editions').where('id', '=', edition).execute()
  })

  it('opportunistic encrypts whatever the certificate is, and goes in clear where nothing else is offered', async () => {
    const secure = await attempt({}, { tls: 'opportunistic' })
    assert.deepEqual(
      secure.taken.map((mail) => mail.isSecure),
      [true],
    )
    const clear = await attempt({ disabledCommands: ['STARTTLS'] }, { tls: 'opportunistic' })
    assert.deepEqual(
      clear.taken.map((mail) => mail.isSecure),
      [false],
    )
  })

  for (const method of ['PLAIN', 'LOGIN'])
    it(`signs in by AUTH ${method}; a wrong password keeps the mail`, async () => {
      const server: SMTPServerOptions = {
        authMethods: [method],
        authOptional: false,
        onAuth: ({ username, password }, _session, done) =>
          username === 'news' && password === 'pässword'
            ? done(null, { user: 'news' })
            : done(new Error('Invalid username or password')),
      }
      const right = await attempt(server, { tls: 'opportunistic', user: 'news', password: 'pässword' })
      assert.deepEqual(right.taken, [{ isSecure: true, user: 'news' }])
      const wrong = await attempt(server, { tls: 'opportunistic', user: 'news', password: 'wrong' })
      assert.deepEqual([wrong.taken, wrong.states], [[], { queued: 1 }])
    })
})

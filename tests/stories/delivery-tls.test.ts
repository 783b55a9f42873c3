import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import type { Relay } from '../../src/base/relay.ts'
import type { Database } from '../../src/db/connect.ts'
import { countStates, makeWorker, openSendingDatabase, planEdition } from '../support/sending.ts'

// smtp-server brings a self-signed certificate for localhost: as good as expired or of another name.
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

  it('keeps the mail when TLS is required and the relay doesn’t offer it', async () => {
    const { taken, states } = await attempt({ disabledCommands: ['STARTTLS'] }, {})
    assert.deepEqual([taken, states], [[], { queued: 1 }])
  })

  it('keeps the mail when the certificate isn’t one that we can trust', async () => {
    const { taken, states } = await attempt({}, {})
    assert.deepEqual([taken, states], [[], { queued: 1 }])
  })

  it('keeps the mail when smtps meets such a certificate', async () => {
    const { taken, states } = await attempt({ secure: true }, { implicitTls: true })
    assert.deepEqual([taken, states], [[], { queued: 1 }])
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

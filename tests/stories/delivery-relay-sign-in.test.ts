// Each way of signing in that relays know, and the names that they want to hear.

import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { sql } from 'kysely'
import { readConfig } from '../../src/base/config.ts'
import { ehloNameOf, type Relay } from '../../src/base/relay.ts'
import type { Database } from '../../src/db/connect.ts'
import { SmtpConnection } from '../../src/delivery/smtp-connection.ts'
import { startCaptureServer } from '../support/capture-server.ts'
import { openMigrated } from '../support/embedded.ts'
import { countStates, makeWorker, planEdition, sendingConfig } from '../support/sending.ts'
import { startSignInRelay, startTokenEndpoint } from '../support/sign-in-relay.ts'
import { trustTestAuthority } from '../support/tls-relay.ts'

trustTestAuthority()
const config = { ...sendingConfig, smtp: { ...sendingConfig.smtp, connections: 4 } }

describe('a relay that wants us to sign in', () => {
  let database: Database
  before(async () => {
    database = await openMigrated()
  })
  beforeEach(async () => {
    await sql`truncate deliveries, editions, subscribers, edition_counts, workers cascade`.execute(database.db)
  })
  after(() => database.close())

  /** Twenty mails; returns what became of them. */
  const send = async (...relays: Relay[]) => {
    const readers = Array.from({ length: 20 }, (_, i) => `reader${i}@a${i % 5}.example`)
    const edition = await planEdition(database, readers)
    await makeWorker(database, relays, { config }).runOnce()
    return countStates(database, edition)
  }
  const signIn = async (relay: Relay): Promise<string | null> => {
    const connection = await SmtpConnection.open(relay)
    connection.close('over')
    return connection.facts.mechanism
  }

  for (const mechanism of ['PLAIN', 'LOGIN', 'CRAM-MD5'])
    it(`by ${mechanism} only gets its mail; a wrong password is said with its own words`, async () => {
      await using server = await startSignInRelay({ mechanisms: [mechanism] })
      assert.deepEqual(await send(server.relay()), { sent: 20 })
      assert.equal(server.taken.length, 20)
      assert.deepEqual([...new Set(server.attempts)], [mechanism])
      await assert.rejects(
        signIn(server.relay('', 'wrong')),
        new RegExp(`"news@paper\\.example" by ${mechanism}: 535 5\\.7\\.8 wrong user name or password`),
      )
    })

  for (const [code, text] of [
    [504, '5.5.4 unrecognized authentication type'],
    [535, '5.7.8 authentication failed'],
  ] as const)
    it(`and refuses PLAIN with ${code} though it offers it, is signed in to by LOGIN, on a new connection`, async () => {
      await using server = await startSignInRelay({
        mechanisms: ['PLAIN', 'LOGIN'],
        refused: { PLAIN: { code, text } },
      })
      const relay = server.relay()
      assert.equal(await signIn(relay), 'login')
      assert.deepEqual(server.attempts, ['PLAIN', 'LOGIN'])
      assert.deepEqual(await send(relay), { sent: 20 })
      assert.equal(server.attempts.filter((name) => name === 'PLAIN').length, 1, 'it is remembered')
      // Whoever chose PLAIN gets PLAIN.
      await assert.rejects(signIn(server.relay('auth=plain')), new RegExp(`by PLAIN: ${code} ${text}`))
      assert.equal(server.attempts.at(-1), 'PLAIN')
    })

  it('is asked twice at most with a wrong password', async () => {
    await using server = await startSignInRelay({ mechanisms: ['LOGIN', 'PLAIN'] })
    await assert.rejects(signIn(server.relay('', 'wrong')), /535 5\.7\.8 wrong user name or password/)
    assert.deepEqual(server.attempts, ['PLAIN', 'LOGIN'])
  })

  it('gets no password where it lacks what was chosen, or offers nothing we know', async () => {
    await using one = await startSignInRelay({ mechanisms: ['PLAIN', 'LOGIN'] })
    assert.equal(await signIn(one.relay('auth=login')), 'login')
    await assert.rejects(signIn(one.relay('auth=cram-md5')), /doesn't offer CRAM-MD5.*it offers PLAIN, LOGIN/)
    await assert.rejects(signIn(one.relay('auth=xoauth2')), /doesn't offer XOAUTH2/)
    await using other = await startSignInRelay({ mechanisms: ['GSSAPI', 'NTLM'] })
    await assert.rejects(signIn(other.relay()), /it offers GSSAPI, NTLM/)
    await using none = await startSignInRelay({ mechanisms: [] })
    await assert.rejects(signIn(none.relay()), /it offers no mechanism/)
    assert.deepEqual([one.attempts, other.attempts, none.attempts], [['LOGIN'], [], []])
  })

  it('in clear hears no password where it knows CRAM-MD5', async () => {
    await using server = await startSignInRelay({ mechanisms: ['PLAIN', 'LOGIN', 'CRAM-MD5'] })
    assert.equal(await signIn({ ...server.relay(), tls: 'never' }), 'cram-md5')
    assert.deepEqual(server.attempts, ['CRAM-MD5 (in clear)'])
  })

  it('keeps us out: the mails are kept', async () => {
    await using wrong = await startSignInRelay({ mechanisms: ['CRAM-MD5'] })
    await using lacking = await startSignInRelay({ mechanisms: ['LOGIN'] })
    const relays = [wrong.relay('', 'wrong'), lacking.relay('auth=cram-md5')]
    assert.deepEqual(await send(...relays), { queued: 20 })
    assert.deepEqual([wrong.taken, lacking.taken], [[], []])
  })

  describe('by XOAUTH2', () => {
    const options = (url: string, more = '') =>
      `auth=xoauth2&token-url=${url}&client-id=paper&client-secret=s%26t${more}`
    const grant = (n: number) => ({ access_token: `token-${n}`, token_type: 'Bearer', expires_in: 3600 })

    it('gets one token for all connections, and a new one when it calls that one old', async () => {
      await using endpoint = await startTokenEndpoint(grant)
      await using server = await startSignInRelay({ mechanisms: ['PLAIN', 'XOAUTH2'] })
      server.token = 'token-1'
      const relay = server.relay(options(endpoint.url, '&refresh-token=refresh'))
      assert.deepEqual(await send(relay), { sent: 20 })
      assert.equal(await signIn(relay), 'xoauth2')
      assert.deepEqual(endpoint.asked, [
        { client_id: 'paper', client_secret: 's&t', refresh_token: 'refresh', grant_type: 'refresh_token' },
      ])
      server.token = 'token-2'
      assert.equal(await signIn(relay), 'xoauth2')
      assert.equal(endpoint.asked.length, 2)
      assert.deepEqual([...new Set(server.attempts)], ['XOAUTH2'])
    })

    it('gets a token for the client itself where there is no refresh token', async () => {
      await using endpoint = await startTokenEndpoint(grant)
      await using server = await startSignInRelay({ mechanisms: ['XOAUTH2'] })
      server.token = 'token-1'
      const scope = 'https://outlook.office365.com/.default'
      assert.equal(await signIn(server.relay(options(endpoint.url, `&scope=${scope}`))), 'xoauth2')
      const { grant_type, refresh_token, scope: asked } = endpoint.asked[0]!
      assert.deepEqual([grant_type, refresh_token || null, asked], ['client_credentials', null, scope])
    })

    it('refuses each token: it is asked for two, its words are quoted, the mails are kept', async () => {
      await using endpoint = await startTokenEndpoint(grant)
      await using server = await startSignInRelay({ mechanisms: ['XOAUTH2'] })
      const relay = server.relay(options(endpoint.url))
      await assert.rejects(signIn(relay), /"news@paper\.example" by XOAUTH2: 535 .*not accepted/)
      assert.equal(server.attempts.length, 2)
      assert.deepEqual(await send(relay), { queued: 20 })
    })

    it('has an endpoint that gives no token: its words are quoted, the mails are kept', async () => {
      await using endpoint = await startTokenEndpoint(() => ({
        error: 'invalid_grant',
        error_description: 'the refresh token was revoked',
      }))
      await using server = await startSignInRelay({ mechanisms: ['XOAUTH2'] })
      const relay = server.relay(options(endpoint.url, '&refresh-token=refresh'))
      await assert.rejects(signIn(relay), /XOAUTH2.*invalid_grant: the refresh token was revoked/)
      assert.deepEqual(await send(relay), { queued: 20 })
      assert.deepEqual(server.attempts, [])
    })
  })

  for (const reply of ['504 5.5.2 need fully-qualified hostname', '421 4.7.1 who are you?', '550 5.7.1 bad HELO'])
    it(`and answers ${reply.slice(0, 3)} to a name that isn’t whole gets one that is`, async () => {
      await using server = await startCaptureServer()
      const isWhole = (name: string) => /^(?:[a-z0-9-]+(?:\.[a-z0-9-]+)+|\[(?:IPv6:)?[0-9a-f.:]+\])$/i.test(name)
      server.fault = (step) => (step === 'ehlo' && !isWhole(server.names.at(-1)!) ? { reply } : undefined)
      const { port } = server.relay
      const environment = {
        SECRET_KEY: 'a secret for tests that is long enough',
        MAIL_FROM: 'news@paper.example',
        POSTAL_ADDRESS: '1 Harbour Street',
        SITE_NAME: 'The Paper',
        SITE_URL: 'https://paper.example',
      }
      const named = (publicUrl: string, query = '') => {
        const SMTP_URL = `smtp://127.0.0.1:${port}${query}`
        return readConfig({ ...environment, PUBLIC_URL: publicUrl, SMTP_URL }).smtp.relays[0]!
      }
      const container = named('http://4f1d2c7a9b3e:3000')
      await signIn(named('https://letters.paper.example'))
      await signIn(named('https://letters.paper.example', '?name=mail.paper.example'))
      await signIn(container)
      const names = [...new Set(server.names)]
      assert.deepEqual(names, ['letters.paper.example', 'mail.paper.example', ehloNameOf('http://4f1d2c7a9b3e:3000')])
      assert.deepEqual(await send(container, server.relay), { sent: 20 })
      await assert.rejects(signIn({ ...container, ehloName: '4f1d2c7a9b3e' }), new RegExp(reply))
    })
})

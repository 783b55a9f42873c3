// What `doctor` says of relays: what it learned from one that is well, and the relay's own words where it isn't.

import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { readConfig } from '../../src/base/config.ts'
import type { Relay } from '../../src/base/relay.ts'
import { doctor } from '../../src/commands/checks/doctor.ts'
import { checkRelay } from '../../src/commands/checks/relay-check.ts'
import type { Session } from '../../src/commands/session.ts'
import type { Database } from '../../src/db/connect.ts'
import { setAnnouncementsOff } from '../../src/delivery/announcements.ts'
import { startCaptureServer } from '../support/capture-server.ts'
import { openMigrated } from '../support/embedded.ts'
import { startSignInRelay } from '../support/sign-in-relay.ts'
import { startTlsRelay, trustTestAuthority } from '../support/tls-relay.ts'
import type { Finding } from '../../src/commands/checks/finding.ts'

trustTestAuthority()
let database: Database
before(async () => {
  database = await openMigrated()
})
after(() => database.close())

const check = async (relay: Relay, now = new Date(), isPaced = false) => {
  const found = await checkRelay({ relay, off: null, isPaced }, now)
  const of = (name: string): Finding | undefined => found.find(({ what }) => what.endsWith(name))
  return { found, relay: found[0]!, tls: of('TLS'), signIn: of('sign-in'), abilities: of('abilities') }
}

it('tells greeting, EHLO name, TLS, certificate and sign-in of a relay', async () => {
  await using server = await startSignInRelay({ mechanisms: ['CRAM-MD5'] })
  const { relay, tls, signIn } = await check(server.relay('name=letters.paper.example'))
  assert.deepEqual([relay.state, tls?.state, signIn?.state], ['ok', 'ok', 'ok'])
  assert.match(relay.found, /^greets with "220 .+"; we say EHLO letters\.paper\.example$/)
  assert.equal(tls?.found, 'TLSv1.3, certificate for localhost by Authority of the tests, until 2126-10-01')
  assert.equal(signIn?.found, 'by CRAM-MD5 as news@paper.example')
  assert.deepEqual(server.taken, [])
})

it('warns of a certificate that ends within two weeks; on this machine nothing has to be encrypted', async () => {
  await using server = await startSignInRelay({ mechanisms: ['LOGIN'] })
  const soon = await check(server.relay(), new Date('2126-09-20'))
  assert.deepEqual([soon.tls?.state, soon.tls?.fix], ['warn', 'The operator of the relay must renew it.'])
  const onLoopback = await check({ ...server.relay(), tls: 'never' })
  assert.deepEqual([onLoopback.tls?.state, onLoopback.signIn?.state], ['ok', 'ok'])
})

it('says what a relay can do, and for how long it gets no announcements', async () => {
  await using server = await startCaptureServer()
  const { abilities } = await check(server.relay)
  assert.equal(
    abilities?.found,
    'mails up to 1.0 MB; PIPELINING, so the next mail is announced right after the last one',
  )
  assert.match((await check(server.relay, new Date(), true)).abilities!.found, /no mail is announced early/)
  await using plain = await startCaptureServer({ pipelining: false })
  assert.match((await check(plain.relay)).abilities!.found, /no PIPELINING/)

  const why = 'the relay answered out of step'
  await setAnnouncementsOff(database.db, server.relay.name, why, new Date())
  const lines: string[] = []
  const config = readConfig({
    SMTP_URL: `smtp://127.0.0.1:${server.relay.port}`,
    PUBLIC_URL: 'https://letters.paper.example',
    SECRET_KEY: 'a secret for tests that is long enough',
    MAIL_FROM: 'news@paper.example',
    POSTAL_ADDRESS: '1 Harbour Street',
    SITE_NAME: 'The Paper',
    SITE_URL: 'https://paper.example',
  })
  const session = {
    out: { print: (line: string) => lines.push(line) },
    config: () => config,
    open: async () => ({ ctx: { db: database.db }, database: { kind: 'embedded' } }),
  } as unknown as Session
  const nothing = { resolveTxt: async () => [], resolveMx: async () => [] }
  await doctor(session, {}, nothing)
  const line = lines.find((each) => each.includes('abilities'))!
  assert.match(line, new RegExp(`^warn .*no mail is announced .* for a day from .*: ${why}$`))
})

it('quotes the relay where it refuses, and says what to do', async () => {
  await using server = await startSignInRelay({ mechanisms: ['PLAIN'] })
  const refused = await check(server.relay('', 'wrong'))
  assert.deepEqual([refused.found.length, refused.relay.state], [1, 'fail'])
  assert.match(refused.relay.found, /^the relay refused to sign in "news@paper\.example" by PLAIN: 535 5\.7\.8 wrong/)
  assert.match(refused.relay.fix!, /password/)
  assert.match(refused.relay.quote!.join('\n'), /^< 220 [^]*> EHLO [^]*\n {2}250.AUTH PLAIN[^]*< 535 5\.7\.8 wrong/)
  assert.ok(!refused.relay.quote!.join().includes(Buffer.from('wrong').toString('base64').slice(0, 6)))

  await using capture = await startCaptureServer()
  capture.fault = (step) => (step === 'ehlo' ? { reply: '504 5.5.2 need a full name' } : undefined)
  const unnamed = await check(capture.relay)
  assert.match(unnamed.relay.found, /504 5\.5\.2 need a full name/)
  assert.match(unnamed.relay.fix!, /\?name=/)

  await using encrypted = await startTlsRelay(capture.relay.port)
  const over = { ...capture.relay, host: 'localhost', port: encrypted.port, tls: 'required' as const }
  for (const [fault, words] of [
    ['expired', /^certificate has expired$/],
    ['unknown', /^self-signed certificate/],
    ['old', /^TLS: tlsv1 alert protocol version$/],
    ['refused', /454 4\.7\.0 TLS not available/],
  ] as const) {
    encrypted.fault = () => fault
    const { relay } = await check(over)
    assert.match(relay.found, words)
    assert.match(relay.fix!, /TLS/)
    assert.equal(relay.quote![0], '< 220 localhost ESMTP')
  }

  const gone = await startCaptureServer()
  await gone.close()
  const down = await check(gone.relay)
  assert.match(down.relay.found, /ECONNREFUSED/)
  assert.deepEqual(down.relay.quote, [])
})

// The next mail is announced behind the final dot of the last one (RFC 2920 §3.1): what a connection and a worker make of it.

import assert from 'node:assert/strict'
import type net from 'node:net'
import { it } from 'node:test'
import { sql } from 'kysely'
import { Announcements, findAnnouncementsOff } from '../../src/delivery/announcements.ts'
import { SmtpConnection } from '../../src/delivery/smtp-connection.ts'
import { startCaptureServer } from '../support/capture-server.ts'
import { openMigrated } from '../support/embedded.ts'
import { envelope, letter, polite, quick, startScriptedRelay } from '../support/scripted-relay.ts'
import { countStates, makeWorker, planEdition, sendingConfig } from '../support/sending.ts'
import { waitFor } from '../support/wait-for.ts'

const commands = (lines: readonly string[]) => lines.map((line) => line.split(' ')[0]).filter((verb) => verb !== 'EHLO')

async function open(answer: (line: string, socket: net.Socket) => string) {
  const server = await startScriptedRelay(answer)
  const ends: string[] = []
  const announcements = new Announcements(null, (why) => ends.push(why))
  const connection = await SmtpConnection.open(server.relay, quick, { announcements })
  const close = () => {
    connection.close('over')
    server[Symbol.dispose]()
  }
  return { server, connection, announcements, ends, [Symbol.dispose]: close }
}

const next = { ...envelope, to: 'eve@b.example' }

it('the envelope of the next mail is there before the dot is answered, and its body only after it was sent for', async () => {
  // Busy with the message, it answers nothing that follows before it has answered the dot.
  let held: string[] | null = null
  let relaySocket: net.Socket | null = null
  const answerDot = () => {
    relaySocket!.write(`${['250 taken', ...held!].join('\r\n')}\r\n`)
    held = null
  }
  using world = await open((line, socket) => {
    relaySocket = socket
    if (line === '.') held = []
    else if (held) held.push(polite(line))
    else return polite(line)
    return ''
  })
  const { connection, server } = world
  let isAnnounced = false
  const first = connection.send(envelope, letter, { written: () => (isAnnounced = connection.announce(next)) })
  await waitFor(() => server.lines.at(-1) === 'DATA' && server.lines.includes('.'))
  assert.equal(isAnnounced, true)
  assert.equal(connection.announce({ ...next }), false, 'one at a time')
  answerDot()
  assert.equal((await first).isAccepted, true)
  const second = connection.send(next, letter)
  await waitFor(() => server.lines.at(-1) === '.')
  answerDot()
  assert.equal((await second).isAccepted, true)
  const envelopeAndDot = ['MAIL', 'RCPT', 'DATA', '.']
  assert.deepEqual(commands(server.lines), [...envelopeAndDot, ...envelopeAndDot])
  assert.deepEqual(world.ends, [])
})

it('one connection alone makes a relay’s first announcement; one that was taken back leaves that to another', () => {
  const announcements = new Announcements(null, () => {})
  assert.deepEqual([announcements.begin(), announcements.begin()], [true, false])
  announcements.withdrawn()
  assert.deepEqual([announcements.begin(), announcements.begin()], [true, false])
  announcements.answered()
  assert.deepEqual([announcements.begin(), announcements.begin()], [true, true])
})

for (const [how, takeBack] of [
  ['closing', (connection: SmtpConnection) => connection.close('paused')],
  ['saying goodbye', (connection: SmtpConnection) => connection.quit()],
] as const)
  it(`${how} takes an announcement back: the relay gets no word as content, and isn’t blamed`, async () => {
    using world = await open(polite)
    const { connection, server } = world
    await connection.send(envelope, letter, { written: () => connection.announce(next) })
    takeBack(connection)
    assert.equal(connection.isOpen, false)
    await waitFor(() => commands(server.lines).length >= 7)
    assert.deepEqual(commands(server.lines), ['MAIL', 'RCPT', 'DATA', '.', 'MAIL', 'RCPT', 'DATA'])
    assert.deepEqual([world.ends, world.announcements.begin()], [[], true])
  })

for (const [what, wrong] of [
  ['2xx to DATA', { DATA: '250 ok' }],
  ['354 to RCPT', { RCPT: '354 go on' }],
  ['354 to MAIL', { MAIL: '354 go on' }],
] as [string, Record<string, string>][])
  it(`${what}, announced: the mail goes back without an attempt, and that relay gets no more announcements`, async () => {
    let mails = 0
    using world = await open((line) => {
      const verb = line.split(/[ :]/)[0]!
      if (verb === 'MAIL') mails++
      return (mails > 1 && wrong[verb]) || polite(line)
    })
    const { connection } = world
    const first = await connection.send(envelope, letter, { written: () => connection.announce(next) })
    const second = await connection.send(next, letter)
    assert.deepEqual([first.isAccepted, second.isAccepted, second.isUntouched], [true, false, true])
    assert.equal(connection.isOpen, false)
    assert.deepEqual([world.ends.length, world.announcements.begin()], [1, false])
  })

it('a relay that says 250 and closes at once has taken the mail; the announced one goes back, and it gets no more', async () => {
  using world = await open((line, socket) => {
    if (line !== '.') return polite(line)
    socket.end('250 taken\r\n')
    return ''
  })
  const { connection } = world
  const first = await connection.send(envelope, letter, { written: () => connection.announce(next) })
  assert.equal(first.isAccepted, true)
  await waitFor(() => !connection.isOpen)
  assert.equal((await connection.send(next, letter)).isUntouched, true)
  assert.deepEqual([world.ends.length, world.announcements.begin()], [1, false])
})

it('a refused recipient with 354 behind it ends that mail only', async () => {
  let recipients = 0
  using world = await open((line) =>
    line.startsWith('RCPT') && ++recipients === 2 ? '550 5.1.1 nobody' : polite(line),
  )
  const { connection, server } = world
  await connection.send(envelope, letter, { written: () => connection.announce(next) })
  const refused = await connection.send(next, letter)
  assert.deepEqual([refused.stage, refused.reply?.code], ['rcpt', 550])
  assert.equal((await connection.send(envelope, letter)).isAccepted, true)
  assert.equal(commands(server.lines).at(-5), 'RSET')
  assert.deepEqual(world.ends, [])
})

const addresses = Array.from({ length: 300 }, (_, i) => `reader${i}@a${i % 7}.example`)
const config = { ...sendingConfig, smtp: { ...sendingConfig.smtp, connections: 3 } }

it('a worker announces, and still each mail goes once; a relay of one connection that can’t is remembered', async () => {
  const database = await openMigrated()
  await using server = await startCaptureServer()
  server.fault = (step) => (step === 'dot' ? { delayMs: 3 } : undefined)
  const edition = await planEdition(database, addresses)
  await makeWorker(database, [server.relay], { config }).runOnce()
  assert.deepEqual(server.captured.map((mail) => mail.to).sort(), addresses.toSorted())
  assert.deepEqual(await countStates(database, edition), { sent: 300 })
  assert.equal(await findAnnouncementsOff(database.db, server.relay.name, new Date()), null)
  await database.close()
})

it('anyone who unsubscribes, and everyone once the edition is paused, gets nothing of what was announced', async () => {
  const database = await openMigrated()
  await using server = await startCaptureServer()
  server.fault = (step) => (step === 'dot' ? { delayMs: 3 } : undefined)
  const edition = await planEdition(database, addresses)
  let left: string[] = []
  server.onMail = async () => {
    if (server.captured.length === 100) {
      const rows = await sql<{ email: string }>`
        update subscribers set status = 'unsubscribed' where id % 2 = 0 returning email`.execute(database.db)
      const had = new Set(server.captured.map((mail) => mail.to))
      left = rows.rows.map((row) => row.email).filter((email) => !had.has(email))
      assert.ok(left.length > 50)
    }
    if (server.captured.length === 160) {
      await sql`update editions set state = 'paused' where id = ${edition}`.execute(database.db)
      pausedAt = server.captured.length
    }
  }
  let pausedAt = 0
  await makeWorker(database, [server.relay], { config }).runOnce()
  const got = new Set(server.captured.map((mail) => mail.to))
  assert.equal(got.size, server.captured.length)
  // At most what was on the wire at that moment, one mail per connection.
  assert.ok(left.filter((email) => got.has(email)).length <= 3)
  assert.ok(server.captured.length <= pausedAt + 3)
  const { sent, skipped } = await countStates(database, edition)
  assert.equal(sent, server.captured.length)
  assert.ok(skipped! > 0)
  await database.close()
})

// The mailbox of INBOUND_IMAP, read from a real IMAP server: what is ours is kept, then moved; what isn't stays.

import assert from 'node:assert/strict'
import { doctorImap } from '../../src/commands/checks/inbound-check.ts'
import { deliveryToken, returnPath } from '../../src/delivery/return-path.ts'
import { type ImapState, imapStateKey, startImap } from '../../src/inbound/imap.ts'
import { doneFolder } from '../../src/inbound/imap-session.ts'
import { holdLease } from '../../src/db/leases.ts'
import { findSetting } from '../../src/db/settings.ts'
import { readConfig } from '../../src/base/config.ts'
import { type House, story, testSecret } from '../support/house.ts'
import { ImapServer } from '../support/imap-server.ts'
import { trustTestAuthority } from '../support/tls-relay.ts'
import { waitFor } from '../support/wait-for.ts'

trustTestAuthority()
const env = { BOUNCE_DOMAIN: 'bounces.example' }
const times = { graceMs: 500, renewMs: 50, backoffMs: () => 50 }

/** A bounce of our delivery; with a forged return path, one of somebody else's. */
function bounce(deliveryId: number, secret = testSecret): string {
  return `Return-Path: <>
Delivered-To: ${returnPath([secret], 'bounces.example', deliveryId)}
From: MAILER-DAEMON@paper.example
Subject: Undelivered mail
Content-Type: text/plain

<ada@paper.example>: 550 5.1.1 user unknown
`
}
const letter = 'From: ada@paper.example\nSubject: A question\n\nIs 550 5.1.1 a good restaurant?\n'
const start = ({ ctx }: House, server: ImapServer, folder?: string) =>
  startImap(ctx, readConfig({ INBOUND_IMAP: server.url(folder) }).inbound.imap!, times)
const kept = async ({ db }: House) =>
  (await db.selectFrom('inboundEvents').select(['source', 'raw']).orderBy('id').execute()).map(({ source, raw }) => {
    assert.equal(source, 'imap')
    return Buffer.from(raw!).toString()
  })
const state = async ({ db }: House) => (await findSetting<ImapState>(db, imapStateKey))?.problem

story(
  'what is ours is moved after its row is committed, what is not stays untouched, and new mail is heard of by IDLE',
  async (house) => {
    await using server = await new ImapServer().listen()
    const rowsAtMove: number[] = []
    server.before = async (command) => {
      if (command.startsWith('UID MOVE')) rowsAtMove.push((await kept(house)).length)
    }
    server.deliver(bounce(1))
    server.deliver(letter)
    server.deliver(bounce(2, 'another-secret-that-is-as-long-as-ours'))
    server.deliver(bounce(3))
    server.deliver(bounce(4), { at: new Date(house.clock.now().getTime() - 40 * 86_400_000) })
    const stop = await startedAt(house, server)
    await waitFor(() => server.uidsIn(doneFolder).length === 2)
    await waitFor(() => server.commands.at(-1) === 'IDLE')
    // Sent on by a provider with an envelope of its own: our header names it.
    const header = `X-Broadsheet-Delivery: ${deliveryToken([testSecret], 5)}`
    const named = `${bounce(5, 'another-secret-that-is-as-long-as-ours')}\n--- returned ---\n\n${header}\nSubject: News\n`
    server.deliver(named)
    await waitFor(() => server.uidsIn(doneFolder).length === 3)
    await stop()
    assert.deepEqual(server.uidsIn(doneFolder), [1, 4, 6])
    assert.deepEqual(server.uidsIn('Bounces'), [2, 3, 5])
    for (const { flags } of server.folders.get('Bounces')!) assert.equal(flags.size, 0)
    assert.deepEqual(rowsAtMove, [1, 2, 3])
    assert.deepEqual(
      await kept(house),
      [bounce(1), bounce(3), named].map((text) => text.replaceAll('\n', '\r\n')),
    )
    await waitFor(() => server.connections === 0)
    assert.equal(await state(house), null)
    // Who starts again reads only what is new.
    const before = server.commands.length
    const stopAgain = await startedAt(house, server)
    server.deliver(bounce(7))
    await waitFor(() => server.uidsIn(doneFolder).length === 4)
    await stopAgain()
    const fetched = server.commands.slice(before).filter((command) => command.startsWith('UID FETCH'))
    assert.deepEqual(
      fetched.map((command) => command.split(' ')[2]),
      ['7'],
    )
  },
  { env },
)

async function startedAt(house: House, server: ImapServer): Promise<() => Promise<void>> {
  const stop = start(house, server)
  await waitFor(() => server.commands.some((command) => command.startsWith('UID SEARCH')))
  return stop
}

story(
  'a database that fails leaves the mail where it is; a mail that is there twice is kept once',
  async (house) => {
    await using server = await new ImapServer().listen()
    server.deliver(bounce(1))
    server.deliver(bounce(1))
    await house.db.schema.alterTable('inbound_events').renameTo('gone').execute()
    const stop = await startedAt(house, server)
    await waitFor(async () => typeof (await state(house)) === 'string')
    assert.deepEqual(server.uidsIn('Bounces'), [1, 2])
    await house.db.schema.alterTable('gone').renameTo('inbound_events').execute()
    await waitFor(() => server.uidsIn(doneFolder).length === 2)
    await stop()
    assert.equal((await kept(house)).length, 1)
    assert.equal(await state(house), null)
  },
  { env },
)

story(
  'without MOVE, or without a folder to move to, what is ours is marked as read and not read again',
  async (house) => {
    for (const [isAble, folder] of [
      ['move', 'Bounces'],
      ['create', 'INBOX'],
    ] as const) {
      await using server = await new ImapServer().listen()
      if (isAble === 'create') server.mayCreate = false
      else server.capabilities = ['IMAP4rev1', 'IDLE']
      const ours = server.deliver(bounce(1), { folder })
      const theirs = server.deliver(letter, { folder })
      const stop = start(house, server, folder)
      await waitFor(() => ours.flags.has('\\Seen'))
      await waitFor(() => server.commands.some((each) => each.startsWith('UID FETCH 2')))
      await stop()
      assert.equal(theirs.flags.size, 0)
      assert.deepEqual(server.uidsIn(folder), [1, 2])
      assert.ok(!server.commands.some((command) => /^(UID )?(COPY|EXPUNGE|MOVE)|Deleted/.test(command)))
      const stopAgain = start(house, server, folder)
      await waitFor(() => server.commands.filter((each) => each.startsWith('UID SEARCH')).length >= 2)
      await stopAgain()
      assert.equal(server.commands.filter((each) => each.startsWith('UID FETCH')).length, 2)
    }
  },
  { env },
)

story(
  'a connection that breaks, a server that is away or refuses, a folder that is begun anew: read again when it can be',
  async (house) => {
    await using server = await new ImapServer().listen()
    const stop = await startedAt(house, server)
    server.hangUp()
    server.deliver(bounce(1))
    await waitFor(() => server.uidsIn(doneFolder).length === 1)
    await server.close()
    await waitFor(async () => /refused|ended|closed/i.test((await state(house)) ?? ''))
    // As if it was made from a backup: the UIDs begin again.
    server.uidValidity = 2
    server.folders.set('Bounces', [])
    server.deliver(bounce(2)).uid = 1
    await server.listen()
    await waitFor(() => server.uidsIn(doneFolder).length === 2)
    await stop()
    assert.equal((await kept(house)).length, 2)
    const wrong = { ...readConfig({ INBOUND_IMAP: server.url() }).inbound.imap!, password: 'guess' }
    const stopWrong = startImap(house.ctx, wrong, times)
    await waitFor(async () => /refuses the user name or the password/.test((await state(house)) ?? ''))
    await stopWrong()
  },
  { env },
)

story(
  'one process at a time reads; the next takes over when it ends',
  async (house) => {
    await using server = await new ImapServer().listen()
    const stop = await startedAt(house, server)
    const stopSecond = start(house, server)
    assert.equal(await holdLease(house.db, 'inbound-imap', 'somebody else', 60), false)
    server.deliver(bounce(1))
    await waitFor(() => server.uidsIn(doneFolder).length === 1)
    assert.equal(server.commands.filter((command) => command === 'LOGIN').length, 1)
    await stop()
    server.deliver(bounce(2))
    await waitFor(() => server.uidsIn(doneFolder).length === 2)
    await stopSecond()
    assert.equal(server.commands.filter((command) => command === 'LOGIN').length, 2)
  },
  { env },
)

story(
  'a server that falls silent does not keep the program from ending, and its mail is read later',
  async (house) => {
    await using server = await new ImapServer().listen()
    server.before = (command) => (command.startsWith('UID FETCH') ? new Promise(() => {}) : Promise.resolve())
    server.deliver(bounce(1))
    const stop = start(house, server)
    await waitFor(() => server.commands.some((command) => command.startsWith('UID FETCH')))
    await stop()
    server.before = async () => {}
    const stopAgain = start(house, server)
    await waitFor(() => server.uidsIn(doneFolder).length === 1)
    await stopAgain()
  },
  { env },
)

story('doctor signs in and opens the folder, and changes nothing', async () => {
  await using server = await new ImapServer().listen()
  const check = (folder?: string) => doctorImap(readConfig({ INBOUND_IMAP: server.url(folder) }).inbound.imap!)
  assert.deepEqual([(await check()).state, (await check('Nowhere')).state], ['ok', 'fail'])
  server.deliver(bounce(1))
  assert.match((await check()).found, /1 mail/)
  assert.ok(!server.commands.some((command) => /CREATE|STORE|MOVE/.test(command)))
  await server.close()
  assert.match((await check()).found, /refused/)
})

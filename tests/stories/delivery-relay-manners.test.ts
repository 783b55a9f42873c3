// Relays that take mail, and have manners of their own around the final dot.

import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { sql } from 'kysely'
import type { Database } from '../../src/db/connect.ts'
import { findAnnouncementsOff } from '../../src/delivery/announcements.ts'
import { type CaptureServer, startCaptureServer } from '../support/capture-server.ts'
import { openMigrated } from '../support/embedded.ts'
import { countOutcomes, makeWorker, planEdition, sendingConfig } from '../support/sending.ts'
import { waitFor } from '../support/wait-for.ts'

const connections = 4
const config = { ...sendingConfig, smtp: { ...sendingConfig.smtp, connections } }
const readers = Array.from({ length: 40 }, (_, i) => `reader${i}@a${i % 10}.example`)
const taken = '250 2.0.0 Ok: taken'
/** What a client says when all is well. */
const verbs = ['DATA', 'EHLO', 'MAIL', 'QUIT', 'RCPT']

describe('a relay that', () => {
  let database: Database
  let server: CaptureServer
  let edition: number
  before(async () => {
    database = await openMigrated()
  })
  beforeEach(async () => {
    await sql`truncate deliveries, editions, subscribers, edition_counts, workers cascade`.execute(database.db)
    server = await startCaptureServer()
    edition = await planEdition(database, readers)
  })
  afterEach(() => server.close())
  after(() => database.close())

  /** Runs until nothing is left, without the wait before a retry. */
  const sendAll = async () => {
    for (let runs = 0; runs < 20; runs++) {
      await makeWorker(database, [server.relay], { config }).runOnce()
      const due = await sql`update deliveries set next_attempt_at = now() where next_attempt_at is not null`.execute(
        database.db,
      )
      if (!due.numAffectedRows) return
    }
    assert.fail('still open after 20 runs')
  }
  /** Everybody has their own mail, whole and nothing else in it, and the account says so. Returns how many came twice. */
  const judge = async (): Promise<number> => {
    for (const { to, message } of server.captured) {
      assert.equal(message.match(/^Hello .*$/gm)?.join(), `Hello ${to},`)
      assert.doesNotMatch(message, /^(?:MAIL|RCPT|DATA|RSET|QUIT)\b/m)
    }
    const receivers = new Set(server.captured.map((mail) => mail.to))
    assert.deepEqual([...receivers].sort(), [...readers].sort())
    assert.deepEqual(await countOutcomes(database, edition), { sent: readers.length })
    const unknown = [...server.seen.keys()].filter((verb) => !verbs.includes(verb))
    assert.deepEqual(unknown, [], 'a message was sent as commands')
    return server.captured.length - receivers.size
  }
  const mostAttempts = async () => {
    const { rows } = await sql<{ most: number }>`select max(attempt)::int as most from deliveries`.execute(database.db)
    return rows[0]!.most
  }

  it('answers the dot twice gets each mail once', async () => {
    server.fault = (step) => (step === 'dot' ? { reply: `${taken}\r\n${taken}`, stored: true } : undefined)
    await sendAll()
    assert.equal(await judge(), 0)
    assert.equal(await mostAttempts(), 1)
  })

  it('says 421 to an idle connection gets the next mails on another one', async () => {
    const worker = makeWorker(database, [server.relay], { config })
    const [half, all] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    server.onMail = () => {
      if (server.captured.length === readers.length / 2) half.resolve()
      if (server.captured.length === readers.length) all.resolve()
    }
    await sql`update deliveries set next_attempt_at = null where id % 2 = 0`.execute(database.db)
    await worker.start()
    await half.promise
    const before = server.connections
    await waitFor(async () => (await countOutcomes(database, edition)).sent === readers.length / 2)
    server.say('421 4.4.2 idle for too long')
    await sql`update deliveries set next_attempt_at = now() where state = 'queued'`.execute(database.db)
    worker.wake()
    await all.promise
    await worker.stop()
    assert.equal(await judge(), 0)
    assert.ok(server.connections > before)
  })

  it('says 250 to the dot and closes at once gets each mail once', async () => {
    server.fault = (step) => (step === 'dot' ? { reply: taken, stored: true, hangUp: true } : undefined)
    await sendAll()
    assert.equal(await judge(), 0)
  })

  it('closes at once, so that its 250 is lost when something follows the dot, doubles a mail per connection at most', async () => {
    server.dotMs = 10
    server.fault = (step, _mail, isAnnounced) => {
      if (step !== 'dot') return undefined
      return isAnnounced ? { hangUp: true, stored: true } : { reply: taken, stored: true, hangUp: true }
    }
    await sendAll()
    const doubled = await judge()
    assert.ok(doubled > 0 && doubled <= connections, `${doubled} doubled`)
    assert.match((await findAnnouncementsOff(database.db, server.relay.name, new Date()))!.why, /closed|reset/i)
  })

  it('discards what follows the dot gets each mail once', async () => {
    server.dotMs = 10
    let discarded = 0
    server.fault = (step, _mail, isAnnounced) => {
      if (step === 'dot' && isAnnounced) discarded++
      return step === 'dot' ? { discards: true } : undefined
    }
    await sendAll()
    assert.equal(await judge(), 0)
    assert.equal(discarded, 1, 'one connection alone tries it')
    assert.equal(await mostAttempts(), 1)
  })

  for (const [step, reply] of [
    ['data', '250 2.0.0 Ok'],
    ['mail', '354 go on'],
    ['rcpt', '354 go on'],
  ] as const)
    it(`answers an announced ${step.toUpperCase()} with ${reply.slice(0, 3)} gets each mail once, and no mail as commands`, async () => {
      server.dotMs = 10
      let wrong = 0
      server.fault = (at, _mail, isAnnounced) => {
        if (at !== step || !isAnnounced) return undefined
        wrong++
        return { reply }
      }
      await sendAll()
      assert.equal(await judge(), 0)
      assert.equal(wrong, 1, 'one connection alone tries it')
      assert.equal(await mostAttempts(), 1)
    })
})

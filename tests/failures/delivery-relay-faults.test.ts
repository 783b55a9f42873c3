// A relay that misbehaves in every way that SMTP knows, on real Postgres. What is lost must be nothing, what is doubled only what
// was taken without an answer.

import assert from 'node:assert/strict'
import { after, describe } from 'node:test'
import { sql } from 'kysely'
import type { Relay } from '../../src/base/relay.ts'
import type { Fault, Step } from '../support/capture-server.ts'
import { isLong, makeRow } from '../support/fault-rows.ts'
import type { FaultWorld } from '../support/fault-world.ts'
import { startRestartablePostgres } from '../support/restartable-postgres.ts'
import { startTlsRelay, type TlsFault, tlsFaults, trustTestAuthority } from '../support/tls-relay.ts'
import { testConnections } from '../support/worker-process.ts'

const postgres = await startRestartablePostgres()
const row = makeRow(postgres)
trustTestAuthority()
const readers = 100
/** Shorter than RFC 5321's, and long enough for a machine that is busy. */
const quick = { connectSeconds: 10, commandSeconds: 5, dotSeconds: 5 }

/** Misbehaves once per recipient in `victims`. */
function onceFor(world: FaultWorld, victims: ReadonlySet<string>, step: Step, fault: Fault): void {
  const left = new Set(victims)
  world.server.fault = (at, mail) => (at === step && left.delete(mail.to) ? fault : undefined)
}

const suppressed = async (world: FaultWorld) =>
  (await world.database.db.selectFrom('suppressions').select('email').execute()).map((line) => line.email).sort()

describe('a relay that', { concurrency: isLong ? 2 : 1 }, () => {
  after(() => postgres?.remove())

  for (const step of ['connect', 'ehlo', 'mail'] as const)
    row(`hangs up at ${step.toUpperCase()}, at random: nothing is lost or doubled`, { readers }, async (world) => {
      world.server.fault = (at) => (at === step && world.random() < 0.1 ? { hangUp: true } : undefined)
      await world.sendAll()
      return { doubled: await world.judge(0) }
    })

  for (const step of ['rcpt', 'data', 'body'] as const)
    row(`hangs up at ${step.toUpperCase()}: nothing is lost or doubled`, { readers }, async (world) => {
      onceFor(world, world.some(0.1), step, { hangUp: true })
      await world.sendAll()
      return { doubled: await world.judge(0) }
    })

  for (const how of ['hangUp', 'silent'] as const)
    for (const stored of [false, true]) {
      const does = how === 'hangUp' ? 'hangs up' : 'falls silent'
      const means = stored
        ? 'having taken the mail: those are doubled'
        : 'not having taken the mail: nothing is doubled'
      row(`${does} at the dot, ${means}`, { readers, isShort: how === 'hangUp' }, async (world) => {
        const victims = new Set([...world.some(0.1)].slice(0, testConnections))
        onceFor(world, victims, 'dot', { [how]: true, stored } as Fault)
        await world.sendAll(how === 'silent' ? { timeouts: quick } : {})
        const doubled = await world.judge(stored ? victims.size : 0)
        assert.equal(doubled, stored ? victims.size : 0)
        return { doubled, words: `${victims.size} in doubt` }
      })
    }

  row(
    'closes right after 250, and loses the 250 when something follows the dot: at most one mail a connection is doubled',
    { readers, isShort: true },
    async (world) => {
      const taken = '250 2.0.0 Ok: taken'
      world.server.dotMs = 5
      world.server.fault = (at, _mail, isAnnounced) => {
        if (at !== 'dot') return undefined
        return isAnnounced ? { hangUp: true, stored: true } : { reply: taken, stored: true, hangUp: true }
      }
      await world.sendAll()
      return { doubled: await world.judge(testConnections) }
    },
  )

  row('discards what follows the dot: nothing is lost or doubled', { readers, isShort: true }, async (world) => {
    world.server.dotMs = 5
    world.server.fault = (at) => (at === 'dot' ? { discards: true } : undefined)
    await world.sendAll()
    return { doubled: await world.judge(0) }
  })

  row(
    'answers announcements wrongly, each time in another way: nothing is lost or doubled',
    { readers, isShort: true },
    async (world) => {
      const wrong = { mail: '354 go on', rcpt: '354 go on', data: '250 2.0.0 Ok' }
      const steps = Object.keys(wrong) as (keyof typeof wrong)[]
      world.server.dotMs = 5
      world.server.fault = (at, _mail, isAnnounced) => {
        const step = steps[Math.floor(world.random() * steps.length)]!
        return isAnnounced && at === step ? { reply: wrong[step] } : undefined
      }
      await world.sendAll()
      return { doubled: await world.judge(0) }
    },
  )

  row('falls silent at RCPT: nothing is lost or doubled', { readers }, async (world) => {
    onceFor(world, new Set([...world.some(0.1)].slice(0, 4)), 'rcpt', { silent: true })
    await world.sendAll({ timeouts: quick })
    return { doubled: await world.judge(0) }
  })

  row(
    'has something wrong with its TLS, each time another: nothing goes in clear',
    { readers, isShort: true },
    async (world) => {
      const relay = await startTlsRelay(world.server.relay.port)
      const relays: Relay[] = [{ ...world.server.relay, host: 'localhost', port: relay.port, tls: 'required' }]
      // What is slipped in before TLS is discarded, so that such a relay gets its mail.
      const fatal = tlsFaults.filter((fault) => fault !== 'injected')
      const anyOf = (faults: readonly TlsFault[]) => faults[Math.floor(world.random() * faults.length)]!
      try {
        relay.fault = () => anyOf(fatal)
        await world.send({ relays })
        assert.equal(world.stored().length, 0)
        // Well now and then: its mails go through, the others are kept for it.
        relay.fault = () => (world.random() < 0.5 ? null : anyOf(tlsFaults))
        const runs = await world.sendAll({ relays })
        assert.deepEqual(
          relay.inClear.filter((line) => !/^(?:EHLO \S+|STARTTLS|QUIT)$/.test(line)),
          [],
        )
        return { doubled: await world.judge(0), words: `${runs} runs` }
      } finally {
        await relay.close()
      }
    },
  )

  row('takes its time after the dot: it is waited for', { readers }, async (world) => {
    onceFor(world, new Set([...world.some(0.1)].slice(0, 6)), 'dot', { delayMs: 700 })
    await world.sendAll({ timeouts: { ...quick, dotSeconds: 30 } })
    return { doubled: await world.judge(0) }
  })

  row('says 421 now and then, and ends connections after 30 mails', { readers, isShort: true }, async (world) => {
    let mails = 0
    const steps = ['mail', 'rcpt', 'data', 'dot'] as const
    world.server.fault = (at) => {
      if (at === 'mail' && ++mails % 30 === 0) return { reply: '421 4.7.0 too many mails on this connection' }
      const isStep = at === steps[Math.floor(world.random() * 4)]
      return isStep && world.random() < 0.02 ? { reply: '421 4.3.2 shutting down' } : undefined
    }
    await world.sendAll()
    return { doubled: await world.judge(0) }
  })

  row('puts off three in ten, at random: all arrive in the end', { readers, isShort: true }, async (world) => {
    world.server.fault = (at) => {
      if ((at !== 'rcpt' && at !== 'dot') || world.random() > 0.16) return undefined
      return { reply: world.random() < 0.5 ? '451 4.3.0 not now' : '450 4.2.1 busy' }
    }
    const runs = await world.sendAll()
    return { doubled: await world.judge(0), words: `${runs} runs` }
  })

  row('greylists: the second try goes through, nobody is suppressed', { readers }, async (world) => {
    onceFor(world, new Set(world.audience), 'rcpt', { reply: '450 4.2.0 Greylisted, see you in a minute' })
    await world.sendAll()
    const tries = await sql<{ most: number }>`select max(attempt)::int as most from deliveries`.execute(
      world.database.db,
    )
    assert.equal(tries.rows[0]!.most, 2)
    assert.deepEqual(await suppressed(world), [])
    return { doubled: await world.judge(0) }
  })

  row('knows one in twenty no more: exactly those are suppressed, at the first try', { readers }, async (world) => {
    const dead = world.some(0.05)
    const full = new Set([...world.some(0.05)].filter((address) => !dead.has(address)))
    let asked = 0
    world.server.fault = (at, { to }) => {
      if (at !== 'rcpt') return undefined
      if (dead.has(to)) asked++
      if (dead.has(to)) return { reply: '550 5.1.1 <x>: Recipient address rejected: User unknown' }
      return full.has(to) ? { reply: '552 5.2.2 The recipient is over quota' } : undefined
    }
    await world.sendAll()
    assert.deepEqual(await suppressed(world), [...dead].sort())
    assert.equal(asked, dead.size)
    const failed = dead.size + full.size
    const account = { sent: readers - failed, ...(failed ? { failed } : {}) }
    return { doubled: await world.judge(0, account), words: `${dead.size} suppressed` }
  })

  row('draws one mail in forty into the tar: the others go on', { readers, isShort: true }, async (world) => {
    let mails = 0
    const slow = new Set<string>()
    world.server.fault = (at, { to }) => {
      if (at === 'rcpt' && ++mails % 40 === 0) slow.add(to)
      return slow.has(to) && at !== 'body' ? { delayMs: 500 } : undefined
    }
    await world.sendAll()
    return { doubled: await world.judge(0), words: `${slow.size} slow mails` }
  })

  row('answers with nonsense, or with two replies at once', { readers }, async (world) => {
    onceFor(world, world.some(0.1), 'rcpt', { reply: 'HTTP/1.1 400 Bad Request' })
    await world.sendAll()
    return { doubled: await world.judge(0) }
  })

  row(
    'is an hour ahead or behind, or this machine is: leases and retries run by the database',
    { readers },
    async (world) => {
      const offset = Math.round((world.random() - 0.5) * 2 * 86_400_000)
      onceFor(world, world.some(0.2), 'rcpt', { reply: '450 4.2.0 later' })
      await world.sendAll({ clock: { now: () => new Date(Date.now() + offset) } })
      return { doubled: await world.judge(0), words: `${Math.round(offset / 60_000)} minutes off` }
    },
  )
})

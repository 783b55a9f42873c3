// kill -9 of a delivery worker at each step, on real Postgres with fsync on: half way through an edition it dies, another one
// takes over, and at the end everybody has the mail once, but for what was on the wire. `npm run test:faults` runs each row 20
// times; the seed of each round is printed, FAULT_SEED runs it again.

import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { FaultWorld, openFaultDatabase, type Random, seededRandom } from '../support/fault-world.ts'
import { startRestartablePostgres } from '../support/restartable-postgres.ts'
import { testConnections, testLeaseSeconds } from '../support/worker-process.ts'

const rounds = Number(process.env.FAULT_ROUNDS ?? 1)
const isLong = rounds > 1
const audience = Array.from({ length: 300 }, (_, i) => `reader${i}@a${i % 7}.example`)
const firstSeed = Number(process.env.FAULT_SEED ?? Date.now() % 1_000_000)
const postgres = await startRestartablePostgres()
const options = { skip: postgres ? false : 'no Postgres found', concurrency: isLong ? 3 : 2 }
let databases = 0

/** A row of the matrix: its own database, as many rounds as asked for. `isShort`: also part of npm test. */
function row(name: string, run: (world: FaultWorld) => Promise<string | void>, isShort = true): void {
  const skip = isShort || isLong ? false : 'only in npm run test:faults'
  it(name, { skip }, async (test) => {
    const at = await openFaultDatabase(postgres!.url, `faults_${databases++}`)
    for (let round = 0; round < rounds; round++) {
      const seed = firstSeed + round
      const random: Random = seededRandom(seed)
      const world = await new FaultWorld(at, audience, random).open()
      try {
        test.diagnostic(`seed ${seed}: ${(await run(world)) ?? 'as it should be'}`)
      } catch (cause) {
        throw new Error(`round ${round + 1} of ${rounds}, FAULT_SEED=${seed}: ${(cause as Error).message}`, { cause })
      } finally {
        await world.close()
      }
    }
    await at.database.close()
  })
}

/** Where the worker is killed, told by what the relay sees. `kill` may be called more than once. */
const moments: Record<string, { arrange: (world: FaultWorld, kill: () => void) => void; isShort?: boolean }> = {
  'at a random instant': {
    arrange: (world, kill) => {
      const wanted = world.somewhere()
      world.server.onMail = () => {
        if (world.server.captured.length === wanted + 1) setTimeout(kill, world.random() * 20)
      }
    },
    isShort: true,
  },
  'when it has claimed and nothing more': {
    arrange: (world, kill) => {
      world.server.fault = (step) => {
        if (step === 'connect') kill()
        return undefined
      }
    },
  },
  'after RCPT': { arrange: (world, kill) => killAt(world, 'rcpt', kill) },
  'in the body': { arrange: (world, kill) => killAt(world, 'body', kill) },
  'after the dot, before the answer': { arrange: (world, kill) => killAt(world, 'dot', kill), isShort: true },
  'after the answer, before it is settled': {
    arrange: (world, kill) => {
      const wanted = world.somewhere()
      world.server.onMail = () => {
        if (world.server.captured.length === wanted + 1) setImmediate(kill)
      }
    },
  },
}

function killAt(world: FaultWorld, step: 'rcpt' | 'body' | 'dot', kill: () => void): void {
  const wanted = world.somewhere()
  world.server.fault = (at) => {
    if (at !== step || world.server.captured.length < wanted) return undefined
    kill()
    return { silent: true, stored: step === 'dot' }
  }
}

describe('a delivery worker that dies', options, () => {
  after(() => postgres?.remove())

  for (const [moment, { arrange, isShort }] of Object.entries(moments))
    row(
      `killed ${moment}: nobody is left out, at most the open connections are doubled`,
      async (world) => {
        let killedAt = 0
        const killed = new Promise<void>((resolve) => {
          arrange(world, () => {
            world.server.fault = () => undefined
            world.workers[0]?.child.kill('SIGKILL')
            killedAt ||= performance.now()
            resolve()
          })
        })
        await world.start()
        await killed
        await world.start()
        await world.untilSettled()
        const ms = Math.round(performance.now() - killedAt)
        return `doubled ${await world.judge(moment.startsWith('when') ? 0 : testConnections)}, all settled ${ms} ms after the kill`
      },
      isShort ?? false,
    )

  row('SIGTERM in the middle loses nothing, doubles nothing, and gives every lease back', async (world) => {
    const wanted = world.somewhere()
    const reached = new Promise<void>((resolve) => {
      world.server.onMail = () => {
        if (world.server.captured.length === wanted + 1) resolve()
      }
    })
    const worker = await world.start()
    await reached
    assert.equal(await worker.stop(), 0)
    const { rows } = await sql<{ leased: number }>`
      select count(*)::int as leased from deliveries where next_attempt_at is null and settled_at is null`.execute(
      world.database.db,
    )
    assert.equal(rows[0]!.leased, 0)
    await world.start()
    await world.untilSettled()
    await world.judge(0)
  })

  row(
    'of two workers one is killed: the other finishes',
    async (world) => {
      const [first] = await Promise.all([world.start(), world.start()])
      await sleep(world.random() * 150)
      await first.kill()
      await world.untilSettled()
      return `doubled ${await world.judge(testConnections)}`
    },
    false,
  )

  row(
    'all connections to Postgres are cut in the middle, three times: nothing is lost, nothing doubled',
    async (world) => {
      const { proxy, through } = await world.behindProxy()
      await world.start(through)
      for (let i = 0; i < 3; i++) {
        await sleep(world.random() * 60)
        proxy.cut()
      }
      await world.untilSettled()
      await world.judge(0)
    },
  )

  row(
    'the backends of Postgres are terminated: nothing is lost, nothing doubled',
    async (world) => {
      await world.start()
      for (let i = 0; i < 3; i++) {
        await sleep(world.random() * 60)
        await sql`select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid()`
          .execute(world.database.db)
          .catch(() => {})
      }
      await world.untilSettled()
      await world.judge(0)
    },
    false,
  )

  row(
    'the database is frozen for longer than a lease: no worker takes the other for dead, nothing is doubled',
    async (world) => {
      const { proxy, through } = await world.behindProxy()
      await Promise.all([world.start(through), world.start(through)])
      await sleep(world.random() * 100)
      proxy.freeze()
      await sleep(testLeaseSeconds * 1000 * 1.5)
      proxy.thaw()
      await world.untilSettled()
      await world.judge(0)
    },
    false,
  )

  row(
    'who unsubscribes while an edition is being sent gets nothing that is handed over later',
    async (world) => {
      let handedOverLater = 0
      let leftAt = Infinity
      const leaver = audience.at(-1)!
      const at = Math.min(world.somewhere(), 200)
      world.server.onMail = async (mail) => {
        if (mail.to === leaver && performance.now() > leftAt) handedOverLater++
        if (world.server.captured.length === at + 1) {
          const { db } = world.database
          await db.updateTable('subscribers').set({ status: 'unsubscribed' }).where('email', '=', leaver).execute()
          leftAt = performance.now()
        }
        await sleep(2)
      }
      await world.start()
      await world.untilSettled()
      assert.equal(handedOverLater, 0)
      await world.judge(0, { sent: audience.length - 1, 'skipped:unsubscribed': 1 })
    },
    false,
  )

  row(
    'subscribers who are deleted while an edition is being sent lose nobody else their mail',
    async (world) => {
      const gone = audience.slice(-20)
      const at = world.somewhere()
      let deleted: Promise<unknown> | null = null
      world.server.onMail = () => {
        if (world.server.captured.length >= at)
          deleted ??= world.database.db.deleteFrom('subscribers').where('email', 'in', gone).execute()
      }
      await world.start()
      await world.untilSettled()
      await deleted
      const received = new Set(world.server.captured.map((mail) => mail.to))
      for (const address of audience.slice(0, -20)) assert.ok(received.has(address), `${address} was left out`)
      assert.equal(received.size, world.server.captured.length)
    },
    false,
  )
})

describe('Postgres that dies', { skip: postgres ? false : 'no Postgres found' }, () => {
  it('stopped as by a power cut and started again: nothing is lost, at most the open connections are doubled', async (test) => {
    const own = (await startRestartablePostgres())!
    const at = await openFaultDatabase(own.url, 'faults')
    for (let round = 0; round < rounds; round++) {
      const world = await new FaultWorld(at, audience, seededRandom(firstSeed + round)).open()
      await world.start()
      await sleep(world.random() * 150)
      await own.stopImmediately()
      await sleep(world.random() * 2000)
      await own.start()
      await world.untilSettled()
      test.diagnostic(`seed ${firstSeed + round}: doubled ${await world.judge(testConnections)}`)
      await world.close()
    }
    await at.database.close()
    await own.remove()
  })
})

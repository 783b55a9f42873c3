// Delivery workers that die, on real Postgres with fsync on: half way through an edition one is killed, another takes over, and at
// the end everybody has the mail once, but for what was on the wire.

import assert from 'node:assert/strict'
import { after, describe } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { isLong, makeRow } from '../support/fault-rows.ts'
import type { FaultWorld } from '../support/fault-world.ts'
import { startRestartablePostgres } from '../support/restartable-postgres.ts'
import { testConnections, testLeaseSeconds } from '../support/worker-process.ts'

const postgres = await startRestartablePostgres()
const row = makeRow(postgres)

/** Where the worker is killed, told by what the relay sees. `kill` may be called more than once. */
const moments: Record<string, { arrange: (world: FaultWorld, kill: () => void) => void; isShort?: boolean }> = {
  'at a random instant': {
    arrange: (world, kill) => {
      const wanted = world.somewhere()
      world.server.onMail = () => {
        if (world.server.captured.length > wanted) setTimeout(kill, world.random() * 20)
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
        if (world.server.captured.length > wanted) setImmediate(kill)
      }
    },
  },
  'after the commit': {
    arrange: (world, kill) => {
      const wanted = world.somewhere()
      let isWatching = false
      world.server.onMail = async () => {
        if (world.server.captured.length < wanted || isWatching) return
        isWatching = true
        await untilSettledRows(world, wanted)
        kill()
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

async function untilSettledRows({ database: { db } }: FaultWorld, least: number): Promise<void> {
  for (;;) {
    const { rows } = await sql<{ done: number }>`
      select count(*)::int as done from deliveries where settled_at is not null`.execute(db)
    if (rows[0]!.done >= least - testConnections) return
  }
}

describe('a delivery worker that', { concurrency: isLong ? 3 : 2 }, () => {
  after(() => postgres?.remove())

  for (const [moment, { arrange, isShort = false }] of Object.entries(moments))
    row(
      `is killed ${moment}: nobody is left out, at most the open connections are doubled`,
      { isShort },
      async (world) => {
        let killedAt = 0
        const worker = await world.start({ isWaiting: true })
        const killed = new Promise<void>((resolve) => {
          arrange(world, () => {
            world.server.fault = () => undefined
            worker.child.kill('SIGKILL')
            killedAt ||= performance.now()
            resolve()
          })
        })
        const second = await world.start({ isWaiting: true })
        // It may be killed before it could say that it is ready.
        await worker.go().catch(() => {})
        await killed
        await second.go()
        await world.untilSettled()
        const ms = Math.round(performance.now() - killedAt)
        const doubled = await world.judge(moment.startsWith('when') ? 0 : testConnections)
        return { doubled, words: `all settled ${ms} ms after the kill` }
      },
    )

  row(
    'is stopped by SIGTERM in the middle loses nothing, doubles nothing, and gives every lease back',
    { isShort: true },
    async (world) => {
      const wanted = world.somewhere()
      const reached = new Promise<void>((resolve) => {
        world.server.onMail = () => {
          if (world.server.captured.length > wanted) resolve()
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
      return { doubled: await world.judge(0) }
    },
  )

  row(
    'is stopped by SIGTERM while the server is silent: it ends by itself, and the next one resends',
    { readers: 40 },
    async (world) => {
      const isOnWire = new Promise<void>((resolve) => {
        let waiting = 0
        world.server.fault = (step) => {
          if (step !== 'dot' || world.server.captured.length < 5) return undefined
          if (++waiting === testConnections) resolve()
          return { silent: true }
        }
      })
      const worker = await world.start()
      await isOnWire
      const stoppedAt = performance.now()
      assert.equal(await worker.stop(), 0)
      const ms = Math.round(performance.now() - stoppedAt)
      world.server.fault = () => undefined
      await world.start()
      await world.untilSettled()
      return { doubled: await world.judge(0), words: `it took ${ms} ms` }
    },
  )

  row('is one of two and is killed: the other finishes', {}, async (world) => {
    const [first, second] = await Promise.all([world.start({ isWaiting: true }), world.start({ isWaiting: true })])
    await Promise.all([first.go(), second.go()])
    await sleep(world.random() * 200)
    await first.kill()
    await world.untilSettled()
    return { doubled: await world.judge(testConnections) }
  })

  row('is suspended for longer than its lease: when it comes back it changes nothing', {}, async (world) => {
    const wanted = world.somewhere()
    const worker = await world.start({ isWaiting: true })
    let isSuspended = false
    const reached = new Promise<void>((resolve) => {
      world.server.onMail = () => {
        if (world.server.captured.length > wanted && !isSuspended) {
          isSuspended = true
          worker.child.kill('SIGSTOP')
          resolve()
        }
      }
    })
    await worker.go()
    await reached
    await world.start()
    await sleep(testLeaseSeconds * 1000 * (0.5 + world.random() * 2))
    worker.child.kill('SIGCONT')
    await world.untilSettled()
    // What it may still write at its end meets its fence.
    await worker.stop()
    return { doubled: await world.judge(testConnections) }
  })
})

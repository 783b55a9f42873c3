// kill -9 of a delivery worker at each step, on real Postgres with fsync on. The capture server is the truth. A round: half way
// through an edition the worker is killed at the step, another one takes over, and at the end everybody has the mail once, but
// for those that were on the wire. FAULT_ROUNDS=20 for the long run; seeds are printed.

import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import pg from 'pg'
import { type Database, openPostgres } from '../../src/db/connect.ts'
import { migrate } from '../../src/db/migrate.ts'
import { type CaptureServer, startCaptureServer } from '../support/capture-server.ts'
import { type RestartablePostgres, startRestartablePostgres } from '../support/restartable-postgres.ts'
import { countOutcomes, countStates, planEdition } from '../support/sending.ts'
import { startWorkerProcess, testConnections, type WorkerProcess } from '../support/worker-process.ts'

const rounds = Number(process.env.FAULT_ROUNDS ?? 1)
const isLong = rounds > 1
const mails = 300
let seed = Number(process.env.FAULT_SEED ?? Date.now() % 1_000_000)
const random = () => {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
  return seed / 2_147_483_648
}

const postgres: RestartablePostgres | null = await startRestartablePostgres()

describe('a delivery worker that dies', { skip: postgres ? false : 'no Postgres found' }, () => {
  let database: Database
  let server: CaptureServer
  let edition: number
  const all = Array.from({ length: mails }, (_, i) => `reader${i}@a${i % 7}.example`)
  const running: WorkerProcess[] = []

  before(async () => {
    database = openPostgres(postgres!.url, 4)
    await migrate(database.db)
  })
  after(async () => {
    await database.close()
    await postgres!.remove()
  })

  const open = async () => {
    await sql`truncate deliveries, editions, subscribers, suppressions, edition_counts, workers cascade`.execute(
      database.db,
    )
    server = await startCaptureServer()
    edition = await planEdition(database, all)
  }
  const start = async () => {
    const worker = await startWorkerProcess(postgres!.url, server.relay)
    running.push(worker)
    return worker
  }
  const untilSettled = async (deadlineMs = 30_000) => {
    const end = performance.now() + deadlineMs
    for (;;) {
      const states = await countStates(database, edition)
      if ((states.sent ?? 0) + (states.failed ?? 0) + (states.skipped ?? 0) === mails) return
      if (performance.now() > end) assert.fail(`still open after ${deadlineMs} ms: ${JSON.stringify(states)}`)
      await sleep(100)
    }
  }
  const close = async () => {
    for (const worker of running.splice(0)) worker.child.kill('SIGKILL')
    await server.close()
  }
  /** Lost nobody, doubled at most `mostDoubled`, those with one Message-ID each. */
  const judge = async (mostDoubled: number) => {
    const receivers = new Map<string, Set<string>>()
    for (const mail of server.captured) {
      const id = /^Message-ID: (.*)$/m.exec(mail.message)![1]!
      receivers.set(mail.to, (receivers.get(mail.to) ?? new Set()).add(id))
    }
    const lost = all.filter((address) => !receivers.has(address))
    assert.deepEqual(lost, [], 'lost')
    const doubled = server.captured.length - receivers.size
    assert.ok(doubled <= mostDoubled, `${doubled} doubled`)
    for (const ids of receivers.values()) assert.equal(ids.size, 1, 'a doubled mail has another Message-ID')
    assert.deepEqual(await countOutcomes(database, edition), { sent: mails })
    return doubled
  }

  type Moment = (kill: () => void) => void
  const moments: Record<string, { at: Moment; mostDoubled: number; isShort: boolean }> = {
    'at a random instant': {
      at: (kill) => {
        const wanted = Math.floor(random() * mails * 0.8)
        server.onMail = () => {
          if (server.captured.length === wanted + 1) setTimeout(kill, random() * 20)
        }
      },
      mostDoubled: testConnections,
      isShort: true,
    },
    'when it has claimed and nothing more': {
      at: (kill) => {
        server.fault = (step) => {
          if (step === 'connect') kill()
          return undefined
        }
      },
      mostDoubled: 0,
      isShort: false,
    },
    'after RCPT': {
      at: (kill) => {
        const wanted = Math.floor(random() * mails * 0.8)
        server.fault = (step) => {
          if (step !== 'rcpt' || server.captured.length < wanted) return undefined
          kill()
          return { silent: true }
        }
      },
      mostDoubled: testConnections,
      isShort: false,
    },
    'in the body': {
      at: (kill) => {
        const wanted = Math.floor(random() * mails * 0.8)
        server.fault = (step) => {
          if (step !== 'body' || server.captured.length < wanted) return undefined
          kill()
          return { silent: true }
        }
      },
      mostDoubled: testConnections,
      isShort: false,
    },
    'after the dot, before the answer': {
      at: (kill) => {
        const wanted = Math.floor(random() * mails * 0.8)
        server.fault = (step) => {
          if (step !== 'dot' || server.captured.length < wanted) return undefined
          kill()
          return { silent: true, stored: true }
        }
      },
      mostDoubled: testConnections,
      isShort: true,
    },
    'after the answer, before it is settled': {
      at: (kill) => {
        const wanted = Math.floor(random() * mails * 0.8)
        server.onMail = () => {
          if (server.captured.length === wanted + 1) setImmediate(kill)
        }
      },
      mostDoubled: testConnections,
      isShort: false,
    },
  }

  for (const [name, { at, mostDoubled, isShort }] of Object.entries(moments))
    it(
      `killed ${name}: nobody is left out, at most the open connections are doubled`,
      {
        skip: isShort || isLong ? false : 'only in npm run test:faults',
      },
      async (test) => {
        for (let round = 0; round < rounds; round++) {
          test.diagnostic(`round ${round + 1}, seed ${seed}`)
          await open()
          const killed = new Promise<void>((resolve) => {
            at(() => {
              server.fault = () => undefined
              running[0]?.child.kill('SIGKILL')
              resolve()
            })
          })
          const first = start()
          await Promise.race([killed, first.then(() => killed)])
          const from = performance.now()
          await start()
          await untilSettled()
          test.diagnostic(
            `settled ${Math.round(performance.now() - from)} ms after the kill, doubled ${await judge(mostDoubled)}`,
          )
          await close()
        }
      },
    )

  it('SIGTERM in the middle loses nothing, doubles nothing, and gives every lease back', async () => {
    for (let round = 0; round < rounds; round++) {
      await open()
      const reached = new Promise<void>((resolve) => {
        const wanted = Math.floor(random() * mails * 0.8)
        server.onMail = () => {
          if (server.captured.length === wanted + 1) resolve()
        }
      })
      const worker = await start()
      await reached
      assert.equal(await worker.stop(), 0)
      const leased = await sql<{ count: number }>`
        select count(*)::int as count from deliveries where next_attempt_at is null and settled_at is null`.execute(
        database.db,
      )
      assert.equal(leased.rows[0]!.count, 0)
      await start()
      await untilSettled()
      await judge(0)
      await close()
    }
  })

  it('of two workers one is killed: the other finishes', async () => {
    for (let round = 0; round < rounds; round++) {
      await open()
      const [first] = await Promise.all([start(), start()])
      await sleep(random() * 200)
      await first.kill()
      await untilSettled()
      await judge(testConnections)
      await close()
    }
  })

  it('all connections to Postgres are cut in the middle: nothing is lost, nothing doubled', async () => {
    for (let round = 0; round < rounds; round++) {
      await open()
      await start()
      const admin = new pg.Client({ connectionString: postgres!.url })
      await admin.connect()
      for (let i = 0; i < 3; i++) {
        await sleep(random() * 100)
        await admin.query(
          'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname is not null',
        )
      }
      await admin.end()
      await untilSettled()
      await judge(0)
      await close()
    }
  })

  it('Postgres is stopped as by a power cut and started again: nothing is lost, at most the open connections are doubled', async () => {
    for (let round = 0; round < rounds; round++) {
      await open()
      await start()
      await sleep(random() * 200)
      await postgres!.stopImmediately()
      await sleep(random() * 3000)
      await postgres!.start()
      await untilSettled()
      await judge(testConnections)
      await close()
    }
  })

  it('who unsubscribes while an edition is being sent gets nothing that is handed over later', async () => {
    await open()
    let handedOverLater = 0
    let leftAt = Infinity
    const leaver = all.at(-1)!
    server.onMail = async (mail) => {
      if (mail.to === leaver && performance.now() > leftAt) handedOverLater++
      if (server.captured.length === 50) {
        await database.db
          .updateTable('subscribers')
          .set({ status: 'unsubscribed' })
          .where('email', '=', leaver)
          .execute()
        leftAt = performance.now()
      }
      await sleep(2)
    }
    await start()
    await untilSettled()
    assert.equal(handedOverLater, 0)
    assert.deepEqual(await countOutcomes(database, edition), { sent: mails - 1, 'skipped:unsubscribed': 1 })
    await close()
  })
})

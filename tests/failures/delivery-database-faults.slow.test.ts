// A Postgres that breaks under delivery workers: connections cut, backends terminated, frozen, out of disk, without power.

import fs from 'node:fs'
import path from 'node:path'
import { after, before, describe } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { isLong, makeRow } from '../support/fault-rows.ts'
import { type RestartablePostgres, startRestartablePostgres } from '../support/restartable-postgres.ts'
import { fillDisk, mountSmallDisk, unmountSmallDisk } from '../support/small-disk.ts'
import { testConnections, testLeaseSeconds } from '../support/worker-process.ts'

const postgres = await startRestartablePostgres()
/** One that may be stopped without disturbing the others. */
const own = await startRestartablePostgres()
const row = makeRow(postgres)

describe('a Postgres', { concurrency: isLong ? 2 : 1 }, () => {
  after(() => postgres?.remove())

  row(
    'whose connections are all cut in the middle, three times: nothing is lost, nothing doubled',
    { isShort: true },
    async (world) => {
      const { proxy, through } = await world.behindProxy()
      await world.start({ url: through })
      for (let i = 0; i < 3; i++) {
        await sleep(world.random() * 60)
        proxy.cut()
      }
      await world.untilSettled()
      return { doubled: await world.judge(0) }
    },
  )

  row(
    'whose connection breaks in a commit, before it or before its answer: nothing is lost, nothing doubled',
    { isShort: true },
    async (world) => {
      const { proxy, through } = await world.behindProxy()
      const worker = await world.start({ url: through, isWaiting: true })
      const statements = ['\0turn\0', '\0claim_digests\0', '\0turn\0', '\0turn\0']
      let cuts = 0
      const arm = () => {
        const statement = statements[Math.floor(world.random() * statements.length)]!
        proxy.cutAt(statement, world.random() < 0.5 ? 'before' : 'answer')
        cuts++
      }
      const every = 20 + Math.floor(world.random() * 40)
      world.server.onMail = () => {
        if (world.server.captured.length % every === 0) arm()
      }
      arm()
      await worker.go()
      await world.untilSettled()
      return { doubled: await world.judge(0), words: `${cuts} cuts` }
    },
  )

  row('whose backends are terminated: nothing is lost, nothing doubled', {}, async (world) => {
    const worker = await world.start({ isWaiting: true })
    await worker.go()
    for (let i = 0; i < 3; i++) {
      await sleep(world.random() * 60)
      await sql`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`
        .execute(world.database.db)
        .catch(() => {})
    }
    await world.untilSettled()
    return { doubled: await world.judge(0) }
  })

  row('frozen for longer than a lease: no worker takes the other for dead, nothing is doubled', {}, async (world) => {
    const { proxy, through } = await world.behindProxy()
    const both = await Promise.all([
      world.start({ url: through, isWaiting: true }),
      world.start({ url: through, isWaiting: true }),
    ])
    await Promise.all(both.map((worker) => worker.go()))
    await sleep(world.random() * 150)
    proxy.freeze()
    await sleep(testLeaseSeconds * 1000 * 1.5)
    proxy.thaw()
    await world.untilSettled()
    return { doubled: await world.judge(0) }
  })
})

describe('a Postgres that is stopped', () => {
  after(() => own?.remove())

  makeRow(own)('as by a power cut, and started again: nothing is lost', { isShort: true }, async (world) => {
    const worker = await world.start({ isWaiting: true })
    await worker.go()
    await sleep(world.random() * 200)
    await own!.stopImmediately()
    await sleep(world.random() * 1500)
    await own!.start()
    await world.untilSettled()
    return { doubled: await world.judge(testConnections) }
  })
})

describe('a Postgres on a full disk', () => {
  const tmpfs = postgres ? mountSmallDisk() : null
  let small: RestartablePostgres | null = null
  before(async () => {
    if (tmpfs) small = await startRestartablePostgres(['max_wal_size=48MB', 'min_wal_size=32MB'], tmpfs)
  })
  after(async () => {
    await small?.remove()
    if (tmpfs) unmountSmallDisk(tmpfs)
  })

  const rowOn = tmpfs
    ? makeRow({
        ...postgres!,
        get url() {
          return small!.url
        },
      })
    : makeRow(null, 'needs root, to mount a small tmpfs')
  rowOn('which is emptied again: nothing is lost', {}, async (world) => {
    const worker = await world.start({ isWaiting: true })
    await worker.go()
    await sleep(world.random() * 150)
    const ballast = path.join(tmpfs!, 'ballast')
    fillDisk(ballast)
    // The rest of a WAL segment is preallocated: make Postgres want the next one.
    await sql`select pg_switch_wal()`.execute(world.database.db).catch(() => {})
    await sleep(300 + world.random() * 1200)
    fs.rmSync(ballast)
    // Without room for its log Postgres gives up; whoever watches it starts it again.
    await small!.start().catch(() => {})
    await world.untilSettled()
    return { doubled: await world.judge(testConnections) }
  })
})

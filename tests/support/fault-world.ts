// One round of a fault test: a database of its own, an edition, a capture server, worker processes. The capture server is the
// truth: `judge` compares it with the audience and with the account.

import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { type Database, openPostgres } from '../../src/db/connect.ts'
import { migrate } from '../../src/db/migrate.ts'
import { type CaptureServer, startCaptureServer } from './capture-server.ts'
import { countOutcomes, countStates, planEdition } from './sending.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'
import { startWorkerProcess, type WorkerProcess } from './worker-process.ts'

/** A number in [0, 1) that the printed seed gives again. */
export type Random = () => number

export function seededRandom(seed: number): Random {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return state / 0x80000000
  }
}

/** A database `name` on that server with the schema in it; the first connection makes it. */
export async function openFaultDatabase(url: string, name: string): Promise<{ database: Database; url: string }> {
  const admin = openPostgres(url, 1)
  await sql`create database ${sql.id(name)}`.execute(admin.db)
  await admin.close()
  const own = new URL(url)
  own.pathname = `/${name}`
  const database = openPostgres(own.href, 3)
  await migrate(database.db)
  return { database, url: own.href }
}

export class FaultWorld {
  readonly database: Database
  readonly url: string
  readonly audience: readonly string[]
  readonly random: Random
  server!: CaptureServer
  edition = 0
  workers: WorkerProcess[] = []
  #proxy: TcpProxy | null = null

  constructor(at: { database: Database; url: string }, audience: readonly string[], random: Random) {
    this.database = at.database
    this.url = at.url
    this.audience = audience
    this.random = random
  }

  /** An empty database with a new edition, and a relay that behaves. */
  async open(): Promise<this> {
    await sql`truncate deliveries, editions, subscribers, suppressions, edition_counts, workers cascade`.execute(
      this.database.db,
    )
    this.server = await startCaptureServer()
    this.edition = await planEdition(this.database, this.audience)
    return this
  }

  async start(url = this.url): Promise<WorkerProcess> {
    const worker = await startWorkerProcess(url, this.server.relay)
    this.workers.push(worker)
    return worker
  }

  /** An address of the database that can be cut and frozen. */
  async behindProxy(): Promise<{ proxy: TcpProxy; through: string }> {
    const through = new URL(this.url)
    this.#proxy = await startTcpProxy(Number(through.port))
    through.port = String(this.#proxy.port)
    return { proxy: this.#proxy, through: through.href }
  }

  /** A number of mails after which something is to happen: anywhere in the first four fifths. */
  somewhere(): number {
    return Math.floor(this.random() * this.audience.length * 0.8)
  }

  async untilSettled(deadlineMs = 30_000): Promise<void> {
    const end = performance.now() + deadlineMs
    for (;;) {
      const states = await countStates(this.database, this.edition).catch(() => ({}) as Record<string, number>)
      if ((states.sent ?? 0) + (states.failed ?? 0) + (states.skipped ?? 0) === this.audience.length) return
      if (performance.now() > end) assert.fail(`still open after ${deadlineMs} ms: ${JSON.stringify(states)}`)
      await sleep(50)
    }
  }

  /** Nobody is left out, at most `mostDoubled` mails came twice, with one Message-ID each; the account agrees. Returns how many
   * came twice. */
  async judge(mostDoubled: number, account: Record<string, number> = { sent: this.audience.length }): Promise<number> {
    const receivers = new Map<string, Set<string>>()
    for (const mail of this.server.captured) {
      const id = /^Message-ID: (.*)$/m.exec(mail.message)![1]!
      receivers.set(mail.to, (receivers.get(mail.to) ?? new Set()).add(id))
    }
    const expected = this.audience.length - (account['skipped:unsubscribed'] ?? 0) - (account.failed ?? 0)
    assert.equal(receivers.size, expected, `${expected - receivers.size} lost`)
    const doubled = this.server.captured.length - receivers.size
    assert.ok(doubled <= mostDoubled, `${doubled} doubled`)
    for (const ids of receivers.values()) assert.equal(ids.size, 1, 'a doubled mail has another Message-ID')
    assert.deepEqual(await countOutcomes(this.database, this.edition), account)
    return doubled
  }

  async close(): Promise<void> {
    for (const worker of this.workers.splice(0)) await worker.kill()
    await this.server.close()
    await this.#proxy?.close()
    this.#proxy = null
  }
}

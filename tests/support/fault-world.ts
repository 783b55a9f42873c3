// One round of a fault test: an edition, a capture server, workers here or in processes of their own. What the capture server has
// on disk is the truth: `judge` compares it with the audience and with the account.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { sql } from 'kysely'
import { type Database, openPostgres } from '../../src/db/connect.ts'
import { migrate } from '../../src/db/migrate.ts'
import { rfcTimeouts } from '../../src/delivery/smtp-dialogue.ts'
import type { DeliveryWorkerOptions } from '../../src/delivery/worker.ts'
import { type CaptureServer, startCaptureServer } from './capture-server.ts'
import { emptyPostgres } from './postgres-databases.ts'
import { countOutcomes, countStates, makeWorker, planEdition, sendingConfig } from './sending.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'
import { startWorkerProcess, testConnections, type WorkerProcess } from './worker-process.ts'
import { waitFor } from './wait-for.ts'

/** A number in [0, 1) that the printed seed gives again. */
export type Random = () => number

export function seededRandom(seed: number): Random {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return state / 0x80000000
  }
}

/** A database on that server with the schema in it. */
export async function openFaultDatabase(server: string): Promise<{ database: Database; url: string }> {
  const { url } = await emptyPostgres(server)
  const database = openPostgres(url, 4)
  await migrate(database.db)
  return { database, url }
}

export interface FaultWorldOptions {
  /** How many subscribers; default 300. */
  readers?: number
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
  #folder = mkdtempSync(path.join(os.tmpdir(), 'broadsheet-faults-'))

  constructor(at: { database: Database; url: string }, options: FaultWorldOptions, random: Random) {
    this.database = at.database
    this.url = at.url
    this.audience = Array.from({ length: options.readers ?? 300 }, (_, i) => `reader${i}@a${i % 7}.example`)
    this.random = random
  }

  /** An empty database with a new edition, and a relay that behaves. */
  async open(): Promise<this> {
    await sql`truncate deliveries, editions, subscribers, suppressions, edition_counts, workers, send_quota cascade`.execute(
      this.database.db,
    )
    this.server = await startCaptureServer({ store: this.#store })
    this.edition = await planEdition(this.database, this.audience)
    return this
  }

  /** A worker process; `isWaiting`: it begins with `go()`. */
  async start(options: { url?: string; isWaiting?: boolean } = {}): Promise<WorkerProcess> {
    const worker = await startWorkerProcess(options.url ?? this.url, this.server.relay)
    if (!options.isWaiting) await worker.go()
    this.workers.push(worker)
    return worker
  }

  /** A worker of this process, until all that may be sent now is sent. */
  async send(options: Partial<DeliveryWorkerOptions> = {}): Promise<void> {
    const config = { ...sendingConfig, smtp: { ...sendingConfig.smtp, connections: testConnections } }
    const timeouts = { ...rfcTimeouts, ...options.timeouts }
    const relays = options.relays ?? [this.server.relay]
    await makeWorker(this.database, relays, { config, ...options, timeouts }).runOnce()
  }

  /** The same again and again, retries without their wait, until nothing is left. Returns the number of runs. */
  async sendAll(options: Partial<DeliveryWorkerOptions> = {}): Promise<number> {
    for (let runs = 1; runs <= 40; runs++) {
      await this.send(options)
      const { rows } = await sql<{ open: number }>`
        with due as (update deliveries set next_attempt_at = now() where next_attempt_at is not null returning id)
        select (select count(*)::int from due) as open`.execute(this.database.db)
      if (rows[0]!.open === 0) return runs
    }
    throw new Error('still open after 40 runs')
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

  /** About that part of the audience, at random. */
  some(part: number): Set<string> {
    return new Set(this.audience.filter(() => this.random() < part))
  }

  async untilSettled(): Promise<void> {
    const count = () => countStates(this.database, this.edition).catch(() => ({}) as Record<string, number>)
    await waitFor(async () => {
      const { sent = 0, failed = 0, skipped = 0 } = await count()
      return sent + failed + skipped === this.audience.length
    }, count)
  }

  /** What the capture server has on disk. */
  stored(): { to: string; messageId: string }[] {
    const lines = readFileSync(this.#store, 'utf8').split('\n').filter(Boolean)
    return lines.map((line) => JSON.parse(line) as { to: string; messageId: string })
  }

  /** Nobody is left out, at most `mostDoubled` mails came twice, with one Message-ID each; the account agrees. Returns how many
   * came twice. */
  async judge(mostDoubled: number, account: Record<string, number> = { sent: this.audience.length }): Promise<number> {
    const stored = this.stored()
    const receivers = new Map<string, Set<string>>()
    for (const { to, messageId } of stored) receivers.set(to, (receivers.get(to) ?? new Set()).add(messageId))
    const expected = this.audience.length - (account['skipped:unsubscribed'] ?? 0) - (account.failed ?? 0)
    assert.equal(receivers.size, expected, `${expected - receivers.size} lost`)
    const doubled = stored.length - receivers.size
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
    rmSync(this.#folder, { recursive: true, force: true })
  }

  get #store(): string {
    return path.join(this.#folder, 'taken')
  }
}

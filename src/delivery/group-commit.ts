// A connection continues only when the outcome of its last mail and the name of its next one are durable. All connections that
// wait share one statement (`turn` in statements.ts), so that costs one round trip per group, not per mail.
//
// A failed turn is repeated until it succeeds: it is safe to repeat, and the fact that a mail was sent must not be lost. Only a
// lost lease ends the repetition: another worker has then marked those deliveries uncertain.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../base/log.ts'
import type { Database } from '../db/connect.ts'
import { hotQuery } from './hot-query.ts'
import { type Naming, type Settlement, turn, turnValues, type Verdict } from './statements.ts'

/** Settles deliveries without a connection. */
export const noConnection = -1

/** A group waits for more members for about as long as the last turns took. */
const leastGatherMs = 1
const mostGatherMs = 6

export class LeaseLost extends Error {
  override name = 'LeaseLost'
}

interface Waiting {
  settle: readonly Settlement[]
  connection: number
  name: Naming | null
  resolve: (verdict: Verdict | null) => void
  reject: (cause: Error) => void
}

export interface GroupCommitOptions {
  database: Database
  log: Log
  workerId: number
  asOf: Date | null
  /** Article ids below it became sendable more than 60 days ago. */
  seenFrom: () => number
  /** Renews an expired lease. False when it is lost. */
  renew: () => Promise<boolean>
  observe: (group: { connections: number; settled: number; ms: number }) => void
}

export class GroupCommit {
  #options: GroupCommitOptions
  #waiting: Waiting[] = []
  #isRunning = false
  #isGivenUp = false
  #gathering: NodeJS.Timeout | null = null
  #gatherMs = leastGatherMs
  /** Connections with a mail on the wire: they will need a turn soon. */
  #onWire = new Set<number>()

  constructor(options: GroupCommitOptions) {
    this.#options = options
  }

  /**
   * Settles deliveries and names the next one (null: the connection is idle from now on). Resolves to the verdict once both are
   * durable. Throws LeaseLost.
   */
  turn(settle: readonly Settlement[], connection: number, name: Naming | null): Promise<Verdict | null> {
    return new Promise((resolve, reject) => {
      this.#onWire.delete(connection)
      this.#waiting.push({ settle, connection, name, resolve, reject })
      this.#consider()
    })
  }

  /** All present and future callers of `turn` get LeaseLost. */
  giveUp(): void {
    this.#isGivenUp = true
  }

  /**
   * A statement costs Postgres about as much as the rows of ten connections. So a group waits a moment until half of the
   * connections under way have come back. It waits longer if the database is slow, because larger groups help then. A single
   * connection doesn't wait.
   */
  #consider(): void {
    if (this.#isRunning || !this.#waiting.length) return
    if (this.#waiting.length >= this.#onWire.size) {
      if (this.#gathering) clearTimeout(this.#gathering)
      this.#gathering = null
      void this.#run()
    } else
      this.#gathering ??= setTimeout(() => {
        this.#gathering = null
        if (!this.#isRunning) void this.#run()
      }, this.#gatherMs)
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    const group = this.#waiting
    this.#waiting = []
    try {
      const verdicts = await this.#commit(group)
      for (const each of group) {
        const verdict = each.name ? (verdicts.get(each.connection) ?? 'hold') : null
        if (verdict === 'go') this.#onWire.add(each.connection)
        each.resolve(verdict)
      }
    } catch (cause) {
      for (const each of group) each.reject(cause as Error)
    }
    this.#isRunning = false
    this.#consider()
  }

  async #commit(group: readonly Waiting[]): Promise<Map<number, Verdict>> {
    const settle = group.flatMap((each) => each.settle)
    const { workerId, asOf, seenFrom } = this.#options
    const values = turnValues(workerId, settle, { asOf, seenFrom: seenFrom() }, group)
    for (let failures = 0; !this.#isGivenUp;) {
      const started = performance.now()
      try {
        const rows = await hotQuery<{ alive: number; connection: number | null; verdict: Verdict }>(
          this.#options.database,
          turn,
          values,
        )
        if (rows[0]!.alive) {
          const ms = performance.now() - started
          const wanted = Math.min(mostGatherMs, Math.max(leastGatherMs, ms))
          this.#gatherMs += (wanted - this.#gatherMs) / 8
          this.#options.observe({ connections: group.length, settled: settle.length, ms })
          return new Map(rows.filter((row) => row.connection !== null).map((row) => [row.connection!, row.verdict]))
        }
      } catch (cause) {
        failures++
        this.#options.log.warn({ err: cause, failures }, 'a turn of the delivery worker failed; it is repeated')
        await sleep(Math.min(100 * 2 ** failures, 2000))
        continue
      }
      if (!(await this.#options.renew())) break
    }
    throw new LeaseLost('the lease of this worker was taken, or its time is over')
  }
}

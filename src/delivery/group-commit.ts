// A connection goes on only when the fate of its last mail and the name of its next are durable. All connections that wait share
// one statement (statements.ts `turn`), so that costs one round trip per group, not per mail.
//
// A turn that failed is repeated until it succeeds: it is safe to repeat, and the knowledge that a mail was sent must not be
// lost. Only a lost lease ends it: then somebody else has marked those deliveries uncertain.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../base/log.ts'
import type { Database } from '../db/connect.ts'
import type { DeliveryState, SkipReason } from '../db/schema.ts'
import type { DigestRecord } from './composer.ts'
import { hotQuery, plainArray, textArray } from './hot-query.ts'
import type { LeasedDelivery } from './lane.ts'
import type { SmtpReply } from './smtp-reply.ts'
import { turn } from './statements.ts'

export interface Settlement {
  delivery: LeasedDelivery
  /** null: as it was; its lease is given back. */
  state: Exclude<DeliveryState, 'queued'> | null
  reason: SkipReason | null
  /** Until it may be claimed again; null: it is over. */
  retryInSeconds: number | null
  wasTried: boolean
  isDoubt: boolean
  reply: SmtpReply | null
  /** What is kept when there is no reply. */
  note: string | null
  stage: string | null
  relay: string | null
  sizeBytes: number | null
  messageId: string | null
  record: DigestRecord | null
}

export interface Naming {
  delivery: LeasedDelivery
  record: { messageId: string; articleIds?: readonly number[]; watermarks?: Record<string, number> }
  /** Whose wish counts: the subscriber's (digests), the address's (suppressions only; of a confirmation only those that it can't
   * overcome), or nobody's (an editor signs in). */
  rule: 'subscriber' | 'address' | 'confirmation' | 'always'
  addressHash: string
}

/** `go`: it is durable that this connection carries it now. `hold`: its edition, or the whole site, doesn't send at the moment. */
export type Verdict = 'go' | 'hold' | SkipReason

/** Settles something beside the connections. */
export const noConnection = -1

/** A group waits for more about as long as the last turns took. */
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
  /** Article ids below it have left the last 60 days. */
  seenFrom: () => number
  /** Renews a lease that ran out; false when it is lost. */
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
  /** Connections whose mail is on the wire: they will be back soon. */
  #onWire = new Set<number>()

  constructor(options: GroupCommitOptions) {
    this.#options = options
  }

  /** Settles, names (null: the connection is idle from now on) and resolves to the verdict once both are durable. Throws
   * LeaseLost. */
  turn(settle: readonly Settlement[], connection: number, name: Naming | null): Promise<Verdict | null> {
    return new Promise((resolve, reject) => {
      this.#onWire.delete(connection)
      this.#waiting.push({ settle, connection, name, resolve, reject })
      this.#consider()
    })
  }

  /** Whoever waits, now or later, gets LeaseLost. */
  giveUp(): void {
    this.#isGivenUp = true
  }

  /** A statement costs Postgres about as much as the rows of ten connections, so a group waits a moment until half of those that
   * are under way have come back: longer where the database is slow, as larger groups are what it needs then. A connection that
   * is alone doesn't wait. */
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
    const values = [this.#options.workerId, ...settleValues(settle), ...this.#nameValues(group)]
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

  #nameValues(group: readonly Waiting[]) {
    const names = group.map((each) => each.name)
    return [
      this.#options.asOf?.toISOString() ?? null,
      this.#options.seenFrom(),
      plainArray(group.map((each) => each.connection)),
      plainArray(names.map((name) => name?.delivery.id ?? null)),
      textArray(names.map((name) => (name ? JSON.stringify(name.record) : null))),
      plainArray(names.map((name) => name?.delivery.editionId ?? null)),
      plainArray(names.map((name) => name?.delivery.subscriberId ?? null)),
      textArray(names.map((name) => name?.rule ?? 'always')),
      textArray(names.map((name) => name?.addressHash ?? null)),
    ]
  }
}

function settleValues(settle: readonly Settlement[]) {
  return [
    plainArray(settle.map((each) => each.delivery.id)),
    plainArray(settle.map((each) => each.delivery.attempt)),
    textArray(settle.map((each) => each.state)),
    textArray(settle.map((each) => each.reason)),
    plainArray(settle.map((each) => each.retryInSeconds)),
    plainArray(settle.map((each) => (each.wasTried ? 1 : 0))),
    plainArray(settle.map((each) => (each.isDoubt ? 1 : 0))),
    plainArray(settle.map((each) => each.reply?.code ?? null)),
    textArray(settle.map((each) => replyText(each))),
    textArray(settle.map((each) => each.stage)),
    textArray(settle.map((each) => each.relay)),
    plainArray(settle.map((each) => each.sizeBytes)),
    textArray(settle.map((each) => each.messageId)),
    textArray(settle.map((each) => (each.record ? plainArray(each.record.articleIds) : null))),
    textArray(settle.map((each) => (each.record ? JSON.stringify(each.record.watermarks) : null))),
    plainArray(settle.map((each) => each.delivery.wasUncertain)),
  ]
}

function replyText({ reply, note }: Settlement): string | null {
  if (!reply) return note
  return reply.text.startsWith(reply.enhanced ?? ' ') || !reply.enhanced
    ? reply.text
    : `${reply.enhanced} ${reply.text}`
}

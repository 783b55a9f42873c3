// The delivery worker sends every mail. It registers, wakes on NOTIFY and by timer, renews its lease, takes over from dead
// workers, and stops within 25 seconds with everything settled or given back. README.md lists the guarantees.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../base/clock.ts'
import { systemClock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import type { Relay } from '../base/relay.ts'
import type { Log } from '../base/log.ts'
import type { Database } from '../db/connect.ts'
import type { Composers } from './composer.ts'
import type { DeadAddresses } from './dead-addresses.ts'
import { beatsPerLease, defaultLeaseSeconds, reapWorkers } from './leases.ts'
import type { DeliveryMetrics } from './metrics.ts'
import { brakeWord } from './outbox.ts'
import { WorkSession } from './session.ts'
import { rfcTimeouts, type SmtpTimeouts } from './smtp-dialogue.ts'
import { deliveryChannel } from '../editions/wake.ts'

export interface DeliveryWorkerOptions {
  database: Database
  config: Config
  log: Log
  composers: Composers
  deadAddresses: DeadAddresses
  /** Shown on the console: host and process. */
  name?: string
  /** For the Date header. Leases and retries run on the database's clock. */
  clock?: Clock
  /** Instead of the configured relays: the trial's own mailbox. */
  relays?: readonly Relay[]
  /** Counts as now for claims and retries (`--as-of`). */
  asOf?: Date
  timeouts?: SmtpTimeouts
  leaseSeconds?: number
  metrics?: DeliveryMetrics
}

/**
 * A stop takes at most 25 seconds: connections are cut after `cutSeconds`, and some seconds later it stops waiting for the
 * database.
 */
const cutSeconds = 19
const giveUpSeconds = 23

const living = new WeakMap<Database, Set<number>>()

/** Workers of this process: `digest run` in a server sends beside the server's own worker, and neither is dead. */
function livingWorkers(database: Database): Set<number> {
  const workers = living.get(database) ?? new Set()
  living.set(database, workers)
  return workers
}

export class DeliveryWorker {
  #options: DeliveryWorkerOptions
  #session: WorkSession | null = null
  #running: Promise<void> | null = null
  #unlisten: (() => Promise<void>) | null = null
  #isStopping = false
  #poll: NodeJS.Timeout | undefined
  #beats: NodeJS.Timeout | undefined
  #mayReapFrom = 0
  #leaseMs: number

  constructor(options: DeliveryWorkerOptions) {
    this.#options = options
    const relays = options.relays ?? options.config.smtp.relays
    if (!relays.length) throw new Error('A delivery worker needs a relay.')
    this.#leaseMs = (options.leaseSeconds ?? defaultLeaseSeconds) * 1000
  }

  /** Starts sending in the background. Resolves once it is registered and listens. */
  async start(): Promise<void> {
    this.#isStopping = false
    const session = await this.#open()
    this.#unlisten = await this.#options.database.listen(deliveryChannel, (word) => this.#heard(word))
    this.#poll = setInterval(() => this.wake(), 1000)
    this.#running = this.#keepRunning(session)
  }

  #heard(word: string): void {
    const { log } = this.#options
    if (word !== brakeWord) this.wake()
    else
      this.#session?.refreshBrakes().catch((cause: unknown) => log.warn({ err: cause }, 'the brakes could not be read'))
  }

  /** There may be something to send. */
  wake(): void {
    this.#session?.wake()
  }

  /**
   * Sends everything that may be sent now, and returns when it is settled. Next to a started worker, it only wakes that one and
   * doesn't wait.
   */
  async runOnce(): Promise<void> {
    if (this.#running) {
      this.wake()
      return
    }
    const session = await this.#open()
    session.drain()
    session.wake()
    await session.run()
    await this.#close(session)
  }

  /** For SIGTERM: claims nothing more, finishes what is on the wire, gives the leases back. Safe to repeat. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#unlisten?.()
    this.#unlisten = null
    const running = this.#running
    if (!running) return
    const session = this.#session
    session?.stop()
    const cut = setTimeout(() => session?.abort(), cutSeconds * 1000)
    const giveUp = setTimeout(() => session?.giveUp(), giveUpSeconds * 1000)
    await running
    clearTimeout(cut)
    clearTimeout(giveUp)
    clearInterval(this.#poll)
    this.#running = null
  }

  async #keepRunning(first: WorkSession): Promise<void> {
    for (let session: WorkSession | null = first; session;) {
      const end = await session.run()
      if (end === 'ended' && !this.#isStopping) await sleep(1000)
      if (end === 'lost') this.#options.log.warn({ worker: session.workerId }, 'this delivery worker lost its lease')
      await this.#close(session)
      session = null
      while (!this.#isStopping && !session) {
        try {
          session = await this.#open()
        } catch (cause) {
          this.#options.log.warn({ err: cause }, 'the delivery worker could not register; it tries again')
          await sleep(1000)
        }
      }
    }
  }

  async #open(): Promise<WorkSession> {
    const { database, config, log, composers, deadAddresses } = this.#options
    const session = await WorkSession.open({
      database,
      config,
      log,
      composers,
      deadAddresses,
      name: this.#options.name ?? `process ${process.pid}`,
      clock: this.#options.clock ?? systemClock,
      relays: this.#options.relays ?? config.smtp.relays,
      asOf: this.#options.asOf ?? null,
      timeouts: this.#options.timeouts ?? rfcTimeouts,
      leaseSeconds: this.#leaseMs / 1000,
      metrics: this.#options.metrics ?? null,
    })
    this.#session = session
    if (this.#options.metrics) this.#options.metrics.view = () => session.view()
    livingWorkers(database).add(session.workerId)
    // After a freeze of the database, every lease has expired: the first worker that comes back must not take over from the
    // others. A worker that was present for a whole lease has seen whether they live.
    this.#mayReapFrom = performance.now() + this.#leaseMs
    if (database.kind === 'embedded') await this.#reap(session)
    clearInterval(this.#beats)
    this.#beats = setInterval(() => void this.#beat(session), this.#leaseMs / beatsPerLease)
    return session
  }

  async #close(session: WorkSession): Promise<void> {
    this.#session = null
    clearInterval(this.#beats)
    livingWorkers(this.#options.database).delete(session.workerId)
    try {
      await session.retire()
    } catch (cause) {
      this.#options.log.warn({ err: cause }, 'the leases were not given back; they run out by themselves')
    }
  }

  async #beat(session: WorkSession): Promise<void> {
    if (!(await session.beat())) return
    if (performance.now() < this.#mayReapFrom) return
    try {
      await this.#reap(session)
    } catch (cause) {
      this.#options.log.warn({ err: cause }, 'looking for dead workers failed')
    }
  }

  async #reap(session: WorkSession): Promise<void> {
    const { database, config, log } = this.#options
    const reaped = await reapWorkers(database.db, [...livingWorkers(database)], {
      policy: config.mail.uncertain,
      everyone: database.kind === 'embedded',
    })
    for (const dead of reaped)
      log[dead.uncertain ? 'warn' : 'info'](dead, 'took over from a delivery worker that stopped without a word')
    if (reaped.length) session.wake()
  }
}

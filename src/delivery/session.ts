// One registration of a worker, from the creation of its `workers` row to its end: both lanes, all connections, their group
// commit. When the row is lost the session ends, and the worker opens another.

import { performance } from 'node:perf_hooks'
import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import type { Relay } from '../base/relay.ts'
import type { Log } from '../base/log.ts'
import type { Database } from '../db/connect.ts'
import type { Lane as LaneName } from '../db/schema.ts'
import { getPepper } from '../db/settings.ts'
import { Answers } from './answers.ts'
import { Claimer } from './claims.ts'
import type { Composers } from './composer.ts'
import type { DeadAddresses } from './dead-addresses.ts'
import { Courier } from './courier.ts'
import { MessageBuilder } from './message-builder.ts'
import { GroupCommit, LeaseLost } from './group-commit.ts'
import { Lane } from './lane.ts'
import { Lease } from './lease.ts'
import { registerWorker, retireWorker } from './leases.ts'
import type { DeliveryMetrics, WorkerView } from './metrics.ts'
import { openGates, type RelayGate, shareConnections } from './relays.ts'
import { Releaser } from './releaser.ts'
import { SeenHorizon } from './seen-horizon.ts'
import { slowMs } from './slow-domains.ts'
import type { SmtpTimeouts } from './smtp-dialogue.ts'
import { Outcomes } from './outcomes.ts'
import { Traffic } from './traffic.ts'

export interface SessionOptions {
  database: Database
  config: Config
  log: Log
  composers: Composers
  deadAddresses: DeadAddresses
  name: string
  clock: Clock
  relays: readonly Relay[]
  asOf: Date | null
  timeouts: SmtpTimeouts
  leaseSeconds: number
  metrics: DeliveryMetrics | null
}

/** A drain gives up on a relay after so many failed attempts in a row: about two seconds. */
const drainFailures = 4

/** Connections per relay for transactional mail. */
const transactionalConnections = 2

export class WorkSession {
  readonly workerId: number
  readonly gates: readonly RelayGate[]
  #options: SessionOptions
  #couriers: Courier[] = []
  #lanes: { digest: Lane; transactional: Lane }
  #commit: GroupCommit
  #traffic: Traffic
  #isDraining = false
  #messages: MessageBuilder
  #answers: Answers
  #outcomes: Outcomes
  #releaser: Releaser
  #lease: Lease
  #claimer: Claimer
  #seen: SeenHorizon

  private constructor(
    options: SessionOptions,
    workerId: number,
    pepper: string,
    registeredAt: number,
    slots: number[],
    gates: readonly RelayGate[],
  ) {
    const { database, config, log, composers } = options
    this.#options = options
    this.workerId = workerId
    this.#messages = new MessageBuilder(config, options.clock, pepper)
    this.#answers = new Answers({
      db: database.db,
      deadAddresses: options.deadAddresses,
      relays: options.relays.map(({ name }) => name),
      retryHours: config.mail.retryHours,
    })
    this.#outcomes = new Outcomes({ ...options, answers: this.#answers }, pepper)
    this.#seen = new SeenHorizon(database.db, options.clock)
    this.#commit = new GroupCommit({
      database,
      log,
      workerId,
      asOf: options.asOf,
      seenFrom: () => this.#seen.from,
      renew: () => this.#lease.beat(),
      observe: ({ connections, settled, ms }) => {
        this.#lease.settled(settled)
        options.metrics?.turned(connections, ms)
      },
    })
    this.#traffic = new Traffic({
      db: database.db,
      config,
      clock: options.clock,
      relays: options.relays,
      log,
      answers: this.#answers,
      workerId,
      freed: (lane) => this.#lanes[lane].nudge(),
    })
    this.#releaser = new Releaser({
      commit: this.#commit,
      traffic: this.#traffic,
      metrics: options.metrics,
      answers: this.#answers,
      rules: config.mail,
    })
    this.gates = gates
    this.#claimer = new Claimer(database, workerId, options.asOf)
    this.#lease = new Lease({
      db: database.db,
      log,
      workerId,
      leaseSeconds: options.leaseSeconds,
      registeredAt,
      claimer: this.#claimer,
      seen: this.#seen,
      answers: this.#answers,
      lost: () => this.giveUp(),
    })
    // If no relay of this worker can send, another worker should lease the deliveries.
    const mayClaim = (lane: LaneName) => this.gates.some((gate) => gate.canWork(lane, options.clock.now()))
    this.#lanes = {
      digest: new Lane({
        log,
        composers,
        capacity: 500,
        claim: async (limit) => (mayClaim('digest') ? this.#claimer.digests(limit) : []),
        screen: (leased) => this.#releaser.screen(leased),
      }),
      transactional: new Lane({
        log,
        composers,
        capacity: 50,
        claim: async (limit) => (mayClaim('transactional') ? this.#claimer.transactional(limit) : []),
        screen: async (leased) =>
          this.#isDraining ? leased : this.#releaser.screenSingle(this.#lanes.transactional, leased),
      }),
    }
    let connection = 0
    for (const [i, gate] of this.gates.entries()) {
      for (let n = 0; n < transactionalConnections; n++)
        this.#couriers.push(this.#courier(connection++, this.#lanes.transactional, gate))
      for (let n = 0; n < slots[i]!; n++) this.#couriers.push(this.#courier(connection++, this.#lanes.digest, gate))
    }
  }

  static async open(options: SessionOptions): Promise<WorkSession> {
    const { db } = options.database
    const slots = shareConnections(options.relays, options.config.smtp.connections)
    const connections = slots.reduce((sum, count) => sum + count + transactionalConnections, 0)
    const pepper = await getPepper(db)
    const gates = await openGates(db, options)
    const registeredAt = performance.now()
    const workerId = await registerWorker(db, { name: options.name, connections, leaseSeconds: options.leaseSeconds })
    const session = new WorkSession(options, workerId, pepper, registeredAt, slots, gates)
    await session.#seen.refresh()
    await session.#answers.refresh()
    return session
  }

  /** Resolves when all connections have ended: stopped, drained, or with the lease lost (`lost`). */
  async run(): Promise<'ended' | 'lost'> {
    const watch = setInterval(() => this.#look(), 250)
    const ends = await Promise.allSettled(this.#couriers.map((courier) => courier.run()))
    clearInterval(watch)
    const failed = ends.filter((end) => end.status === 'rejected').map((end) => end.reason as Error)
    const bug = failed.find((cause) => !(cause instanceof LeaseLost))
    if (bug) this.#options.log.error({ err: bug }, 'a delivery connection failed')
    return failed.length ? 'lost' : 'ended'
  }

  wake(): void {
    this.#lanes.digest.wake()
    this.#lanes.transactional.wake()
  }

  /** A brake was created or ended somewhere. */
  async refreshBrakes(): Promise<void> {
    await this.#answers.refresh()
    this.wake()
  }

  /** Ends the session once nothing can be claimed any more. */
  drain(): void {
    this.#isDraining = true
    this.#lanes.digest.closeWhenDry()
    this.#lanes.transactional.closeWhenDry()
  }

  /** Four times a second: tries relays in trouble again, and checks whether limits have ended. */
  #look(): void {
    const { gates } = this
    for (const gate of gates) if (gate.trouble !== null) void gate.probe().then((isWell) => isWell && this.wake())
    this.#traffic.look()
    for (const courier of this.#couriers) courier.letGoAfter(slowMs)
    for (const lane of [this.#lanes.digest, this.#lanes.transactional]) lane.nudge()
    if (this.#answers.isAnyOn) void this.#releaser.holdBraked(this.#lanes.digest)
    if (this.#traffic.limits.isAnyLimited) void this.#releaser.parkSlow(this.#lanes.digest)
    const now = this.#options.clock.now()
    if (
      this.#isDraining &&
      !gates.some((gate) => gate.canWork('digest', now)) &&
      gates.every((gate) => gate.trouble === null || gate.failures >= drainFailures)
    )
      return this.stop()
    // In trouble for long, or (digests) the day's budget is used up: deliveries that are leased here would wait in vain.
    const isIdle = (gate: RelayGate, lane: LaneName) =>
      !gate.canWork(lane, now) && (gate.trouble === null || gate.troubleMs > 10_000)
    for (const lane of ['digest', 'transactional'] as const)
      if (gates.every((gate) => isIdle(gate, lane))) void this.#releaser.giveBackAll(this.#lanes[lane])
  }

  view(): WorkerView {
    const open = (gate: RelayGate) =>
      this.#couriers.filter((courier) => courier.gate === gate && courier.isConnected).length
    return {
      relays: this.gates.map((gate) => ({
        name: gate.relay.name,
        connections: open(gate),
        isUp: gate.trouble === null,
      })),
      limits: this.#traffic.limits.list(),
    }
  }

  /** Takes nothing more, and finishes what is on the wire. */
  stop(): void {
    for (const gate of this.gates) gate.stop()
    for (const courier of this.#couriers) courier.stop()
    this.#lanes.digest.close()
    this.#lanes.transactional.close()
  }

  /** Cuts the connections. */
  abort(): void {
    this.stop()
    for (const courier of this.#couriers) courier.abort()
  }

  /** Stops waiting for the database. The worker that takes over marks what isn't settled. */
  giveUp(): void {
    this.abort()
    this.#commit.giveUp()
  }

  /** Renews the lease. false: it is lost. */
  beat(): Promise<boolean> {
    return this.#lease.beat()
  }

  async retire(): Promise<void> {
    await this.#messages.close()
    const { database, config, log } = this.#options
    await this.#lease.countSettled()
    const left = await retireWorker(database.db, this.workerId, config.mail.uncertain)
    if (left?.uncertain) log.warn(left, 'a delivery worker ended with mails on the wire')
    await this.#answers.beat().catch(() => {})
  }

  #courier(connection: number, lane: Lane, gate: RelayGate): Courier {
    const { config, log, clock, metrics } = this.#options
    return new Courier({
      connection,
      lane,
      gate,
      lookAhead: lane === this.#lanes.digest ? 4 : 0,
      log,
      commit: this.#commit,
      rules: { retryHours: config.mail.retryHours, uncertain: config.mail.uncertain },
      traffic: this.#traffic,
      canWork: () => gate.canWork(lane === this.#lanes.digest ? 'digest' : 'transactional', clock.now()),
      spent: () => {
        gate.spentOn = clock.now().toISOString().slice(0, 10)
      },
      messages: this.#messages,
      mayWrite: () => this.#lease.mayWrite(),
      outcomes: this.#outcomes,
      settled: (settlements) => this.#releaser.settled(lane, settlements),
      took: (step, ms) => metrics?.took(step, ms),
    })
  }
}

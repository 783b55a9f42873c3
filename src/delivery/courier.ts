// The loop of one connection: take a delivery, compose and sign it, name it durably, send it, classify the answer, and settle it
// in the statement that names the next one. While a mail is on the wire, the next one is composed.

import { setTimeout as sleep } from 'node:timers/promises'
import { decideFate, type Fate, type FateRules } from './fate.ts'
import { type GroupCommit, noConnection } from './group-commit.ts'
import type { Naming, Settlement, Verdict } from './statements.ts'
import type { LeasedDelivery } from './lane.ts'
import { Preparer, type Prepared, type PreparerOptions } from './preparer.ts'
import type { RelayGate } from './relays.ts'
import { leaseGivenBack, refusedBy, tried } from './settlement.ts'
import { slowMs } from './slow-domains.ts'
import type { SmtpConnection } from './smtp-connection.ts'
import type { SmtpOutcome } from './smtp-dialogue.ts'

export interface CourierOptions extends PreparerOptions {
  connection: number
  /** How many mails to compose and sign while one is on the wire. */
  lookAhead: number
  commit: GroupCommit
  /** Whether the relay can accept mail of this courier's lane now. */
  canWork: () => boolean
  /** Called when the relay's budget for the day is used up. */
  spent: () => void
  /** False once the lease has expired by our own clock. Nothing may be written after that. */
  mayWrite: () => boolean
  settled: (settlements: readonly Settlement[]) => void
}

/** Idle connections are closed after this time. Most servers close them after five minutes. */
const idleMs = 20_000
const blockedMs = 200
const laterMs = 20
const longestMs = 10 * 60_000
const mostMails = 1000
/** That many skipped deliveries are written without waiting for the next mail. */
const mostToSettle = 200

const notSent: Fate = { class: 'refused', state: null, retryInSeconds: null, wasTried: false, isDoubt: false }

export class Courier {
  #options: CourierOptions
  #preparer: Preparer
  #smtp: SmtpConnection | null = null
  #settle: Settlement[] = []
  #ahead: Prepared[] = []
  /** The mail that was announced to the relay. */
  #announced: Prepared | null = null
  #lastAnswerMs = 0
  #stopped = false
  /** When the mail on the wire was started. Infinity: there is none. */
  #sentAt = Infinity

  constructor(options: CourierOptions) {
    this.#options = options
    this.#preparer = new Preparer(options)
  }

  /** Runs until its lane closes. Throws only LeaseLost. */
  async run(): Promise<void> {
    while (!this.#stopped || this.#settle.length) {
      const mayTake = !this.#stopped && this.#options.canWork()
      if (!mayTake) this.#putBack(this.#ahead.splice(0))
      if (this.#announced && this.#announced !== this.#ahead[0]) this.#takeBack()
      const prepared = mayTake ? (this.#ahead.shift() ?? (await this.#take())) : null
      if (prepared) await this.#carry(prepared)
      else if (this.#settle.length) await this.#turn(null)
      else if (!mayTake && !this.#options.lane.isClosed) await sleep(blockedMs)
      else if (!(await this.#rest())) break
    }
    this.#hangUp()
  }

  /** Waits for work. Returns false when the lane has closed. */
  async #rest(): Promise<boolean> {
    const idle = setTimeout(() => this.#hangUp(), idleMs)
    const hasWork = await this.#options.lane.wait()
    clearTimeout(idle)
    return hasWork
  }

  async #carry(prepared: Prepared): Promise<void> {
    const { gate, traffic } = this.#options
    const { delivery } = prepared
    if (!(await this.#connect())) return this.#giveUp(prepared, 0)
    const message = await prepared.message.catch((cause: unknown) => this.#notComposed(delivery, cause))
    if (!message) return
    const admission = await traffic.admit(delivery, gate.relay).catch((cause: unknown) => {
      this.#options.log.warn({ err: cause }, 'the sending budget could not be read')
      return 'later' as const
    })
    if (admission === 'spent') {
      this.#options.spent()
      return this.#giveUp(prepared, 0)
    }
    // This mail must wait, but others may be sent: it returns to the end of the lane.
    if (admission === 'later') return this.#giveUp(prepared, laterMs)
    const verdict = await this.#turn(this.#preparer.naming(prepared))
    if (verdict !== 'go') {
      await traffic.learned(delivery, notSent)
      this.#settle.push(refusedBy(verdict ?? 'hold', delivery))
      return
    }
    const sentAt = performance.now()
    this.#sentAt = sentAt
    const envelope = prepared.envelope!
    this.#announced = null
    const { mayWrite } = this.#options
    const wire = this.#smtp!.send(envelope, message, { mayWrite, written: () => this.#announceNext() })
    await this.#lookAhead()
    const outcome = await wire
    this.#sentAt = Infinity
    this.#lastAnswerMs = performance.now() - sentAt
    this.#options.took('smtp', this.#lastAnswerMs)
    if (outcome.isUntouched) await this.#giveBack(delivery, outcome)
    else await this.#learn(prepared, outcome, envelope.bytes)
  }

  /** Puts everything that was taken ahead back into the lane. The last mail is settled before the wait. */
  async #giveUp(prepared: Prepared, restMs: number): Promise<void> {
    this.#putBack([prepared, ...this.#ahead.splice(0)])
    if (this.#settle.length) await this.#turn(null)
    if (restMs && !this.#stopped) await sleep(restMs)
  }

  #putBack(back: readonly Prepared[]): void {
    for (const { delivery } of back) this.#options.traffic.returned(delivery)
    if (back.length) this.#options.lane.putBack(back.map((each) => each.ready))
  }

  /** Signing takes as long as sending, so the next mails are started while this one is on the wire. */
  async #lookAhead(): Promise<void> {
    while (!this.#stopped && this.#ahead.length < this.#options.lookAhead) {
      const next = await this.#take()
      if (!next) return
      this.#ahead.push(next)
      next.message.then(
        () => this.#announceNext(),
        () => {},
      )
    }
  }

  /**
   * Announces the next mail while the relay still processes this one. Not behind a slow mail: if that takes long, the announced
   * mail moves to another connection, and this connection must be closed.
   */
  #announceNext(): void {
    const [smtp, next] = [this.#smtp, this.#ahead[0]]
    if (!smtp || !next?.envelope || this.#sentAt === Infinity || this.#stopped) return
    const { gate, traffic, canWork } = this.#options
    if (!isFresh(smtp) || this.#lastAnswerMs > slowMs / 2 || !canWork()) return
    if (traffic.mayAnnounce(next.delivery, gate.relay) && smtp.announce(next.envelope)) this.#announced = next
  }

  #takeBack(): void {
    this.#smtp?.close('the announced mail was taken back')
    this.#announced = null
  }

  /** If a server takes long over one mail, the mails that were prepared behind it move to other connections. */
  letGoAfter(ms: number): void {
    if (this.#ahead.length && performance.now() - this.#sentAt > ms) this.#putBack(this.#ahead.splice(0))
  }

  get gate(): RelayGate {
    return this.#options.gate
  }

  get isConnected(): boolean {
    return this.#smtp?.isOpen ?? false
  }

  /** Cuts the connection. A mail after its final dot becomes uncertain, any other is queued again. */
  abort(): void {
    this.#stopped = true
    this.#smtp?.close('stopped')
  }

  stop(): void {
    this.#stopped = true
  }

  /** null: there is no delivery to take right now. Deliveries that need no sending are settled here. */
  async #take(): Promise<Prepared | null> {
    for (;;) {
      const taken = await this.#preparer.take()
      if (taken?.kind !== 'over') return taken?.prepared ?? null
      this.#settle.push(taken.settlement)
      if (this.#settle.length >= mostToSettle) await this.#turn(null)
    }
  }

  #notComposed(delivery: LeasedDelivery, cause: unknown): null {
    this.#settle.push(this.#preparer.failed(delivery, cause))
    return null
  }

  get #fateRules(): FateRules {
    return { ...this.#options.rules, random: Math.random() }
  }

  async #connect(): Promise<boolean> {
    const smtp = this.#smtp
    if (smtp?.isOpen) {
      if (isFresh(smtp)) return true
      smtp.quit()
    }
    this.#smtp = null
    this.#announced = null
    if (this.#options.gate.trouble !== null) return false
    try {
      this.#smtp = await this.#options.gate.connect()
      return true
    } catch (cause) {
      const relay = this.#options.gate.relay.name
      if (!this.#stopped) this.#options.log.warn({ relay, why: (cause as Error).message }, 'a relay is unavailable')
      return false
    }
  }

  async #turn(name: Naming | null): Promise<Verdict | null> {
    const settle = this.#settle
    this.#settle = []
    // The name of the mail on the wire must stay, so skipped deliveries are settled without a connection.
    const connection = this.#sentAt === Infinity ? this.#options.connection : noConnection
    const verdict = await this.#options.commit.turn(settle, connection, name)
    this.#options.settled(settle)
    return verdict
  }

  /** The delivery was named, and the connection ended before the relay answered. */
  async #giveBack(delivery: LeasedDelivery, { cause }: SmtpOutcome): Promise<void> {
    // Otherwise a relay that hangs up on the first mail of each connection would be tried forever.
    if (this.#smtp!.mails <= 1) this.#options.gate.failed(cause ?? 'it hung up')
    await this.#options.traffic.learned(delivery, notSent)
    this.#settle.push(leaseGivenBack(delivery, 0))
  }

  async #learn(prepared: Prepared, outcome: SmtpOutcome, sizeBytes: number): Promise<void> {
    const { delivery } = prepared
    let fate = decideFate(delivery, outcome, this.#fateRules)
    if (outcome.reply && fate.class !== 'connection') this.#options.gate.answered()
    else if (fate.class === 'connection' && this.#smtp!.mails === 1)
      this.#options.gate.failed(outcome.reply?.text ?? outcome.cause ?? 'it hung up')
    try {
      await this.#options.traffic.learned(delivery, fate)
      fate = await this.#options.outcomes.learned(delivery, fate, outcome, this.#options.gate.relay.name)
    } catch (cause) {
      this.#options.log.warn({ err: cause, delivery: delivery.id }, 'what a reply means could not be written down')
      // A dead address must be on the suppression list before its delivery is settled. If that fails, a later try gets the same
      // answer.
      if (fate.class === 'dead') fate = { ...fate, class: 'temporary', state: null, retryInSeconds: 60 }
    }
    this.#settle.push(tried(prepared, fate, outcome, { relay: this.#options.gate.relay.name, sizeBytes }))
  }

  #hangUp(): void {
    this.#smtp?.quit()
    this.#smtp = null
  }
}

function isFresh({ mails, openedAt }: SmtpConnection): boolean {
  return mails < mostMails && performance.now() - openedAt < longestMs
}

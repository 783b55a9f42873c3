// One connection's loop: take, compose and sign, name it durably, hand it to the relay, learn its fate, and settle that together
// with naming the next. While a mail is on the wire the next one is already being composed.

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
  /** Of this courier's lane: whether the relay can take its mail now. */
  canWork: () => boolean
  /** The day's budget of this relay is spent. */
  spent: () => void
  /** False once the lease has run out by our own clock: then nothing more may be written. */
  mayWrite: () => boolean
  settled: (settlements: readonly Settlement[]) => void
}

/** A server may close what idles; most do after five minutes. */
const idleMs = 20_000
const blockedMs = 200
const laterMs = 20
const longestMs = 10 * 60_000
const mostMails = 1000
/** Skipped ones, before they are written without waiting for the next mail. */
const mostToSettle = 200

const notSent: Fate = { class: 'refused', state: null, retryInSeconds: null, wasTried: false, isDoubt: false }

export class Courier {
  #options: CourierOptions
  #preparer: Preparer
  #smtp: SmtpConnection | null = null
  #settle: Settlement[] = []
  #ahead: Prepared[] = []
  /** What the relay has been told to expect next. */
  #announced: Prepared | null = null
  #lastAnswerMs = 0
  #stopped = false
  /** When the mail on the wire was begun; Infinity: there is none. */
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

  /** Nothing to do: false when the lane has closed. */
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
    // Not that one now: but others may go, so it returns to the lane's end.
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

  /** Back to the lane with all that was taken ahead; its last mail is settled before it rests. */
  async #giveUp(prepared: Prepared, restMs: number): Promise<void> {
    this.#putBack([prepared, ...this.#ahead.splice(0)])
    if (this.#settle.length) await this.#turn(null)
    if (restMs && !this.#stopped) await sleep(restMs)
  }

  #putBack(back: readonly Prepared[]): void {
    for (const { delivery } of back) this.#options.traffic.returned(delivery)
    if (back.length) this.#options.lane.putBack(back.map((each) => each.ready))
  }

  /** Signing takes as long as sending: the next mails are begun while this one is on the wire. */
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

  /** Tells the relay of the next mail while it is still busy with this one. Not behind a slow one: if that takes long, what was
   * announced goes to another connection, and this one must be closed. */
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

  /** A server takes long over one mail: those that were begun behind it go to other connections. */
  letGoAfter(ms: number): void {
    if (this.#ahead.length && performance.now() - this.#sentAt > ms) this.#putBack(this.#ahead.splice(0))
  }

  get gate(): RelayGate {
    return this.#options.gate
  }

  get isConnected(): boolean {
    return this.#smtp?.isOpen ?? false
  }

  /** Cuts what is on the wire: what was at the dot becomes uncertain, the rest is queued again. */
  abort(): void {
    this.#stopped = true
    this.#smtp?.close('stopped')
  }

  stop(): void {
    this.#stopped = true
  }

  /** null: nothing can be taken right now. What needs no sending is settled on the way. */
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
    // While a mail is on the wire its name stays: what was skipped meanwhile is settled beside it.
    const connection = this.#sentAt === Infinity ? this.#options.connection : noConnection
    const verdict = await this.#options.commit.turn(settle, connection, name)
    this.#options.settled(settle)
    return verdict
  }

  /** It was named, and the connection was over before anything was said about it. */
  async #giveBack(delivery: LeasedDelivery, { cause }: SmtpOutcome): Promise<void> {
    // A relay that does this to the first mail of each connection would be asked for ever.
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
      // A dead address must be on the suppression list before its delivery is over: asked again, it says the same.
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

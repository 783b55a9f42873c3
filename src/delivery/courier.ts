// One connection's loop: take, compose and sign, name it durably, hand it to the relay, learn its fate, and settle that together
// with naming the next. While a mail is on the wire the next one is already being composed.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../base/log.ts'
import type { DigestRecord } from './composer.ts'
import { decideFate, type Fate, type FateRules } from './fate.ts'
import type { Finisher } from './finisher.ts'
import { type GroupCommit, type Naming, noConnection, type Verdict } from './group-commit.ts'
import type { Lane, LeasedDelivery, Ready } from './lane.ts'
import type { Step } from './metrics.ts'
import type { Outcomes } from './outcomes.ts'
import type { RelayGate } from './relays.ts'
import { notComposed, refusedBy, type Settlement, skipped, tried } from './settlement.ts'
import { sizeOf, type SmtpConnection, type SmtpOutcome } from './smtp-connection.ts'
import type { Traffic } from './traffic.ts'

/** A mail that is ready to be named. */
interface Prepared {
  ready: Ready
  delivery: LeasedDelivery
  messageId: string
  record: DigestRecord | null
  message: Promise<readonly Buffer[]>
  envelopeFrom: string
}

export interface CourierOptions {
  connection: number
  lane: Lane
  gate: RelayGate
  /** How many mails to compose and sign while one is on the wire. */
  lookAhead: number
  commit: GroupCommit
  log: Log
  rules: Omit<FateRules, 'random'>
  traffic: Traffic
  /** Of this courier's lane: whether the relay can take its mail now. */
  canWork: () => boolean
  /** The day's budget of this relay is spent. */
  spent: () => void
  finisher: Finisher
  outcomes: Outcomes
  /** False once the lease has run out by our own clock: then nothing more may be written. */
  mayWrite: () => boolean
  settled: (settlements: readonly Settlement[]) => void
  took: (step: Step, ms: number) => void
}

/** A server may close what idles; most do after five minutes. */
const idleMs = 20_000
const blockedMs = 200
const laterMs = 20
const longestMs = 10 * 60_000
const mostMails = 1000

const notSent: Fate = { class: 'refused', state: null, retryInSeconds: null, wasTried: false, isDoubt: false }

export class Courier {
  #options: CourierOptions
  #smtp: SmtpConnection | null = null
  #settle: Settlement[] = []
  #ahead: Prepared[] = []
  #stopped = false
  /** When the mail on the wire was begun; Infinity: there is none. */
  #sentAt = Infinity

  constructor(options: CourierOptions) {
    this.#options = options
  }

  /** Runs until its lane closes. Throws only LeaseLost. */
  async run(): Promise<void> {
    while (!this.#stopped || this.#settle.length) {
      const mayTake = !this.#stopped && this.#options.canWork()
      if (!mayTake) this.#putBack(this.#ahead.splice(0))
      const prepared = mayTake ? (this.#ahead.shift() ?? (await this.#takeAndPrepare())) : null
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
    const { delivery, envelopeFrom } = prepared
    if (!(await this.#connect())) return this.#giveUp(prepared, 0)
    const message = await this.#signed(prepared)
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
    const verdict = await this.#turn(this.#naming(prepared))
    if (verdict !== 'go') {
      await traffic.learned(delivery, notSent)
      this.#settle.push(refusedBy(verdict ?? 'hold', delivery))
      return
    }
    const sentAt = performance.now()
    this.#sentAt = sentAt
    const wire = this.#smtp!.send(envelopeFrom, delivery.recipient, message, this.#options.mayWrite)
    await this.#lookAhead()
    const outcome = await wire
    this.#sentAt = Infinity
    this.#options.took('smtp', performance.now() - sentAt)
    await this.#learn(prepared, outcome, sizeOf(message))
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
      const next = await this.#takeAndPrepare()
      if (!next) return
      this.#ahead.push(next)
    }
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

  async #takeAndPrepare(): Promise<Prepared | null> {
    const { finisher } = this.#options
    for (;;) {
      const ready = this.#options.lane.takeNow(
        (delivery) => this.#options.traffic.accepts(delivery),
        (delivery) => this.#options.traffic.prefers(delivery),
      )
      if (!ready) return null
      const { delivery } = ready
      this.#options.traffic.taken(delivery)
      try {
        const startedAt = performance.now()
        const composed = await ready.compose()
        this.#options.took('compose', performance.now() - startedAt)
        if (composed.outcome === 'mail') {
          const { mail, record } = composed
          const messageId = finisher.messageIdOf(delivery, mail)
          const message = finisher.finish(mail, delivery, messageId)
          const signingAt = performance.now()
          message.then(
            () => this.#options.took('sign', performance.now() - signingAt),
            () => {},
          )
          return {
            ready,
            delivery,
            messageId,
            record,
            message,
            envelopeFrom: finisher.returnPathOf(delivery, mail),
          }
        }
        this.#settle.push(skipped(delivery, composed.reason))
        if (this.#settle.length >= 200) await this.#turn(null)
      } catch (cause) {
        this.#composeFailed(delivery, cause)
      }
    }
  }

  #composeFailed(delivery: LeasedDelivery, cause: unknown): void {
    this.#options.log.error({ err: cause, delivery: delivery.id, kind: delivery.kind }, 'a mail could not be composed')
    this.#settle.push(notComposed(delivery, this.#fateRules))
  }

  get #fateRules(): FateRules {
    return { ...this.#options.rules, random: Math.random() }
  }

  async #signed(prepared: Prepared): Promise<readonly Buffer[] | null> {
    try {
      return await prepared.message
    } catch (cause) {
      this.#composeFailed(prepared.delivery, cause)
      return null
    }
  }

  async #connect(): Promise<boolean> {
    const smtp = this.#smtp
    if (smtp?.isOpen) {
      if (smtp.mails < mostMails && performance.now() - smtp.openedAt < longestMs) return true
      smtp.quit()
    }
    this.#smtp = null
    if (this.#options.gate.trouble !== null) return false
    try {
      this.#smtp = await this.#options.gate.connect()
      return true
    } catch (cause) {
      const relay = this.#options.gate.relay.name
      this.#options.log.warn({ relay, why: (cause as Error).message }, 'a relay is unavailable')
      return false
    }
  }

  #naming({ delivery, messageId, record }: Prepared): Naming {
    const rule =
      delivery.lane === 'digest' || delivery.kind === 'welcome'
        ? 'subscriber'
        : delivery.kind === 'sign-in' || delivery.kind === 'alert'
          ? 'always'
          : 'address'
    return {
      delivery,
      record: { messageId, ...record },
      rule,
      addressHash: rule === 'address' ? this.#options.outcomes.hashOf(delivery.recipient) : '',
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

  async #learn(prepared: Prepared, outcome: SmtpOutcome, sizeBytes: number): Promise<void> {
    const { delivery } = prepared
    let fate = decideFate(delivery, outcome, this.#fateRules)
    if (outcome.reply && fate.class !== 'connection') this.#options.gate.answered()
    else if (fate.class === 'connection' && this.#smtp!.mails === 1)
      this.#options.gate.failed(outcome.reply?.text ?? outcome.cause ?? 'it hung up')
    try {
      await this.#options.traffic.learned(delivery, fate)
      await this.#options.outcomes.learned(delivery, fate, outcome)
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

// Turns a delivery of the lane into a mail that can be named, composed and being signed, or into a settlement if nothing needs
// sending.

import type { Log } from '../base/log.ts'
import type { DigestRecord, MailKind } from './composer.ts'
import type { FateRules } from './fate.ts'
import type { MessageBuilder } from './message-builder.ts'
import type { Naming, Settlement } from './statements.ts'
import type { Lane, LeasedDelivery, Ready } from './lane.ts'
import type { Step } from './metrics.ts'
import type { RelayGate } from './relays.ts'
import type { Outcomes } from './outcomes.ts'
import { type Envelope, sizeOf } from './smtp-dialogue.ts'
import { notComposed, skipped } from './settlement.ts'
import type { Traffic } from './traffic.ts'

/** For the transactional lane; all other kinds: `address`. */
const wishRules: Partial<Record<MailKind, Naming['rule']>> = {
  welcome: 'subscriber',
  confirmation: 'confirmation',
  'address-change': 'confirmation',
  'sign-in': 'always',
  alert: 'always',
}

/** A mail that is ready to be named. */
export interface Prepared {
  ready: Ready
  delivery: LeasedDelivery
  messageId: string
  record: DigestRecord | null
  /** The signed message; rejects when it can't be built. */
  message: Promise<readonly Buffer[]>
  /** null: not signed yet. */
  envelope: Envelope | null
}

export type Taken = { kind: 'mail'; prepared: Prepared } | { kind: 'over'; settlement: Settlement }

export interface PreparerOptions {
  lane: Lane
  gate: RelayGate
  traffic: Traffic
  messages: MessageBuilder
  outcomes: Outcomes
  rules: Omit<FateRules, 'random'>
  log: Log
  took: (step: Step, ms: number) => void
}

export class Preparer {
  #options: PreparerOptions

  constructor(options: PreparerOptions) {
    this.#options = options
  }

  /** The lane's next delivery that may be sent. null when there is none right now. */
  async take(): Promise<Taken | null> {
    const { lane, traffic, gate } = this.#options
    const ready = lane.takeNow(
      (delivery) => traffic.accepts(delivery, gate.relay),
      (delivery) => traffic.prefers(delivery),
    )
    if (!ready) return null
    traffic.taken(ready.delivery)
    try {
      return await this.#compose(ready)
    } catch (cause) {
      return { kind: 'over', settlement: this.failed(ready.delivery, cause) }
    }
  }

  failed(delivery: LeasedDelivery, cause: unknown): Settlement {
    const { log, rules } = this.#options
    log.error({ err: cause, delivery: delivery.id, kind: delivery.kind }, 'a mail could not be composed')
    return notComposed(delivery, { ...rules, random: Math.random() })
  }

  /** What the turn needs to know about the mail. */
  naming({ delivery, messageId, record }: Prepared): Naming {
    const rule = wishRules[delivery.kind] ?? (delivery.lane === 'digest' ? 'subscriber' : 'address')
    return {
      delivery,
      record: { messageId, ...record },
      rule,
      addressHash:
        rule === 'address' || rule === 'confirmation' ? this.#options.outcomes.hashOf(delivery.recipient) : '',
    }
  }

  async #compose(ready: Ready): Promise<Taken> {
    const { messages, took } = this.#options
    const { delivery } = ready
    const startedAt = performance.now()
    const composed = await ready.compose()
    took('compose', performance.now() - startedAt)
    if (composed.outcome === 'skip') return { kind: 'over', settlement: skipped(delivery, composed.reason) }
    const { mail, record } = composed
    const messageId = messages.messageIdOf(delivery, mail)
    const message = messages.finish(mail, delivery, messageId)
    const signingAt = performance.now()
    const prepared: Prepared = { ready, delivery, messageId, record, message, envelope: null }
    // The sender handles a failure. This only keeps it from counting as an unhandled rejection.
    message.then(
      (parts) => {
        took('sign', performance.now() - signingAt)
        const from = messages.returnPathOf(delivery, mail)
        prepared.envelope = { from, to: delivery.recipient, bytes: sizeOf(parts) }
      },
      () => {},
    )
    return { kind: 'mail', prepared }
  }
}

// What the end of a dialogue changes besides its delivery: metrics, the log, and the suppression of a dead address.

import type { Config } from '../base/config.ts'
import { parseEmailAddress } from '../base/email-address.ts'
import type { Log } from '../base/log.ts'
import { hashAddress } from '../base/tokens.ts'
import type { Answers } from './answers.ts'
import { type Fate, fateUnderBrake } from './fate.ts'
import type { LeasedDelivery } from './lane.ts'
import type { DeliveryMetrics } from './metrics.ts'
import type { SmtpOutcome } from './smtp-dialogue.ts'

interface OutcomesOptions {
  config: Config
  log: Log
  answers: Answers
  metrics: DeliveryMetrics | null
}

export class Outcomes {
  #options: OutcomesOptions
  #pepper: string

  constructor(options: OutcomesOptions, pepper: string) {
    this.#options = options
    this.#pepper = pepper
  }

  /**
   * Called before the delivery is settled. Returns its fate, which differs from the given one if the answer isn't believed. Safe
   * to repeat.
   */
  async learned(delivery: LeasedDelivery, fate: Fate, outcome: SmtpOutcome, relay: string): Promise<Fate> {
    const { answers, config, log, metrics } = this.#options
    metrics?.learned(delivery, fate, outcome.reply?.code ?? null)
    if (fate.class !== 'sent')
      log.info(
        {
          delivery: delivery.id,
          class: fate.class,
          stage: outcome.stage,
          code: outcome.reply?.code,
          attempt: delivery.attempt,
        },
        'a mail was not taken',
      )
    if (fate.class !== 'dead') {
      if (outcome.reply && fate.class !== 'connection') answers.heard(delivery, relay)
      return fate
    }
    const { id: deliveryId, recipient: email, lane, domain, editionId } = delivery
    const reply = `${outcome.reply!.code} ${outcome.reply!.text}`
    const emailHash = this.hashOf(email)
    const isBraked = await answers.dead({ email, emailHash, deliveryId, lane, domain, editionId, relay, reply })
    const rules = { retryHours: config.mail.retryHours, uncertain: config.mail.uncertain, random: Math.random() }
    return isBraked ? fateUnderBrake(delivery, rules) : fate
  }

  /** The key of suppressions. */
  hashOf(recipient: string): string {
    return hashAddress(this.#pepper, parseEmailAddress(recipient)?.key ?? recipient.toLowerCase())
  }
}

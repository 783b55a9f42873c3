// What the end of a dialogue means beyond its delivery: metrics, the log, and the suppression of an address that is dead.

import type { Clock } from '../base/clock.ts'
import { parseEmailAddress } from '../base/email-address.ts'
import type { Log } from '../base/log.ts'
import { hashAddress } from '../base/tokens.ts'
import type { Database } from '../db/connect.ts'
import type { Fate } from './fate.ts'
import type { LeasedDelivery } from './lane.ts'
import type { DeliveryMetrics } from './metrics.ts'
import type { SmtpOutcome } from './smtp-connection.ts'
import { suppressDeadAddress } from './suppress.ts'

interface OutcomesOptions {
  database: Database
  log: Log
  clock: Clock
  metrics: DeliveryMetrics | null
}

export class Outcomes {
  #options: OutcomesOptions
  #pepper: string

  constructor(options: OutcomesOptions, pepper: string) {
    this.#options = options
    this.#pepper = pepper
  }

  /** Before the delivery is settled. Safe to repeat. */
  async learned(delivery: LeasedDelivery, fate: Fate, outcome: SmtpOutcome): Promise<void> {
    const { database, log, clock, metrics } = this.#options
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
    if (fate.class !== 'dead') return
    const { recipient: email, subscriberId } = delivery
    const reply = `${outcome.reply!.code} ${outcome.reply!.text}`
    await suppressDeadAddress(database.db, { email, emailHash: this.hashOf(email), subscriberId }, reply, clock.now())
  }

  /** What suppressions are kept by. */
  hashOf(recipient: string): string {
    return hashAddress(this.#pepper, parseEmailAddress(recipient)?.key ?? recipient.toLowerCase())
  }
}

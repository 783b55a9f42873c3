// What the end of a dialogue means beyond its delivery: metrics, the log, and the suppression of an address that is dead.

import { parseEmailAddress } from '../base/email-address.ts'
import type { Log } from '../base/log.ts'
import { hashAddress } from '../base/tokens.ts'
import type { Database } from '../db/connect.ts'
import type { Fate } from './fate.ts'
import type { LeasedDelivery } from './lane.ts'
import type { DeliveryMetrics } from './metrics.ts'
import type { SmtpOutcome } from './smtp-dialogue.ts'
import type { DeadAddresses } from './dead-addresses.ts'

interface OutcomesOptions {
  database: Database
  log: Log
  deadAddresses: DeadAddresses
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
  async learned(delivery: LeasedDelivery, fate: Fate, outcome: SmtpOutcome, relay: string): Promise<void> {
    const { database, deadAddresses, log, metrics } = this.#options
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
    const { id: deliveryId, recipient: email, domain } = delivery
    const reply = `${outcome.reply!.code} ${outcome.reply!.text}`
    const dead = { email, emailHash: this.hashOf(email), deliveryId, domain, relay, reply }
    await database.db.transaction().execute((trx) => deadAddresses.suppress(trx, dead))
  }

  /** What suppressions are kept by. */
  hashOf(recipient: string): string {
    return hashAddress(this.#pepper, parseEmailAddress(recipient)?.key ?? recipient.toLowerCase())
  }
}

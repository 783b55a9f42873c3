// What delivery adds to a composed mail: Message-ID, return path, Date and signatures.

import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import { hashSecret } from '../base/tokens.ts'
import type { Mail } from './composer.ts'
import { type Dkim, openDkim } from './dkim.ts'
import type { LeasedDelivery } from './lane.ts'
import { buildMessage, makeMessageId } from './message.ts'
import { deliveryToken, returnPath } from './return-path.ts'

export const deliveryHeader = 'X-Broadsheet-Delivery'

export class MessageBuilder {
  #config: Config
  #clock: Clock
  /** Makes the Message-IDs of two installations with the same sender different. */
  #site: string
  #dkim: Dkim | null

  constructor(config: Config, clock: Clock, pepper: string) {
    this.#config = config
    this.#clock = clock
    this.#site = hashSecret(pepper).slice(0, 8)
    this.#dkim = openDkim(config.mail.dkim)
  }

  /** The same at every attempt. */
  messageIdOf(delivery: LeasedDelivery, mail: Mail): string {
    return delivery.messageId ?? makeMessageId(delivery.id, this.#site, mail.from.address)
  }

  /** VERP if BOUNCE_DOMAIN is set, otherwise the sender. */
  returnPathOf(delivery: LeasedDelivery, mail: Mail): string {
    const { secretKeys, mail: settings } = this.#config
    return settings.bounceDomain && secretKeys.length
      ? returnPath(secretKeys, settings.bounceDomain, delivery.id)
      : mail.from.address
  }

  /** The signed message as SMTP takes it. */
  finish(mail: Mail, { id, recipient }: LeasedDelivery, messageId: string): Promise<readonly Buffer[]> {
    // Some providers send under their own envelope address. A report that quotes our headers then still proves which mail it is
    // about.
    const headers = [...mail.headers, [deliveryHeader, deliveryToken(this.#config.secretKeys, id)] as const]
    return buildMessage({ ...mail, headers }, { recipient, messageId, date: this.#clock.now() }, this.#dkim)
  }

  /** Ends the signing threads. */
  async close(): Promise<void> {
    await this.#dkim?.signer.close()
  }
}

// What follows from a dead address beyond its delivery. delivery/ doesn't know who has an address, so it is given this interface,
// like the composers.

import type { Trx } from '../db/connect.ts'

/** An address, and the answer that says it is dead. */
export interface DeadAddress {
  email: string
  emailHash: string
  deliveryId: number
  /** The recipient's domain. */
  domain: string
  relay: string
  /** The server's reply, verbatim. */
  reply: string
  /** The brake whose decision confirmed that answer. */
  brakeId: number | null
}

export interface DeadAddresses {
  /** From the commit on, these addresses get no mail. Safe to repeat. */
  suppress(trx: Trx, dead: readonly DeadAddress[]): Promise<void>
  /** Removes the suppressions that the answers to these deliveries caused, and no others. Safe to repeat. */
  restore(trx: Trx, deliveryIds: readonly number[]): Promise<void>
}

// What it means beyond a delivery that a server called its address dead. delivery/ doesn't know who is behind an address: it is
// handed this, as it is handed composers.

import type { Trx } from '../db/connect.ts'

/** An address, and the answer that proves it dead. */
export interface DeadAddress {
  email: string
  emailHash: string
  deliveryId: number
  /** Of the recipient. */
  domain: string
  relay: string
  /** The server's own words. */
  reply: string
  /** The brake whose decision believes that answer. */
  brakeId: number | null
}

export interface DeadAddresses {
  /** From the commit on they are mailed nothing more. Safe to repeat. */
  suppress(trx: Trx, dead: readonly DeadAddress[]): Promise<void>
  /** Undoes exactly what the answers to these deliveries suppressed. Safe to repeat. */
  restore(trx: Trx, deliveryIds: readonly number[]): Promise<void>
}

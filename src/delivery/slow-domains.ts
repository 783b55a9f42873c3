// Finds recipient domains that are much slower than the others: a tarpit, or a server that takes minutes after the dot. Without a
// limit, one in ten recipients at such a domain soon occupies every connection.
//
// Slow is relative: a mail is on the wire for a second while others were answered five times. If the relay itself is slow, all
// mails are equally slow, and no domain is limited.

import type { LeasedDelivery } from './lane.ts'

export const slowMs = 1000

export class SlowDomains {
  /** Connections of one domain at a time while there is mail for others. */
  readonly share: number
  /** Connections of a slow domain at a time. */
  readonly places: number
  #overtaking: number
  #wires = new Map<LeasedDelivery, { at: number; answered: number }>()
  #answered = 0
  #now: () => number

  /** `connections` of this worker for digests; `now` in milliseconds, monotonic. */
  constructor(connections: number, now: () => number = () => performance.now()) {
    this.share = Math.max(2, Math.floor(connections / 5))
    this.places = Math.max(1, Math.floor(connections / 10))
    this.#overtaking = connections * 5
    this.#now = now
  }

  /** The delivery is put on the wire. */
  started(delivery: LeasedDelivery): void {
    this.#wires.set(delivery, { at: this.#now(), answered: this.#answered })
  }

  answered(delivery: LeasedDelivery): void {
    if (this.#wires.delete(delivery)) this.#answered++
  }

  /** The domains that are slow now. */
  find(): Set<string> {
    const slow = new Set<string>()
    const before = this.#now() - slowMs
    for (const [{ domain }, { at, answered }] of this.#wires)
      if (at < before && this.#answered - answered >= this.#overtaking) slow.add(domain)
    return slow
  }
}

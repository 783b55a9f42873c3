// Which recipient domains are much slower than the others: a tarpit, a server that thinks for minutes after the dot. Left alone,
// one in ten of such recipients holds every connection after a moment.
//
// Slow is relative: a mail that has been on the wire for a second while others were answered five times over. Where the relay
// itself is slow, nobody overtakes, and nobody is held back.

import type { LeasedDelivery } from './lane.ts'

export const slowMs = 1000

export class SlowDomains {
  /** Connections that one domain has at a time as long as there is mail for others. */
  readonly share: number
  /** Connections that a slow domain has at a time. */
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

  /** It goes on the wire. */
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

// The relays of a worker: each has a share of the connections by weight, and a circuit breaker. When one is down its connections
// rest and the others take the work: deliveries are pulled, never assigned.

import type { Relay } from '../base/config.ts'
import { RelayUnavailable, rfcTimeouts, SmtpConnection, type SmtpTimeouts } from './smtp-connection.ts'

const firstRestMs = 1000
const longestRestMs = 60_000

export class RelayGate {
  readonly relay: Relay
  #timeouts: SmtpTimeouts
  #failures = 0
  #restUntil = 0
  #isProbing = false
  /** Why it can't be reached; null while all is well. */
  trouble: string | null = null

  constructor(relay: Relay, timeouts: SmtpTimeouts = rfcTimeouts) {
    this.relay = relay
    this.#timeouts = timeouts
  }

  /** Milliseconds until a connection may be tried; 0: now. While it is in trouble one connection tries for all. */
  get restMs(): number {
    if (this.trouble !== null && this.#isProbing) return 100
    return Math.max(0, this.#restUntil - performance.now())
  }

  /** Throws RelayUnavailable. */
  async connect(): Promise<SmtpConnection> {
    this.#isProbing = true
    try {
      const connection = await SmtpConnection.open(this.relay, this.#timeouts)
      this.#failures = 0
      this.#restUntil = 0
      this.trouble = null
      return connection
    } catch (cause) {
      this.failed((cause as RelayUnavailable).message)
      throw cause
    } finally {
      this.#isProbing = false
    }
  }

  failed(why: string): void {
    this.#failures++
    this.trouble = why
    this.#restUntil = performance.now() + Math.min(firstRestMs * 2 ** (this.#failures - 1), longestRestMs)
  }
}

/** How many of the connections each relay gets: the heaviest all of them, the others in proportion, each at least one. Pure. */
export function shareConnections(weights: readonly number[], connections: number): number[] {
  const heaviest = Math.max(...weights)
  return weights.map((weight) => Math.max(1, Math.round((connections * weight) / heaviest)))
}

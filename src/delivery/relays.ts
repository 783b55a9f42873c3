// The relays of a worker. Each has a share of the connections by weight, and a circuit breaker. If one is down, its connections
// wait and the others do the work: deliveries are pulled, never assigned.

import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Relay } from '../base/relay.ts'
import type { Db } from '../db/connect.ts'
import type { Lane } from '../db/schema.ts'
import { Announcements, findAnnouncementsOff, setAnnouncementsOff } from './announcements.ts'
import type { RelayUnavailable } from './relay-dial.ts'
import { SmtpConnection } from './smtp-connection.ts'
import { rfcTimeouts, type SmtpTimeouts } from './smtp-dialogue.ts'

const firstRestMs = 300
const longestRestMs = 60_000

export class RelayGate {
  readonly relay: Relay
  #timeouts: SmtpTimeouts
  #stopping = new AbortController()
  #restUntil = 0
  #isProbing = false
  /** Failures in a row since it last answered a mail. */
  failures = 0
  /** Why it can't be used; null: it can. */
  trouble: string | null = null
  #troubleSince = 0
  /** The UTC day whose budget is used up. */
  spentOn: string | null = null

  #announcements: Announcements

  constructor(relay: Relay, announcements: Announcements, timeouts: SmtpTimeouts = rfcTimeouts) {
    this.relay = relay
    this.#announcements = announcements
    this.#timeouts = timeouts
  }

  /** Opens a connection. Throws RelayUnavailable. */
  async connect(): Promise<SmtpConnection> {
    try {
      const connection = await SmtpConnection.open(this.relay, this.#timeouts, {
        signal: this.#stopping.signal,
        announcements: this.#announcements,
      })
      this.trouble = null
      return connection
    } catch (cause) {
      this.failed((cause as RelayUnavailable).message)
      throw cause
    }
  }

  /** Tries a relay in trouble with one connection on behalf of all, at growing intervals. Resolves to whether it works. */
  async probe(): Promise<boolean> {
    if (this.trouble === null) return true
    if (this.#isProbing || performance.now() < this.#restUntil) return false
    this.#isProbing = true
    try {
      const connection = await this.connect()
      connection.quit()
      return true
    } catch {
      return false
    } finally {
      this.#isProbing = false
    }
  }

  /** Aborts attempts to connect, and makes no more. */
  stop(): void {
    this.#stopping.abort()
  }

  /** Whether it can accept mail of that lane now. */
  canWork(lane: Lane, now: Date): boolean {
    return this.trouble === null && (lane === 'transactional' || this.spentOn !== now.toISOString().slice(0, 10))
  }

  get troubleMs(): number {
    return this.trouble === null ? 0 : performance.now() - this.#troubleSince
  }

  /** It answered a mail, with any answer. */
  answered(): void {
    this.failures = 0
  }

  /** It couldn't be reached, or hung up on a connection's first mail. Simultaneous failures count once. */
  failed(why: string): void {
    const now = performance.now()
    if (this.trouble !== null && now < this.#restUntil) return
    this.failures++
    if (this.trouble === null) this.#troubleSince = now
    this.trouble = why
    this.#restUntil = now + Math.min(firstRestMs * 2 ** (this.failures - 1), longestRestMs)
  }
}

/** One gate per relay, with what the database knows about it. */
export function openGates(
  db: Db,
  { relays, timeouts, clock, log }: { relays: readonly Relay[]; timeouts: SmtpTimeouts; clock: Clock; log: Log },
): Promise<RelayGate[]> {
  const open = async (relay: Relay) => {
    const off = await findAnnouncementsOff(db, relay.name, clock.now())
    const remember = (why: string) => {
      log.warn({ relay: relay.name, why }, 'this relay is not told of the next mail any more, for a day')
      setAnnouncementsOff(db, relay.name, why, clock.now()).catch((cause: unknown) =>
        log.warn({ err: cause, relay: relay.name }, 'that could not be written down'),
      )
    }
    return new RelayGate(relay, new Announcements(off, remember), timeouts)
  }
  return Promise.all(relays.map(open))
}

/**
 * How many connections each relay gets for digests: the number in its address. Otherwise the heaviest gets all, and the others get
 * a share in proportion, at least one. Pure.
 */
export function shareConnections(relays: readonly Relay[], connections: number): number[] {
  const heaviest = Math.max(...relays.map((relay) => relay.weight))
  return relays.map((relay) => relay.connections ?? Math.max(1, Math.round((connections * relay.weight) / heaviest)))
}

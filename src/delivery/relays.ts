// The relays of a worker: each has a share of the connections by weight, and a circuit breaker. When one is down its connections
// rest and the others take the work: deliveries are pulled, never assigned.

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
  /** In a row, since it last answered a mail. */
  failures = 0
  /** Why it can't be used; null while all is well. */
  trouble: string | null = null
  #troubleSince = 0
  /** The UTC day whose budget is spent. */
  spentOn: string | null = null

  #announcements: Announcements

  constructor(relay: Relay, announcements: Announcements, timeouts: SmtpTimeouts = rfcTimeouts) {
    this.relay = relay
    this.#announcements = announcements
    this.#timeouts = timeouts
  }

  /** For one of its connections; throws RelayUnavailable. */
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

  /** While it is in trouble one attempt is made for all of its connections, at growing intervals. Resolves to whether it is well. */
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

  /** Ends the attempts to connect that are under way, and makes no more. */
  stop(): void {
    this.#stopping.abort()
  }

  /** Whether it can take mail of that lane now. */
  canWork(lane: Lane, now: Date): boolean {
    return this.trouble === null && (lane === 'transactional' || this.spentOn !== now.toISOString().slice(0, 10))
  }

  get troubleMs(): number {
    return this.trouble === null ? 0 : performance.now() - this.#troubleSince
  }

  /** It answered a mail, whatever it said. */
  answered(): void {
    this.failures = 0
  }

  /** Couldn't be reached, or hung up on a connection's first mail. Simultaneous failures count once. */
  failed(why: string): void {
    const now = performance.now()
    if (this.trouble !== null && now < this.#restUntil) return
    this.failures++
    if (this.trouble === null) this.#troubleSince = now
    this.trouble = why
    this.#restUntil = now + Math.min(firstRestMs * 2 ** (this.failures - 1), longestRestMs)
  }
}

/** One per relay, with what the database knows about it. */
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

/** How many connections each relay gets for digests: what its address says, else the heaviest all of them and the others in
 * proportion, each at least one. Pure. */
export function shareConnections(relays: readonly Relay[], connections: number): number[] {
  const heaviest = Math.max(...relays.map((relay) => relay.weight))
  return relays.map((relay) => relay.connections ?? Math.max(1, Math.round((connections * relay.weight) / heaviest)))
}

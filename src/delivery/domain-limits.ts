// Limits per recipient domain. At first there is no limit. A domain that throttles gets half of its connections, and half again;
// the limit then grows by one at a time. A domain that is only slow is limited to a few connections. So one slow provider doesn't
// delay the others.

const longestRestMs = 60_000
/** A rest this short isn't worth giving deliveries back for. */
const shortRestMs = 800
/** A limit above this is removed. */
const enough = 64
/** How many deliveries of a limited domain a worker keeps, per connection of its limit. */
const keptPerPlace = 5

interface Domain {
  /** Taken and not yet settled. */
  active: number
  /** Infinity: unlimited. */
  limit: number
  successes: number
  restUntil: number
  restMs: number
  /** Given back since the limit last changed. */
  parked: number
}

export class DomainLimits {
  #domains = new Map<string, Domain>()
  #now: () => number

  /** `now` in milliseconds, monotonic. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  mayStart(name: string): boolean {
    const domain = this.#domains.get(name)
    return !domain || (domain.active < domain.limit && this.#now() >= domain.restUntil)
  }

  /** Whether it was just throttled. Deliveries that were taken before that wait too. */
  isResting(name: string): boolean {
    const domain = this.#domains.get(name)
    return domain !== undefined && this.#now() < domain.restUntil
  }

  started(name: string): void {
    const domain = this.#domains.get(name)
    if (domain) domain.active++
    else this.#domains.set(name, { active: 1, limit: Infinity, successes: 0, restUntil: 0, restMs: 500, parked: 0 })
  }

  ended(name: string): void {
    const domain = this.#domains.get(name)
    if (!domain) return
    domain.active--
    if (domain.active <= 0 && domain.limit === Infinity) this.#domains.delete(name)
  }

  throttled(name: string): void {
    const domain = this.#domains.get(name)
    if (!domain) return
    // If several mails were under way together and all were throttled, the limit halves once.
    if (this.#now() < domain.restUntil) return
    if (domain.limit === 1) domain.restMs = Math.min(domain.restMs * 2, longestRestMs)
    domain.limit = Math.max(1, Math.floor(Math.min(domain.limit, domain.active) / 2))
    domain.successes = 0
    domain.restUntil = this.#now() + domain.restMs
  }

  activeOf(name: string): number {
    return this.#domains.get(name)?.active ?? 0
  }

  /** The domain is slow while others are quick (slow-domains.ts): limit it to so many connections. */
  tooSlow(name: string, limit: number): void {
    const domain = this.#domains.get(name)
    if (!domain) return
    domain.limit = Math.min(domain.limit, limit)
    domain.successes = 0
  }

  accepted(name: string): void {
    const domain = this.#domains.get(name)
    if (!domain || domain.limit === Infinity) return
    domain.successes++
    if (domain.successes < domain.limit * 3) return
    domain.successes = 0
    domain.parked = 0
    domain.restMs = 500
    domain.limit = domain.limit >= enough ? Infinity : domain.limit + 1
  }

  /**
   * null: the worker may keep a delivery of this domain. Otherwise the seconds after which it may be claimed again, so that a slow
   * domain doesn't fill the lane. `held`: how many of that domain the worker has already.
   */
  parkSeconds(name: string, held: number): number | null {
    const domain = this.#domains.get(name)
    if (!domain || domain.limit === Infinity) return null
    const isResting = domain.restUntil - this.#now() > shortRestMs
    if (!isResting && held < domain.limit * keptPerPlace) return null
    domain.parked++
    return Math.min(3600, (isResting ? 90 : 20) + Math.round(domain.parked / (2 * domain.limit)))
  }

  get isAnyLimited(): boolean {
    for (const domain of this.#domains.values()) if (domain.limit !== Infinity) return true
    return false
  }

  /** Limited domains, for metrics. */
  list(): { domain: string; limit: number; active: number }[] {
    return [...this.#domains]
      .filter(([, domain]) => domain.limit !== Infinity)
      .map(([domain, { limit, active }]) => ({ domain, limit, active }))
  }
}

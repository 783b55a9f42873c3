// Politeness per recipient domain: no limit at first; a domain that throttles gets half of what it has at once, again and again,
// and grows back one by one; one that only takes long is held to a few connections. So one slow provider holds up nobody else.

const longestRestMs = 60_000
/** A rest that isn't worth giving the deliveries back for. */
const shortRestMs = 800
/** Above it a limit is none. */
const enough = 64
/** How many of a limited domain's deliveries a worker keeps at hand. */
const keptPerPlace = 5

interface Domain {
  /** Taken and not yet settled. */
  active: number
  /** Infinity: unlimited. */
  limit: number
  successes: number
  restUntil: number
  restMs: number
  /** Given back since the limit last moved. */
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

  /** It was just throttled: what was taken before that waits too. */
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
    // Many mails that were under way together are told the same: that halves once.
    if (this.#now() < domain.restUntil) return
    if (domain.limit === 1) domain.restMs = Math.min(domain.restMs * 2, longestRestMs)
    domain.limit = Math.max(1, Math.floor(Math.min(domain.limit, domain.active) / 2))
    domain.successes = 0
    domain.restUntil = this.#now() + domain.restMs
  }

  activeOf(name: string): number {
    return this.#domains.get(name)?.active ?? 0
  }

  /** It holds connections for long while others are quick (slow-domains.ts): so many at a time are enough for it. */
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

  /** null: a delivery of this domain may be kept at hand; else the seconds after which it may be claimed again, so that a slow
   * domain doesn't fill the hands of the worker. `held`: how many of that domain it has already. */
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

// Which mail may be sent now: limits per recipient domain, the policy guard, and the budgets. Checked twice: when a connection
// takes a delivery, and right before the mail is named. Transactional mail isn't subject to the budgets.

import type { Clock } from '../base/clock.ts'
import type { Config } from '../base/config.ts'
import type { Relay } from '../base/relay.ts'
import type { Log } from '../base/log.ts'
import type { Db } from '../db/connect.ts'
import type { Lane } from '../db/schema.ts'
import type { Answers } from './answers.ts'
import { DomainLimits } from './domain-limits.ts'
import type { Fate } from './fate.ts'
import type { LeasedDelivery } from './lane.ts'
import { PolicyGuard } from './policy-guard.ts'
import { SingleMailLock } from './single-mail-lock.ts'
import { SlowDomains } from './slow-domains.ts'
import { shareConnections } from './relays.ts'
import { DayQuota, RateQuota, warmUpLimit } from './quota.ts'
import { clearStreak, countRefusal, markProven } from '../editions/guards.ts'

export interface TrafficOptions {
  db: Db
  config: Config
  clock: Clock
  relays: readonly Relay[]
  log: Log
  /** Where a brake is on. */
  answers: Answers
  workerId: number
  /** Mail that waited may be sent now. */
  freed: (lane: Lane) => void
}

export class Traffic {
  readonly limits = new DomainLimits()
  #guard = new PolicyGuard()
  #slow: SlowDomains
  #options: TrafficOptions
  #rate: RateQuota | null
  #rates = new Map<string, RateQuota>()
  #days = new Map<string, DayQuota>()
  #singleMails: SingleMailLock
  /** Single mails on the wire under brakes, with the ids of those brakes. */
  #braked = new Map<LeasedDelivery, readonly number[]>()

  constructor(options: TrafficOptions) {
    this.#options = options
    const { db, config, relays } = options
    this.#singleMails = new SingleMailLock({ ...options, freed: () => options.freed('transactional') })
    this.#slow = new SlowDomains(shareConnections(relays, config.smtp.connections).reduce((sum, n) => sum + n, 0))
    const { ratePerSecond } = config.smtp
    this.#rate = ratePerSecond ? new RateQuota(db, 'rate', ratePerSecond) : null
    for (const { name, ratePerSecond: rate, warmUp } of relays) {
      if (rate) this.#rates.set(name, new RateQuota(db, `rate ${name}`, rate))
      if (!warmUp) continue
      const first = Date.parse(warmUp.from)
      const limitOf = (now: Date) => warmUpLimit(warmUp, Math.floor((now.getTime() - first) / 86_400_000))
      this.#days.set(name, new DayQuota(db, name, limitOf))
    }
  }

  /** The deliveries of one claim, all of one edition. */
  claimed([first]: readonly LeasedDelivery[]): void {
    if (first?.edition) this.#guard.stands(first.editionId!, first.edition)
  }

  accepts(delivery: LeasedDelivery, relay: Relay): boolean {
    const { answers } = this.#options
    if (delivery.lane === 'transactional') return this.#singleMails.mayTry(answers.listBrakesOn(delivery, relay.name))
    if (answers.holds(delivery, relay.name)) return false
    return this.#guard.mayStart(delivery.editionId) && this.limits.mayStart(delivery.domain)
  }

  /** Keeps a provider that may turn out to be slow from occupying most connections first. */
  prefers(delivery: LeasedDelivery): boolean {
    return delivery.lane === 'transactional' || this.limits.activeOf(delivery.domain) < this.#slow.share
  }

  /** Called periodically: limits a domain that is much slower than others to a few connections. */
  look(): void {
    for (const domain of this.#slow.find()) this.limits.tooSlow(domain, this.#slow.places)
  }

  taken(delivery: LeasedDelivery): void {
    this.limits.started(delivery.domain)
  }

  /** Settled, or back in its lane. */
  returned(delivery: LeasedDelivery): void {
    this.limits.ended(delivery.domain)
  }

  /**
   * Waits for the budgets. `later`: not now; `spent`: not through this relay today. After `go`, the mail counts as on the wire
   * until `learned`.
   */
  async admit(delivery: LeasedDelivery, relay: Relay): Promise<'go' | 'later' | 'spent'> {
    if (delivery.lane === 'transactional') return this.#admitSingle(delivery, relay)
    if (!this.#guard.mayStart(delivery.editionId) || this.limits.isResting(delivery.domain)) return 'later'
    if (this.#options.answers.holds(delivery, relay.name)) return 'later'
    // Counts at once, because others ask while this one waits for its budget.
    this.#guard.started(delivery.editionId)
    let isAdmitted = false
    try {
      const day = this.#days.get(relay.name)
      if (day && !(await day.take(this.#options.clock.now()))) return 'spent'
      await this.#rate?.take()
      await this.#rates.get(relay.name)?.take()
      isAdmitted = true
      this.#slow.started(delivery)
      return 'go'
    } finally {
      if (!isAdmitted) this.#guard.ended(delivery.editionId, 'other')
    }
  }

  async #admitSingle(delivery: LeasedDelivery, relay: Relay): Promise<'go' | 'later'> {
    const { answers } = this.#options
    const brakes = answers.listBrakesOn(delivery, relay.name)
    if (!brakes.length) return 'go'
    if (!(await this.#singleMails.take(brakes))) {
      // A brake may have ended.
      await answers.refresh()
      return 'later'
    }
    this.#braked.set(delivery, brakes)
    return 'go'
  }

  /** Whether the mail may be announced before it is admitted: only if nothing except a later change can forbid it. */
  mayAnnounce(delivery: LeasedDelivery, relay: Relay): boolean {
    const { editionId, domain } = delivery
    if (this.#rate || this.#rates.has(relay.name) || this.#days.has(relay.name)) return false
    const isHeld = this.#options.answers.holds(delivery, relay.name)
    return this.#guard.isTrusted(editionId) && !this.limits.isResting(domain) && !isHeld
  }

  async learned(delivery: LeasedDelivery, fate: Fate): Promise<void> {
    const { domain } = delivery
    const brakes = this.#braked.get(delivery)
    if (brakes) {
      this.#braked.delete(delivery)
      await this.#singleMails.release(brakes)
    }
    this.#slow.answered(delivery)
    if (fate.class === 'sent') this.limits.accepted(domain)
    if (fate.class === 'throttled' || (fate.class === 'policy' && this.#guard.hasSuccess(delivery.editionId)))
      this.limits.throttled(domain)
    const end = fate.class === 'sent' || fate.class === 'policy' ? fate.class : 'other'
    const news = this.#guard.ended(delivery.editionId, end)
    if (news === 'nothing') return
    const { db, log, freed } = this.#options
    if (news === 'refused') return countRefusal(db, log, delivery.editionId!)
    freed('digest')
    await (news === 'proven' ? markProven : clearStreak)(db, delivery.editionId!)
  }

  /** The leased deliveries that should be given back, with the seconds after which to try them again. */
  screen(leased: readonly LeasedDelivery[]): Map<LeasedDelivery, number> {
    const held = new Map<string, number>()
    const parked = new Map<LeasedDelivery, number>()
    for (const delivery of leased) {
      const { domain } = delivery
      const count = held.get(domain) ?? 0
      const seconds = this.limits.parkSeconds(domain, count)
      if (seconds === null) held.set(domain, count + 1)
      else parked.set(delivery, seconds)
    }
    return parked
  }
}

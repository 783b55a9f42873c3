// A lane holds the deliveries that this worker has leased and not started: about half a second's worth, with prepared composers.
// Connections take from it. It claims more before it is empty. If a claim finds nothing, it waits until it is woken.

import type { Log } from '../base/log.ts'
import type { ClaimedDelivery, Composed, Composers, MailKind } from './composer.ts'
import type { EditionStanding } from './policy-guard.ts'

/** A claimed delivery with the fields that the delivery engine needs. */
export interface LeasedDelivery extends ClaimedDelivery {
  claim: Claim
  /** The recipient's domain. */
  domain: string
  /** As of the claim. null: no edition. */
  edition: EditionTerms | null
  /** It is sent again because nobody knows whether the relay accepted it. */
  wasUncertain: boolean
  doubts: number
  messageId: string | null
  /** Seconds since it was created. */
  ageSeconds: number
}

/** The edition's values that matter for sending. */
export interface EditionTerms extends EditionStanding {
  /** The edition's own retry window; null: the site's. */
  retryHours: number | null
}

/** Counts down as its deliveries are settled. At 0 the row may be deleted. */
export interface Claim {
  id: number
  open: number
}

export interface Ready {
  delivery: LeasedDelivery
  compose: () => Composed | Promise<Composed>
}

export interface LaneOptions {
  log: Log
  composers: Composers
  /** The most deliveries to hold. */
  capacity: number
  /** Leases up to `limit` deliveries. */
  claim: (limit: number) => Promise<LeasedDelivery[]>
  /** Gives back the deliveries that should wait, and returns the others. */
  screen: (leased: LeasedDelivery[]) => Promise<LeasedDelivery[]>
}

export class Lane {
  #options: LaneOptions
  #ready: Ready[] = []
  #waiters: ((hasWork: boolean) => void)[] = []
  #isFilling = false
  #isDry = false
  #isClosed = false
  /** Close once everything that may be sent now was sent. */
  #closesWhenDry = false
  /** Deliveries that a connection has taken and not yet settled. While draining, one of them may still come back. */
  taken = 0

  constructor(options: LaneOptions) {
    this.#options = options
  }

  /**
   * The next delivery that `accepts` allows, in order. null when there is none right now. A delivery that `prefers` rejects is
   * returned only if there is no other.
   */
  takeNow(
    accepts: (delivery: LeasedDelivery) => boolean = () => true,
    prefers: (delivery: LeasedDelivery) => boolean = () => true,
  ): Ready | null {
    if (!this.#isClosed && !this.#isDry && this.#ready.length <= this.#options.capacity / 2) void this.#fill()
    if (this.#isClosed) return null
    let at = this.#ready.findIndex(({ delivery }) => prefers(delivery) && accepts(delivery))
    if (at < 0) at = this.#ready.findIndex((ready) => accepts(ready.delivery))
    if (at < 0) return null
    const [ready] = at === 0 ? [this.#ready.shift()!] : this.#ready.splice(at, 1)
    this.taken++
    return ready!
  }

  /** Puts back deliveries that were taken and not started. */
  putBack(ready: readonly Ready[]): void {
    this.taken -= ready.length
    this.#ready.push(...ready)
    this.#tell(true)
  }

  /** A connection has settled the delivery that it took. */
  done(): void {
    this.taken--
    if (this.#closesWhenDry) this.#closeIfDone()
  }

  /** Resolves to true when it is worth taking again, to false when the lane has closed. */
  wait(): Promise<boolean> {
    if (this.#isClosed) return Promise.resolve(false)
    if (!this.#isDry && !this.#ready.length) void this.#fill()
    return new Promise((resolve) => this.#waiters.push(resolve))
  }

  /** There may be new deliveries to claim. */
  wake(): void {
    this.#isDry = false
    if (!this.#isClosed && this.#waiters.length) void this.#fill()
  }

  /** Deliveries that had to wait may be sent now. */
  nudge(): void {
    if (this.#ready.length) this.#tell(true)
    // The lane was emptied: there may be others to claim.
    else if (!this.#isDry && !this.#isClosed && this.#waiters.length) void this.#fill()
    else if (this.#closesWhenDry) this.#closeIfDone()
  }

  /** Connections get nothing more. */
  close(): void {
    this.#isClosed = true
    this.#tell(false)
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Removes the deliveries that aren't started: all, or those that `isWanted` selects. The caller settles them. */
  takeOut(isWanted: (delivery: LeasedDelivery) => boolean): LeasedDelivery[] {
    const out = this.#ready.filter((ready) => isWanted(ready.delivery))
    if (out.length) this.#ready = this.#ready.filter((ready) => !isWanted(ready.delivery))
    return out.map((ready) => ready.delivery)
  }

  list(): readonly LeasedDelivery[] {
    return this.#ready.map((ready) => ready.delivery)
  }

  closeWhenDry(): void {
    this.#closesWhenDry = true
    this.#closeIfDone()
  }

  get size(): number {
    return this.#ready.length
  }

  #closeIfDone(): void {
    if (this.#isDry && !this.#isFilling && !this.#ready.length && this.taken === 0) this.close()
  }

  #tell(hasWork: boolean): void {
    for (const resolve of this.#waiters.splice(0)) resolve(hasWork)
  }

  async #fill(): Promise<void> {
    if (this.#isFilling) return
    this.#isFilling = true
    try {
      do {
        const claimed = await this.#options.claim(this.#options.capacity - this.#ready.length)
        if (!claimed.length) this.#isDry = true
        else {
          const ready = await this.#prepare(await this.#options.screen(claimed))
          // Not earlier: `takeOut` may have replaced the array meanwhile.
          this.#ready.push(...ready)
        }
      } while (!this.#ready.length && !this.#isDry && !this.#isClosed)
    } catch (cause) {
      this.#isDry = true
      // A closed lane needs nothing more, and its database may be closed.
      if (!this.#isClosed)
        this.#options.log.warn({ err: cause }, 'claiming deliveries failed; the next wake tries again')
    }
    this.#isFilling = false
    if (this.#ready.length) this.#tell(true)
    if (this.#closesWhenDry) this.#closeIfDone()
  }

  async #prepare(claimed: readonly LeasedDelivery[]): Promise<Ready[]> {
    const byKind = new Map<MailKind, LeasedDelivery[]>()
    for (const delivery of claimed) {
      const same = byKind.get(delivery.kind)
      if (same) same.push(delivery)
      else byKind.set(delivery.kind, [delivery])
    }
    const composeBy = new Map<number, Ready['compose']>()
    for (const [kind, deliveries] of byKind) {
      try {
        const compose = await this.#options.composers[kind].prepare(deliveries)
        for (const delivery of deliveries) composeBy.set(delivery.id, () => compose(delivery))
      } catch (cause) {
        for (const delivery of deliveries) composeBy.set(delivery.id, () => Promise.reject(cause as Error))
      }
    }
    return claimed.map((delivery) => ({ delivery, compose: composeBy.get(delivery.id)! }))
  }
}

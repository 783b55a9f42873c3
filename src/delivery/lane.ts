// A lane holds what this worker has leased and not begun: about half a second's worth, composers prepared. Connections take from
// it; it claims more before it runs dry, and rests when a claim found nothing until it is woken.

import type { Log } from '../base/log.ts'
import type { ClaimedDelivery, Composed, Composers, MailKind } from './composer.ts'
import type { EditionStanding } from './policy-guard.ts'

/** A claimed delivery with what the engine itself needs of it. */
export interface LeasedDelivery extends ClaimedDelivery {
  claim: Claim
  /** Of the recipient. */
  domain: string
  /** As the claim read it; null: no edition. */
  edition: EditionTerms | null
  /** It is being sent again because nobody knows whether it was taken. */
  wasUncertain: boolean
  doubts: number
  messageId: string | null
  /** Since it was created. */
  ageSeconds: number
}

/** What of its edition concerns the sending. */
export interface EditionTerms extends EditionStanding {
  /** Its own window for retries; null: the site's. */
  retryHours: number | null
}

/** Counts down as its deliveries are settled; at 0 the row may go. */
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
  /** The most to hold. */
  capacity: number
  /** Leases up to `limit` deliveries. */
  claim: (limit: number) => Promise<LeasedDelivery[]>
  /** Gives back those of them that had better wait, and returns the others. */
  screen: (leased: LeasedDelivery[]) => Promise<LeasedDelivery[]>
}

export class Lane {
  #options: LaneOptions
  #ready: Ready[] = []
  #waiters: ((hasWork: boolean) => void)[] = []
  #isFilling = false
  #isDry = false
  #isClosed = false
  /** Close by itself once everything that may be sent now was sent. */
  #closesWhenDry = false
  /** Deliveries that a connection has taken and not yet settled: in a drain, one of them may still come back. */
  taken = 0

  constructor(options: LaneOptions) {
    this.#options = options
  }

  /** The next delivery that `accepts` lets through, in order; null when there is none right now. What `prefers` says no to goes
   * only when there is nothing else. */
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

  /** They were taken and not begun. */
  putBack(ready: readonly Ready[]): void {
    this.taken -= ready.length
    this.#ready.push(...ready)
    this.#tell(true)
  }

  /** A connection has settled what it took. */
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

  /** There may be something new to claim. */
  wake(): void {
    this.#isDry = false
    if (!this.#isClosed && this.#waiters.length) void this.#fill()
  }

  /** What couldn't go a moment ago may go now. */
  nudge(): void {
    if (this.#ready.length) this.#tell(true)
    // What was here has been taken out: others may be waiting to be claimed.
    else if (!this.#isDry && !this.#isClosed && this.#waiters.length) void this.#fill()
    else if (this.#closesWhenDry) this.#closeIfDone()
  }

  /** Connections find nothing more. */
  close(): void {
    this.#isClosed = true
    this.#tell(false)
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Takes out what is leased and not begun, all of it or what `isWanted` chooses. The caller settles it. */
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
          // Not before: `takeOut` may have put another array in its place meanwhile.
          this.#ready.push(...ready)
        }
      } while (!this.#ready.length && !this.#isDry && !this.#isClosed)
    } catch (cause) {
      this.#isDry = true
      // A closed lane needs nothing more, and its database may be closed by now.
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

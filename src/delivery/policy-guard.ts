// "550 5.7.x": not this address, we. After ten such answers in a row an edition is paused for an editor to look at, and nobody is
// suppressed. So that ten doesn't become hundreds, an edition starts with a few mails at a time until one was taken, and falls
// back to one at a time with the first such answer.
//
// This is what one worker knows; what all of them know together is in the database (edition-guards.ts): until an edition is
// proven, one worker alone tries. A relay that turns against us half way can still refuse what is on the wire at that moment.

import { streakThatPauses } from '../editions/guards.ts'

/** Of an edition that no relay has taken a mail of yet: on the wire at a time. */
const unprovenMails = 8
/** The same for a worker that hasn't sent a mail of it, while others have. */
const newcomerMails = 3
/** A server that is silent doesn't refuse: one more may try for each second of silence, up to so many without an answer. */
const silentMs = 1000
const mostUnanswered = 18

export interface EditionStanding {
  /** A relay has taken a mail of it, since it was last paused. */
  isProven: boolean
  /** Refusals of us in a row, by all workers. */
  policyStreak: number
}

interface Watched extends EditionStanding {
  onWire: number
  hasSuccess: boolean
  movedAt: number
}

/** What the others must be told. */
export type GuardNews = 'nothing' | 'proven' | 'recovered' | 'refused'

export class PolicyGuard {
  #editions = new Map<number, Watched>()
  #now: () => number

  /** `now` in milliseconds, monotonic. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** What a claim read: another worker may have been refused, or an editor may have resumed what was paused. */
  stands(editionId: number, { isProven, policyStreak }: EditionStanding): void {
    const edition = this.#editions.get(editionId)
    if (!edition)
      this.#editions.set(editionId, { isProven, policyStreak, onWire: 0, hasSuccess: false, movedAt: this.#now() })
    else {
      if (!isProven) edition.hasSuccess = false
      edition.isProven = isProven
      edition.policyStreak = Math.max(edition.policyStreak, policyStreak)
    }
  }

  mayStart(editionId: number | null): boolean {
    const edition = editionId === null ? undefined : this.#editions.get(editionId)
    if (!edition) return true
    const { policyStreak, hasSuccess, isProven, onWire, movedAt } = edition
    if (policyStreak === 0 && hasSuccess) return true
    const atOnce = policyStreak > 0 ? 1 : isProven ? newcomerMails : unprovenMails
    const silent = Math.floor((this.#now() - movedAt) / silentMs)
    return onWire < atOnce + silent && onWire + Math.min(policyStreak, streakThatPauses) < mostUnanswered
  }

  started(editionId: number | null): void {
    const edition = editionId === null ? undefined : this.#editions.get(editionId)
    if (!edition) return
    edition.onWire++
    edition.movedAt = this.#now()
  }

  /** We have sent mails of it that were taken: then a refusal of us is one domain's opinion. Otherwise it may be everybody's, and
   * is found out sooner when no domain is spared. */
  hasSuccess(editionId: number | null): boolean {
    return editionId !== null && this.#editions.get(editionId)?.hasSuccess === true
  }

  /** Mails of it were taken, and none was refused because of us since. */
  isTrusted(editionId: number | null): boolean {
    return this.hasSuccess(editionId) && this.#editions.get(editionId!)!.policyStreak === 0
  }

  /** `other`: said nothing about us, or wasn't sent at all. */
  ended(editionId: number | null, end: 'sent' | 'policy' | 'other'): GuardNews {
    const edition = editionId === null ? undefined : this.#editions.get(editionId)
    if (!edition) return 'nothing'
    edition.onWire--
    edition.movedAt = this.#now()
    if (end === 'policy') {
      edition.policyStreak++
      return 'refused'
    }
    if (end === 'other') return 'nothing'
    const news = !edition.isProven ? 'proven' : edition.policyStreak > 0 ? 'recovered' : 'nothing'
    edition.isProven = true
    edition.hasSuccess = true
    edition.policyStreak = 0
    return news
  }
}

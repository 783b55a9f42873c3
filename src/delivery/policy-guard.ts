// "550 5.7.x" means that the sender is refused, not the address. After ten such answers in a row an edition is paused for an
// editor, and no address is suppressed. To keep ten from becoming hundreds, an edition starts with a few mails at a time until one
// was accepted, and returns to one at a time at the first such answer.
//
// This is the knowledge of one worker. The knowledge of all workers is in the database (editions/guards.ts): until an edition is
// proven, only one worker tries. If a relay begins to refuse us later, it can still refuse everything that is on the wire at that
// moment.

import { streakThatPauses } from '../editions/guards.ts'

/** Mails on the wire at a time while no relay has accepted a mail of the edition. */
const unprovenMails = 8
/** The same for a worker that hasn't sent a mail of the edition while others have. */
const newcomerMails = 3
/** A silent server doesn't refuse: one more mail may be tried per second of silence, up to this many without an answer. */
const silentMs = 1000
const mostUnanswered = 18

export interface EditionStanding {
  /** A relay has accepted a mail of it since it was last paused. */
  isProven: boolean
  /** Refusals of the sender in a row, by all workers. */
  policyStreak: number
}

interface Watched extends EditionStanding {
  onWire: number
  hasSuccess: boolean
  movedAt: number
}

/** What the other workers must be told. */
export type GuardNews = 'nothing' | 'proven' | 'recovered' | 'refused'

export class PolicyGuard {
  #editions = new Map<number, Watched>()
  #now: () => number

  /** `now` in milliseconds, monotonic. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** What a claim read: another worker may have been refused, or an editor may have resumed a paused edition. */
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

  /**
   * Mails of it that we sent were accepted, so a refusal of the sender is one domain's opinion. Otherwise it may be every
   * domain's, which shows sooner if no domain is skipped.
   */
  hasSuccess(editionId: number | null): boolean {
    return editionId !== null && this.#editions.get(editionId)?.hasSuccess === true
  }

  /** Mails of it were accepted, and none was refused because of the sender since. */
  isTrusted(editionId: number | null): boolean {
    return this.hasSuccess(editionId) && this.#editions.get(editionId!)!.policyStreak === 0
  }

  /** `other`: the answer says nothing about the sender, or the mail wasn't sent. */
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

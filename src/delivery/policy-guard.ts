// "550 5.7.x": not this address, we. After ten such answers in a row an edition is paused for an editor to look at, and nobody is
// suppressed. So that ten doesn't become hundreds, an edition starts with a few mails at a time until one was taken, and falls
// back to one at a time with the first such answer.

const streakThatPauses = 10
const cautiousMails = 8

interface Watched {
  onWire: number
  hasSuccess: boolean
  streak: number
}

export class PolicyGuard {
  #editions = new Map<number, Watched>()

  mayStart(editionId: number | null): boolean {
    const edition = editionId === null ? undefined : this.#editions.get(editionId)
    if (!edition) return true
    if (edition.streak > 0) return edition.onWire === 0
    return edition.hasSuccess || edition.onWire < cautiousMails
  }

  started(editionId: number | null): void {
    if (editionId === null) return
    const edition = this.#editions.get(editionId)
    if (edition) edition.onWire++
    else this.#editions.set(editionId, { onWire: 1, hasSuccess: false, streak: 0 })
  }

  /** True when the edition must be paused now. */
  ended(editionId: number | null, end: 'sent' | 'policy' | 'other'): boolean {
    const edition = editionId === null ? undefined : this.#editions.get(editionId)
    if (!edition) return false
    edition.onWire--
    if (end === 'sent') {
      edition.hasSuccess = true
      edition.streak = 0
    }
    if (end !== 'policy') return false
    edition.streak++
    if (edition.streak < streakThatPauses) return false
    // Resumed later it starts cautiously again.
    edition.streak = 0
    edition.hasSuccess = false
    return true
  }
}

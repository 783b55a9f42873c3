// When "this address is dead" is no longer believed. Pure.
//
// Both a number and a share must be exceeded: a small list may lose three of five addresses, and a large one twenty.
//
// The number is 20: as many addresses as an editor can look through, and never more are suppressed before somebody is asked. The share
// is 30 % within ten minutes: a tended list has 1 to 5 % dead addresses, an old one that was just imported perhaps 15 %; a provider
// that has lost its directory says it of everybody.
//
// Ten minutes of good answers before an outage would hide it for as long again. So the newest 21 dead answers also count alone: when
// every second answer since the first of them was dead, that is enough. With 15 % dead addresses that happens by chance once in ten
// million answers.

import type { Brake, Lane } from '../db/schema.ts'

export const mostDead = 20
export const windowMinutes = 10
const mostShare = 0.3
const mostShareOfNewest = 0.5
/** How far apart the newest 21 may be. */
export const newestMinutes = 60

export interface Counted {
  dead: number
  /** All others: taken, put off or refused for any other reason. */
  others: number
}

export interface Measured {
  /** In the window. */
  recent: Counted
  /** Since the first of the newest 21 dead ones; null: there are fewer. */
  newest: Counted | null
}

/** Which of the two shows that it can't be true; null: it may well be. */
export function implausible({ recent, newest }: Measured): 'recent' | 'newest' | null {
  if (newest && exceeds(newest, mostShareOfNewest)) return 'newest'
  return exceeds(recent, mostShare) ? 'recent' : null
}

export function exceedsShare(counted: Counted): boolean {
  return exceeds(counted, mostShare)
}

function exceeds({ dead, others }: Counted, share: number): boolean {
  return dead > mostDead && dead / (dead + others) > share
}

/** Stage of a delivery that a brake keeps waiting. */
export const heldStage = 'brake'

/** Of a delivery and the relay that carries it. */
export interface Course {
  lane: Lane
  domain: string
  relay: string
  editionId: number | null
}

/** Whether an answer to a delivery on that course isn't to be believed while this brake is on. A relay whose answers to an edition
 * are in doubt is no better for single mails. */
export function doubts(brake: Pick<Brake, 'domain' | 'relay' | 'editionId' | 'holdsDigests'>, course: Course): boolean {
  return covers(brake, course) || (brake.relay === course.relay && course.lane === 'transactional')
}

/** Whether what is said about a delivery on that course is for this brake. */
export function covers(brake: Pick<Brake, 'domain' | 'relay' | 'editionId' | 'holdsDigests'>, course: Course): boolean {
  if (brake.domain === null) return brake.relay === course.relay && brake.editionId === course.editionId
  return brake.domain === course.domain && (brake.holdsDigests || course.lane === 'transactional')
}

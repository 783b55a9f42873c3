// When an answer "this address is dead" is no longer believed. Pure.
//
// Both a number and a share must be exceeded: a small list may lose three of five addresses, and a large one twenty.
//
// The number is 20: an editor can check that many by hand, and no more are suppressed before an editor decides. The share is 30 %
// within ten minutes: a maintained list has 1 to 5 % dead addresses, an old list that was just imported perhaps 15 %. A provider
// that lost its directory calls every address dead.
//
// Ten minutes of good answers before an outage would hide it for another ten minutes. So the newest 21 dead answers also count
// alone: it is enough if half of all answers since the first of them were dead. With 15 % dead addresses, chance alone does that
// once in ten million answers.

import type { Brake, Lane } from '../db/schema.ts'

export const mostDead = 20
export const windowMinutes = 10
const mostShare = 0.3
const mostShareOfNewest = 0.5
/** The newest 21 dead answers count only if they arrived within this time. */
export const newestMinutes = 60

export interface Counted {
  dead: number
  /** All other answers: accepted, deferred, or refused for any other reason. */
  others: number
}

export interface Measured {
  /** Within the window. */
  recent: Counted
  /** Since the first of the newest 21 dead answers. null: there are fewer. */
  newest: Counted | null
}

/** Which of the two measurements is implausible. null: neither. */
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

/** The stage of a delivery that waits under a brake. */
export const heldStage = 'brake'

/** The domain and edition of a delivery, and its relay. */
export interface Course {
  lane: Lane
  domain: string
  relay: string
  editionId: number | null
}

/**
 * Whether this brake keeps an answer to a delivery on that course from being believed. If a relay's answers to an edition are in
 * doubt, so are its answers to single mails.
 */
export function doubts(brake: Pick<Brake, 'domain' | 'relay' | 'editionId' | 'holdsDigests'>, course: Course): boolean {
  return covers(brake, course) || (brake.relay === course.relay && course.lane === 'transactional')
}

/** Whether an answer to a delivery on that course counts for this brake. */
export function covers(brake: Pick<Brake, 'domain' | 'relay' | 'editionId' | 'holdsDigests'>, course: Course): boolean {
  if (brake.domain === null) return brake.relay === course.relay && brake.editionId === course.editionId
  return brake.domain === course.domain && (brake.holdsDigests || course.lane === 'transactional')
}

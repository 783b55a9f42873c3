// How the next turn (group-commit.ts) writes the end of a leased delivery.

import type { SkipReason } from '../db/schema.ts'
import type { DigestRecord } from './composer.ts'
import { heldStage } from './brake-rules.ts'
import { decideFate, type Fate, type FateRules, secondsLeft } from './fate.ts'
import type { Settlement, Verdict } from './statements.ts'
import type { LeasedDelivery } from './lane.ts'
import type { SmtpOutcome } from './smtp-dialogue.ts'

const nothing = {
  state: null,
  reason: null,
  retryInSeconds: null,
  wasTried: false,
  isDoubt: false,
  reply: null,
  note: null,
  stage: null,
  relay: null,
  sizeBytes: null,
  messageId: null,
  record: null,
} satisfies Omit<Settlement, 'delivery'>

/** Unchanged, to be claimed again after so many seconds. */
export function leaseGivenBack(delivery: LeasedDelivery, retryInSeconds: number): Settlement {
  return { ...nothing, delivery, retryInSeconds }
}

export function skipped(delivery: LeasedDelivery, reason: SkipReason): Settlement {
  return { ...nothing, delivery, state: 'skipped', reason }
}

/**
 * Under a brake a delivery waits for an editor without being tried. After its retry window it is failed, and no address is
 * suppressed.
 */
export function heldByBrake(delivery: LeasedDelivery, rules: Pick<FateRules, 'retryHours'>): Settlement {
  const retryInSeconds = secondsLeft(delivery, rules)
  const isOver = retryInSeconds === null
  return {
    ...nothing,
    delivery,
    state: delivery.wasUncertain ? 'uncertain' : isOver ? 'failed' : 'deferred',
    retryInSeconds,
    stage: heldStage,
    note: isOver ? 'held by a brake, and no editor decided in time' : 'held by a brake: an editor decides',
  }
}

/** The turn refused the mail. If it was to be sent again, it stays uncertain. */
export function refusedBy(verdict: Exclude<Verdict, 'go'>, delivery: LeasedDelivery): Settlement {
  if (verdict === 'hold') return leaseGivenBack(delivery, 0)
  return delivery.wasUncertain ? { ...nothing, delivery, state: 'uncertain' } : skipped(delivery, verdict)
}

/** A mail that can't be built is a bug of ours. It is retried like any other, so that a new release can send it. */
export function notComposed(delivery: LeasedDelivery, rules: FateRules): Settlement {
  const reply = { code: 451, enhanced: null, text: 'it could not be composed' }
  const fate = decideFate(delivery, { isAccepted: false, stage: 'rcpt', reply, cause: null }, rules)
  return {
    ...nothing,
    delivery,
    state: fate.state,
    retryInSeconds: fate.retryInSeconds,
    wasTried: true,
    stage: 'compose',
    note: 'the mail could not be composed; the log says why',
  }
}

/** After a dialogue with the relay of this name. */
export function tried(
  { delivery, messageId, record }: { delivery: LeasedDelivery; messageId: string; record: DigestRecord | null },
  fate: Fate,
  outcome: SmtpOutcome,
  { relay, sizeBytes }: { relay: string; sizeBytes: number },
): Settlement {
  const isOnRecord = fate.state === 'sent' || fate.state === 'uncertain'
  return {
    delivery,
    state: fate.state,
    reason: null,
    retryInSeconds: fate.retryInSeconds,
    wasTried: fate.wasTried,
    isDoubt: fate.isDoubt,
    reply: outcome.reply,
    note: outcome.reply ? null : `cut off: ${outcome.cause ?? 'no answer'}`,
    stage: outcome.stage,
    relay,
    sizeBytes,
    messageId,
    // A mail that is sent again was recorded when it became uncertain. A newer edition may have moved its watermarks since.
    record: isOnRecord && !delivery.wasUncertain ? record : null,
  }
}

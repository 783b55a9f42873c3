// Derives what happens to a delivery from the end of its SMTP dialogue. Pure. This decides that nothing is lost and almost nothing
// is sent twice.

import { isGivenUp, retryWithin } from './backoff.ts'
import type { LeasedDelivery } from './lane.ts'
import { classifyReply, type ReplyClass } from './reply-class.ts'
import type { SmtpOutcome } from './smtp-dialogue.ts'
import type { Settlement } from './statements.ts'

export interface FateRules {
  /** The site's retry window in hours. An edition may have a shorter one. */
  retryHours: number
  uncertain: 'resend' | 'hold'
  random: number
}

/** A policy refusal is about the sender, but one recipient's server may mean only this mail: the third such answer is final. */
const policyTries = 3

/** After so many tries, a cut connection counts like a deferral. */
const quickTries = 5

export interface Fate {
  class: 'sent' | 'uncertain' | ReplyClass
  state: Settlement['state']
  retryInSeconds: number | null
  wasTried: boolean
  isDoubt: boolean
}

export function decideFate(delivery: LeasedDelivery, outcome: SmtpOutcome, rules: FateRules): Fate {
  if (outcome.isAccepted) return { class: 'sent', state: 'sent', retryInSeconds: null, wasTried: true, isDoubt: false }
  if (!outcome.reply) {
    if (outcome.stage === 'dot') {
      // Nobody knows whether the relay accepted it (RFC 1047). It is sent again once. A second doubt waits for an editor.
      const isResent = rules.uncertain === 'resend' && delivery.doubts === 0
      return {
        class: 'uncertain',
        state: 'uncertain',
        retryInSeconds: isResent ? 0 : null,
        wasTried: true,
        isDoubt: true,
      }
    }
    return cutOff(delivery, rules)
  }
  const kind = classifyReply(outcome.stage, outcome.reply)
  if (kind === 'connection') return cutOff(delivery, rules)
  const isFinal =
    kind === 'dead' ||
    kind === 'refused' ||
    (kind === 'policy' && delivery.attempt + 1 >= policyTries) ||
    isGivenUp(delivery.attempt, delivery.ageSeconds, windowOf(delivery, rules))
  if (isFinal)
    // An uncertain delivery stays uncertain: the refusal of its repetition says nothing about the first mail.
    return {
      class: kind,
      state: delivery.wasUncertain ? 'uncertain' : 'failed',
      retryInSeconds: null,
      wasTried: true,
      isDoubt: false,
    }
  return {
    class: kind,
    state: delivery.wasUncertain ? 'uncertain' : 'deferred',
    retryInSeconds: retryIn(delivery, delivery.attempt, rules),
    wasTried: true,
    isDoubt: false,
  }
}

/**
 * The address was called dead, but under a brake that answer isn't believed (brakes.ts). A digest waits until an editor decides or
 * its window has passed, and the try doesn't count. Other mails are retried as after any temporary answer.
 */
export function fateUnderBrake(delivery: LeasedDelivery, rules: FateRules): Fate {
  const fate = { class: 'dead', wasTried: true, isDoubt: false } as const
  if (delivery.lane === 'transactional') {
    const isOver = isGivenUp(delivery.attempt, delivery.ageSeconds, windowOf(delivery, rules))
    const retryInSeconds = isOver ? null : retryIn(delivery, delivery.attempt, rules)
    const state = delivery.wasUncertain ? 'uncertain' : isOver ? 'failed' : 'deferred'
    return { ...fate, state, retryInSeconds }
  }
  const left = secondsLeft(delivery, rules)
  if (left === null) return { ...fate, state: delivery.wasUncertain ? 'uncertain' : 'failed', retryInSeconds: null }
  return { ...fate, state: delivery.wasUncertain ? 'uncertain' : 'deferred', retryInSeconds: left, wasTried: false }
}

/** Seconds until the retry window has passed. null: it has passed. */
export function secondsLeft(delivery: LeasedDelivery, rules: Pick<FateRules, 'retryHours'>): number | null {
  const left = windowOf(delivery, rules) * 3600 - delivery.ageSeconds
  return left > 0 ? Math.ceil(left) + 1 : null
}

/**
 * Certainly not accepted, and the relay said nothing about the mail: it is queued again after a moment, as the relay may be
 * restarting. A mail that cuts its connection repeatedly waits as long as a deferred one.
 */
function cutOff(delivery: LeasedDelivery, rules: FateRules): Fate {
  const isGone = isGivenUp(delivery.attempt, delivery.ageSeconds, windowOf(delivery, rules))
  const tries = delivery.attempt - quickTries
  return {
    class: 'connection',
    state: isGone ? (delivery.wasUncertain ? 'uncertain' : 'failed') : null,
    retryInSeconds: isGone ? null : tries < 0 ? 1 + rules.random : retryIn(delivery, tries, rules),
    wasTried: true,
    isDoubt: false,
  }
}

function windowOf({ edition }: LeasedDelivery, rules: Pick<FateRules, 'retryHours'>): number {
  return Math.min(rules.retryHours, edition?.retryHours ?? rules.retryHours)
}

function retryIn(delivery: LeasedDelivery, attempt: number, rules: FateRules): number {
  return retryWithin(attempt, rules.random, delivery.ageSeconds, windowOf(delivery, rules))
}

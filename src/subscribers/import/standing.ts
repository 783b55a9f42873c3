// The status of an address in another system, in our words, from the least to the most strict. Of several statements about one
// address, the strictest counts.

import type { SubscriberStatus } from '../../db/schema.ts'
import type { SuppressionReason } from '../suppression.ts'

/** pending: signed up there and never confirmed. bounced, complained, blocked: must not be mailed. */
export const standings = ['subscribed', 'pending', 'unsubscribed', 'bounced', 'complained', 'blocked'] as const
export type Standing = (typeof standings)[number]

export const strictnessOf = (standing: Standing): number => standings.indexOf(standing)

/** null: nothing is known. */
export function stricter(one: Standing | null, other: Standing | null): Standing | null {
  if (!one || !other) return one ?? other
  return strictnessOf(other) > strictnessOf(one) ? other : one
}

/** The status of a new subscriber here. `isOurs`: the file is our own export, whose pending sign-ups may still confirm here. */
export function statusFor(standing: Standing, isOurs: boolean): SubscriberStatus {
  if (standing === 'subscribed') return 'active'
  if (standing === 'pending') return isOurs ? 'pending' : 'unsubscribed'
  return standing === 'unsubscribed' ? 'unsubscribed' : 'suppressed'
}

export const reasonFor: Record<'bounced' | 'complained' | 'blocked', SuppressionReason> = {
  bounced: 'hard_bounce',
  complained: 'complaint',
  blocked: 'manual',
}

export function isSuppressing(standing: Standing): standing is keyof typeof reasonFor {
  return standing in reasonFor
}

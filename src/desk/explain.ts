// Why a subscriber did or didn't get each recent edition, in sentences.

import type { Context } from '../db/context.ts'
import type { Delivery, Edition, SkipReason, Subscriber } from '../db/schema.ts'
import { nextDueAt } from '../calendar/cadence.ts'
import { scheduleOf } from '../calendar/schedules.ts'

const recentEditions = 30

export interface Explained {
  edition: Edition
  delivery: Delivery | undefined
  at: Date
  why: string
}

/** The newest editions, newest first, and the result of each for this subscriber. */
export async function explainRecent(ctx: Context, subscriber: Subscriber): Promise<Explained[]> {
  const editions = await ctx.db.selectFrom('editions').selectAll().orderBy('id', 'desc').limit(recentEditions).execute()
  const deliveries = editions.length
    ? await ctx.db
        .selectFrom('deliveries')
        .selectAll()
        .where('subscriberId', '=', subscriber.id)
        .where(
          'editionId',
          'in',
          editions.map((edition) => edition.id),
        )
        .execute()
    : []
  return editions.map((edition) => {
    const delivery = deliveries.find((each) => each.editionId === edition.id)
    return {
      edition,
      delivery,
      at: edition.slotAt ?? edition.createdAt,
      why: delivery ? explainDelivery(delivery, edition) : explainAbsence(ctx, edition, subscriber),
    }
  })
}

/** Whether and when the subscriber gets mail. Pure. */
export function whyDue(subscriber: Subscriber, now: Date): string {
  const { status, pausedUntil, nextDueAt } = subscriber
  if (status === 'pending') return 'has not confirmed yet, so it gets no digest.'
  if (status === 'unsubscribed')
    return `unsubscribed ${subscriber.unsubscribedAt?.toISOString() ?? ''}, so it gets no digest.`
  if (status === 'suppressed') return 'is on the suppression list, so it gets no mail.'
  if (!nextDueAt) return 'is active, but has chosen no categories, so it is never due.'
  const pause = pausedUntil && pausedUntil > now ? ` Paused until ${pausedUntil.toISOString()}.` : ''
  return `is active. The next digest is due at ${nextDueAt.toISOString()}.${pause}`
}

const reasons: Record<SkipReason, string> = {
  nothing_new: 'nothing new in the categories that were due',
  unsubscribed: 'unsubscribed before the mail was sent',
  suppressed: 'the address is on the suppression list',
  paused: 'paused',
  superseded: 'not sent before the next slot, so merged into the next digest',
  withdrawn: 'all its stories were withdrawn or held',
  cancelled: 'an editor cancelled the edition',
}

/** Pure. */
export function explainDelivery(delivery: Delivery, edition: Pick<Edition, 'state'>): string {
  const reply = delivery.smtpReply ? ` (${delivery.smtpCode ?? ''} ${delivery.smtpReply})`.replace('( ', '(') : ''
  switch (delivery.state) {
    case 'sent':
      return `sent ${delivery.settledAt?.toISOString() ?? ''} with ${delivery.articleIds?.length ?? 0} stories`
    case 'failed':
      return `failed${reply}`
    case 'uncertain':
      return delivery.nextAttemptAt
        ? 'may have arrived, and is about to be sent again'
        : `may have arrived: the connection broke before the relay answered${reply}`
    case 'skipped':
      return reasons[delivery.reason!]
    case 'deferred':
      return `deferred${reply}; tried ${delivery.attempt} times`
    case 'queued':
      return edition.state === 'sending' ? 'waiting to be sent' : `waiting: the edition is ${edition.state}`
  }
}

function explainAbsence(ctx: Context, edition: Edition, subscriber: Subscriber): string {
  const at = edition.slotAt ?? edition.createdAt
  if (!subscriber.confirmedAt || subscriber.confirmedAt > at) return 'not confirmed at that time'
  if (subscriber.unsubscribedAt && subscriber.unsubscribedAt < at) return 'unsubscribed before'
  if (subscriber.pausedUntil && subscriber.pausedUntil > at) return 'paused'
  if (edition.kind === 'announcement') return 'not planned'
  if (edition.kind === 'manual')
    return edition.onlySubscriberId
      ? 'sent to one other subscriber only'
      : 'none of its categories chosen, or another digest was open'
  // By today's choice, which may have been different then.
  const slot = nextDueAt(scheduleOf(subscriber, ctx.config.digest), new Date(at.getTime() - 1))
  if (slot?.getTime() !== at.getTime()) return 'nothing was due at this slot'
  if (edition.state === 'missed') return 'no worker ran at this slot or within DIGEST_GRACE_HOURS after it'
  return edition.plannedAt ? 'not due at this slot when it was planned' : 'not planned yet'
}

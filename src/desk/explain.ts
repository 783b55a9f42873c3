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

/** The newest editions, newest first, and what came of each for this subscriber. */
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

/** Whether anything comes at all, and when. Pure. */
export function whyDue(subscriber: Subscriber, now: Date): string {
  const { status, pausedUntil, nextDueAt } = subscriber
  if (status === 'pending') return 'has not confirmed yet, so gets no digest.'
  if (status === 'unsubscribed')
    return `unsubscribed ${subscriber.unsubscribedAt?.toISOString() ?? ''}, so gets no digest.`
  if (status === 'suppressed') return 'is on the suppression list, so gets no mail.'
  if (!nextDueAt) return 'is active, but has chosen nothing, so nothing is ever due.'
  const pause = pausedUntil && pausedUntil > now ? ` Paused until ${pausedUntil.toISOString()}.` : ''
  return `is active; the next digest is due at ${nextDueAt.toISOString()}.${pause}`
}

const reasons: Record<SkipReason, string> = {
  nothing_new: 'nothing new in the categories that were due',
  unsubscribed: 'had unsubscribed when it was their turn',
  suppressed: 'the address is on the suppression list',
  paused: 'had paused',
  superseded: 'not sent before the next slot came, so it was merged into the next digest',
  withdrawn: 'all its stories had been withdrawn or held',
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
        ? 'may have arrived; it is about to be sent again'
        : `may have arrived: the connection ended before the answer${reply}`
    case 'skipped':
      return reasons[delivery.reason!]
    case 'deferred':
      return `deferred${reply}; tried ${delivery.attempt} times`
    case 'queued':
      return edition.state === 'sending' ? 'waits for its turn' : `waits: the edition is ${edition.state}`
  }
}

function explainAbsence(ctx: Context, edition: Edition, subscriber: Subscriber): string {
  const at = edition.slotAt ?? edition.createdAt
  if (!subscriber.confirmedAt || subscriber.confirmedAt > at) return 'had not confirmed yet'
  if (subscriber.unsubscribedAt && subscriber.unsubscribedAt < at) return 'had unsubscribed'
  if (subscriber.pausedUntil && subscriber.pausedUntil > at) return 'had paused'
  if (edition.kind === 'announcement') return 'not planned'
  if (edition.kind === 'manual')
    return edition.onlySubscriberId
      ? 'was for one other subscriber'
      : 'has none of its categories, or had another digest open'
  // As the choice is today: it may have been another then.
  const slot = nextDueAt(scheduleOf(subscriber, ctx.config.digest), new Date(at.getTime() - 1))
  if (slot?.getTime() !== at.getTime()) return 'nothing was due for them at this slot'
  if (edition.state === 'missed') return 'nothing ran at this slot, nor within the grace'
  return edition.plannedAt ? 'was not due at this slot when it was planned' : 'not planned yet'
}

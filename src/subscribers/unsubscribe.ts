// Leaving, by page, by one-click or by mail; and coming back within 30 days. Always at once and always safe to repeat. Nothing
// that is queued needs touching: delivery reads the status again in the statement that puts a mail on the wire.

import type { Context } from '../db/context.ts'
import type { Subscriber } from '../db/schema.ts'
import { recordConsent, wordingOf, type Origin } from './consent.ts'
import { setDueTime } from './due-times.ts'
import { linkDays } from './links.ts'
import { lockSubscriber } from './store.ts'
import { listChosen, whenDue } from './subscriptions.ts'

export type Way = 'page' | 'one-click' | 'mail' | 'api' | 'editor'

/** undefined when there is no such subscriber. A suppressed one stays suppressed. */
export async function unsubscribe(
  ctx: Context,
  subscriberId: number,
  how: { way: Way; origin: Origin },
): Promise<Subscriber | undefined> {
  const now = ctx.clock.now()
  return ctx.db.transaction().execute(async (trx) => {
    const subscriber = await lockSubscriber(trx, subscriberId)
    if (!subscriber || (subscriber.status !== 'active' && subscriber.status !== 'pending')) return subscriber
    const gone = { status: 'unsubscribed', unsubscribedAt: now } as const
    await trx.updateTable('subscribers').set(gone).where('id', '=', subscriberId).execute()
    await setDueTime(trx, subscriberId, null)
    await recordConsent(trx, {
      subscriberId,
      action: 'withdrawn',
      at: now,
      origin: how.origin,
      wording: wordingOf(ctx.config),
      detail: { way: how.way },
    })
    return { ...subscriber, ...gone, nextDueAt: null }
  })
}

/** Whether the undo is still on offer. Who never confirmed can't come back by it: that would be a way around confirming. Pure. */
export function canReturn(subscriber: Subscriber, now: Date): boolean {
  const { status, confirmedAt, unsubscribedAt } = subscriber
  return (
    status === 'unsubscribed' &&
    confirmedAt !== null &&
    unsubscribedAt !== null &&
    now.getTime() - unsubscribedAt.getTime() < linkDays.resubscribe * 86_400_000
  )
}

/** Takes the unsubscribe back: the same choices as before. Returns the subscriber as they are now. */
export async function resubscribe(ctx: Context, subscriberId: number, origin: Origin): Promise<Subscriber | undefined> {
  const now = ctx.clock.now()
  return ctx.db.transaction().execute(async (trx) => {
    const subscriber = await lockSubscriber(trx, subscriberId)
    if (!subscriber || !canReturn(subscriber, now)) return subscriber
    const back = { status: 'active', unsubscribedAt: null } as const
    const chosen = await listChosen(trx, subscriberId)
    const { frequencies, nextDueAt } = whenDue(ctx.config, { ...subscriber, ...back }, chosen, now)
    await trx
      .updateTable('subscribers')
      .set({ ...back, frequencies })
      .where('id', '=', subscriberId)
      .execute()
    await setDueTime(trx, subscriberId, nextDueAt)
    await recordConsent(trx, { subscriberId, action: 'resubscribed', at: now, origin, wording: wordingOf(ctx.config) })
    return { ...subscriber, ...back, frequencies, nextDueAt }
  })
}

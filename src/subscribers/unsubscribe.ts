// Unsubscribing, by page, by one-click or by mail, and undoing it within 30 days. Takes effect at once and is safe to repeat.
// Queued mail isn't changed: delivery checks the status again in the statement that puts a mail on the wire.

import type { Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { Subscriber } from '../db/schema.ts'
import { recordConsent, wordingOf, type Origin } from './consent.ts'
import { setDueTime } from '../calendar/due-times.ts'
import { addToOutbox } from '../delivery/outbox.ts'
import { expiryOf, linkDays } from './links.ts'
import { lockSubscriber } from './store.ts'
import { listChosen, whenDue } from './subscriptions.ts'
import { setUnsuppressedStatus, unsuppressedStatus } from './standing.ts'
import { recordUnsubscribe, undoUnsubscribe } from './unsubscribes.ts'

export type Way = 'page' | 'one-click' | 'mail' | 'api' | 'editor' | 'import'

/**
 * undefined: unknown subscriber. A suppressed one stays suppressed, and is unsubscribed when that ends. `isNow`: this call
 * unsubscribed them.
 */
export async function unsubscribe(ctx: Context, subscriberId: number, how: How): Promise<Unsubscribed | undefined> {
  return ctx.db.transaction().execute((trx) => unsubscribeIn(trx, ctx, subscriberId, how))
}

interface How {
  way: Way
  origin: Origin
  /** The edition of the mail whose link was used. It isn't signed: an impossible one isn't counted. */
  editionId?: number | null
  detail?: Record<string, unknown>
}

/** `unsubscribeId`: the row that a reason is added to; null: unsubscribed before, or by an import. */
export type Unsubscribed = Subscriber & { isNow: boolean; unsubscribeId: number | null }

/** Within the caller's transaction. */
export async function unsubscribeIn(
  trx: Trx,
  ctx: Pick<Context, 'clock' | 'config'>,
  subscriberId: number,
  how: How,
): Promise<Unsubscribed | undefined> {
  const now = ctx.clock.now()
  const subscriber = await lockSubscriber(trx, subscriberId)
  if (!subscriber) return undefined
  const standing = await unsuppressedStatus(trx, subscriber)
  if (standing !== 'active' && standing !== 'pending') return { ...subscriber, isNow: false, unsubscribeId: null }
  const status = await setUnsuppressedStatus(trx, subscriber, 'unsubscribed', now)
  await setDueTime(trx, subscriberId, null)
  await recordConsent(trx, {
    subscriberId,
    action: 'withdrawn',
    at: now,
    origin: how.origin,
    wording: wordingOf(ctx.config),
    detail: { way: how.way, ...how.detail },
  })
  const { way, editionId = null } = how
  const unsubscribeId =
    way === 'import' ? null : await recordUnsubscribe(trx, { subscriberId, editionId, way, at: now })
  if (way === 'page' && ctx.config.mail.goodbye && status === 'unsubscribed' && subscriber.confirmedAt)
    await addToOutbox(trx, {
      kind: 'goodbye',
      recipient: subscriber.email,
      subscriberId,
      payload: { unsubscribedAt: now.toISOString() },
    })
  return { ...subscriber, status, unsubscribedAt: now, nextDueAt: null, isNow: true, unsubscribeId }
}

/**
 * Whether the undo is still offered. Not to a subscriber who never confirmed, because it would bypass the confirmation. Not to a
 * suppressed one, who would get no mail. Pure.
 */
export function canReturn(subscriber: Subscriber, now: Date): boolean {
  const { status, confirmedAt, unsubscribedAt } = subscriber
  return (
    status === 'unsubscribed' &&
    confirmedAt !== null &&
    unsubscribedAt !== null &&
    now.getTime() - unsubscribedAt.getTime() < linkDays.resubscribe * 86_400_000
  )
}

/**
 * By the button of the unsubscribe page or the preferences page. undefined: the link is of an earlier generation, or of an earlier
 * unsubscribe.
 */
export async function resubscribeByLink(
  ctx: Context,
  link: { id: number; generation: number; expiresAt: Date | null },
  origin: Origin,
): Promise<Subscriber | undefined> {
  return resubscribe(ctx, link.id, origin, (subscriber) => isLinkOf(link, subscriber))
}

/** Whether an undo link belongs to the subscriber's last unsubscribe, and to their generation. Pure. */
export function isLinkOf(
  link: { generation: number; expiresAt: Date | null },
  { generation, unsubscribedAt }: Pick<Subscriber, 'generation' | 'unsubscribedAt'>,
): boolean {
  const expiresAt = unsubscribedAt && expiryOf('resubscribe', unsubscribedAt)
  return generation === link.generation && expiresAt?.getTime() === link.expiresAt?.getTime()
}

/**
 * Undoes the unsubscribe, with the same choices as before. Returns the subscriber as they are now: `suppressed` if the address
 * must not be mailed; they become active when that ends.
 */
export async function resubscribe(
  ctx: Context,
  subscriberId: number,
  origin: Origin,
  mayReturn: (subscriber: Subscriber) => boolean = () => true,
): Promise<Subscriber | undefined> {
  const now = ctx.clock.now()
  return ctx.db.transaction().execute(async (trx) => {
    const subscriber = await lockSubscriber(trx, subscriberId)
    if (!subscriber || !mayReturn(subscriber)) return undefined
    if (!canReturn({ ...subscriber, status: await unsuppressedStatus(trx, subscriber) }, now)) return subscriber
    const status = await setUnsuppressedStatus(trx, subscriber, 'active', null)
    const back = { ...subscriber, status, unsubscribedAt: null }
    const { frequencies, nextDueAt } = whenDue(ctx.config, back, await listChosen(trx, [subscriberId]), now)
    await trx.updateTable('subscribers').set({ frequencies }).where('id', '=', subscriberId).execute()
    await setDueTime(trx, subscriberId, nextDueAt)
    await undoUnsubscribe(trx, subscriberId, now)
    await recordConsent(trx, { subscriberId, action: 'resubscribed', at: now, origin, wording: wordingOf(ctx.config) })
    return { ...back, frequencies, nextDueAt }
  })
}

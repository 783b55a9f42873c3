// Confirming: the only way in. GET only looks; POST does it once, in one transaction: active, subscriptions, next due time,
// consent and the welcome mail's row. A link that was used or is too old shows what holds today.

import type { Db } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { Frequency, Subscriber } from '../db/schema.ts'
import { listCategories } from '../articles/store.ts'
import { addToOutbox } from '../delivery/outbox.ts'
import { recordConsent, wordingOf, type Origin } from './consent.ts'
import { forgetFormMails } from './limits.ts'
import { readLink } from './links.ts'
import { findSubscriber, linesOf, lockSubscriber } from './store.ts'
import { saveSubscriptions } from './subscriptions.ts'

export type ConfirmationLook =
  | { outcome: 'open'; subscriber: Subscriber; choices: Record<string, Frequency> }
  | { outcome: 'used'; subscriber: Subscriber }
  | { outcome: 'expired' | 'forged' }

/** What the link is worth now. Changes nothing. */
export async function lookAtConfirmation(ctx: Context, token: unknown): Promise<ConfirmationLook> {
  const link = readLink(ctx.config, 'confirm', token, ctx.clock.now())
  if (link.outcome === 'forged') return { outcome: 'forged' }
  const request = await findRequest(ctx.db, link.id)
  const subscriber = request && (await findSubscriber(ctx.db, request.subscriberId))
  if (!subscriber) return { outcome: 'expired' }
  if (request.usedAt) return { outcome: 'used', subscriber }
  if (link.outcome === 'expired' || subscriber.status === 'suppressed') return { outcome: 'expired' }
  return { outcome: 'open', subscriber, choices: request.choices }
}

export type Confirmation =
  | { outcome: 'confirmed' | 'used'; subscriber: Subscriber }
  /** Also for a link whose sign-up has been forgotten: it is over a week old. */
  | { outcome: 'expired' }
  | { outcome: 'forged' }

/** Safe to repeat: the first one counts, the others find it used. */
export async function confirm(ctx: Context, token: unknown, origin: Origin): Promise<Confirmation> {
  const now = ctx.clock.now()
  const link = readLink(ctx.config, 'confirm', token, now)
  if (link.outcome === 'forged') return { outcome: 'forged' }
  const categories = await listCategories(ctx.db)
  return ctx.db.transaction().execute(async (trx): Promise<Confirmation> => {
    const found = await findRequest(trx, link.id)
    const subscriber = found && (await lockSubscriber(trx, found.subscriberId))
    // Read again under the lock: another press of the button may have used it meanwhile.
    const request = subscriber && (await findRequest(trx, link.id))
    if (!subscriber || !request) return { outcome: 'expired' }
    if (request.usedAt) return { outcome: 'used', subscriber }
    if (link.outcome === 'expired' || subscriber.status === 'suppressed') return { outcome: 'expired' }

    const active = {
      status: 'active',
      timezone: request.timezone ?? subscriber.timezone,
      pausedUntil: null,
      confirmedAt: now,
      unsubscribedAt: null,
    } as const
    await trx.updateTable('subscribers').set(active).where('id', '=', subscriber.id).execute()
    const confirmed = { ...subscriber, ...active }
    const choice = linesOf(request.choices, categories)
    const nextDueAt = await saveSubscriptions(trx, ctx.config, confirmed, choice, now)
    await trx
      .insertInto('reading')
      .values({ subscriberId: subscriber.id })
      .onConflict((conflict) => conflict.column('subscriberId').doNothing())
      .execute()
    await trx.updateTable('signupRequests').set({ usedAt: now }).where('id', '=', request.id).execute()
    await recordConsent(trx, {
      subscriberId: subscriber.id,
      action: 'confirmed',
      at: now,
      origin,
      wording: wordingOf(ctx.config),
      detail: { choices: request.choices, requestedVersion: request.consentVersion },
    })
    await forgetFormMails(trx, subscriber.emailHash)
    await addToOutbox(trx, { kind: 'welcome', recipient: subscriber.email, subscriberId: subscriber.id })
    return { outcome: 'confirmed', subscriber: { ...confirmed, nextDueAt } }
  })
}

function findRequest(db: Db, id: number) {
  return db.selectFrom('signupRequests').selectAll().where('id', '=', id).executeTakeFirst()
}

// Confirming a sign-up, the only way to become active. GET only shows the state. POST confirms once, in one transaction: status,
// subscriptions, next due time, consent and the welcome mail's row. A used or expired link shows the current state.

import type { Db } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { SignupRequest, Subscriber } from '../db/schema.ts'
import { getPepper } from '../db/settings.ts'
import { takePlace } from '../db/rate-limits.ts'
import { listCategories } from '../articles/store.ts'
import { addToOutbox } from '../delivery/outbox.ts'
import { recordConsent, wordingAgreed, wordingOf, type Origin } from './consent.ts'
import { forgetFormMails, mailboxHash, takeDomain } from './limits.ts'
import { readLink } from './links.ts'
import { findSubscriber, linesOf, lockSubscriber } from './store.ts'
import { takeRequest } from './subscribe.ts'
import { saveSubscriptions } from './subscriptions.ts'
import { findObstacle, overcomeSuppression } from './standing.ts'

/**
 * The state of a confirmation link. open: its button confirms; used: it confirmed at `usedAt`; expired: a week has passed without
 * a confirmation; ended: the address has changed since, or all older links were ended; suppressed: the address must not be mailed;
 * gone: sign-up or subscriber were deleted; forged: not our link.
 */
export type ConfirmationLook =
  | { outcome: 'open' | 'expired' | 'ended' | 'suppressed'; subscriber: Subscriber }
  | { outcome: 'used'; subscriber: Subscriber; usedAt: Date; isExpired: boolean }
  | { outcome: 'gone' | 'forged' }

/** Changes nothing. */
export async function lookAtConfirmation(ctx: Context, token: unknown): Promise<ConfirmationLook> {
  const link = readLink(ctx.config, 'confirm', token, ctx.clock.now())
  if (link.outcome === 'forged') return { outcome: 'forged' }
  const request = await findRequest(ctx.db, link.id)
  const subscriber = request && (await findSubscriber(ctx.db, request.subscriberId))
  return worthOf(ctx.db, link.outcome === 'expired', request, subscriber)
}

async function worthOf(
  db: Db,
  isExpired: boolean,
  request: SignupRequest | undefined,
  subscriber: Subscriber | undefined,
): Promise<ConfirmationLook> {
  if (!request || !subscriber) return { outcome: 'gone' }
  if (request.generation !== subscriber.generation) return { outcome: 'ended', subscriber }
  if (request.usedAt) return { outcome: 'used', subscriber, usedAt: request.usedAt, isExpired }
  if (isExpired) return { outcome: 'expired', subscriber }
  const isFinal = (await findObstacle(db, subscriber.emailHash)) === 'final'
  return { outcome: isFinal ? 'suppressed' : 'open', subscriber }
}

export type Confirmation =
  { outcome: 'confirmed'; subscriber: Subscriber } | Exclude<ConfirmationLook, { outcome: 'open' }>

/** Safe to repeat: the first request confirms, and the others find the link used. */
export async function confirm(ctx: Context, token: unknown, origin: Origin): Promise<Confirmation> {
  const now = ctx.clock.now()
  const link = readLink(ctx.config, 'confirm', token, now)
  if (link.outcome === 'forged') return { outcome: 'forged' }
  const categories = await listCategories(ctx.db)
  const pepper = await getPepper(ctx.db)
  return ctx.db.transaction().execute(async (trx): Promise<Confirmation> => {
    const found = await findRequest(trx, link.id)
    const subscriber = found && (await lockSubscriber(trx, found.subscriberId))
    // Read again under the lock: another request may have used the link meanwhile.
    const request = subscriber && (await findRequest(trx, link.id))
    const look = await worthOf(trx, link.outcome === 'expired', request, subscriber)
    if (!request || look.outcome !== 'open') return look as Confirmation
    await overcomeSuppression(trx, subscriber.emailHash)

    const active = {
      status: 'active',
      timezone: request.timezone ?? subscriber.timezone,
      locale: request.locale ?? subscriber.locale,
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
      wording: (await wordingAgreed(trx, subscriber.id)) ?? wordingOf(ctx.config),
      detail: { choices: request.choices, requestedVersion: request.consentVersion },
    })
    await forgetFormMails(trx, mailboxHash(pepper, { key: subscriber.emailKey }))
    await addToOutbox(trx, { kind: 'welcome', recipient: subscriber.email, subscriberId: subscriber.id })
    return { outcome: 'confirmed', subscriber: { ...confirmed, nextDueAt } }
  })
}

/**
 * Sends a new mail for a link that no longer works: the same mail as after a new sign-up with the same choice. The caller isn't
 * told which mail.
 */
export async function mailConfirmationAgain(ctx: Context, token: unknown, origin: Origin): Promise<boolean> {
  const link = readLink(ctx.config, 'confirm', token, ctx.clock.now())
  if (link.outcome === 'forged') return false
  await takePlace(ctx, 'link', origin.ip)
  const request = await findRequest(ctx.db, link.id)
  const subscriber = request && (await findSubscriber(ctx.db, request.subscriberId))
  if (!subscriber || request.generation !== subscriber.generation) return true
  const { choices, timezone, locale } = request
  const address = { email: subscriber.email, key: subscriber.emailKey }
  const wording = await wordingAgreed(ctx.db, subscriber.id)
  const signup = { choices, timezone, locale, origin, ...(wording && { wording }) }
  await takeRequest(ctx, signup, address, await takeDomain(ctx, address.email))
  return true
}

function findRequest(db: Db, id: number) {
  return db.selectFrom('signupRequests').selectAll().where('id', '=', id).executeTakeFirst()
}

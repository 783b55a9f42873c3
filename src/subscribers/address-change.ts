// Moves a subscription to another address. The new mailbox must confirm: a mail is sent there, and only the button behind its link
// moves the subscription. Watermarks and seen stories move too, so nobody gets a story twice. The move raises the generation, so
// links mailed to the former address end. That address is told once, and can undo the move for a week (address-undo.ts).

import { invalidField } from '../messages/refusals.ts'
import { maskAddress } from '../base/email-address.ts'
import { hashAddress } from '../base/tokens.ts'
import type { Db, Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import { retryDeadlock } from '../db/retry-deadlock.ts'
import type { AddressChange, Subscriber } from '../db/schema.ts'
import { getPepper } from '../db/settings.ts'
import { takePlace } from '../db/rate-limits.ts'
import { forgetRecipient } from '../delivery/forget.ts'
import { addToOutbox } from '../delivery/outbox.ts'
import { readdress } from '../delivery/readdress.ts'
import { recordConsent, wordingOf, type Origin } from './consent.ts'
import { raiseGeneration } from './generation.ts'
import { forgetFormMails, mailboxHash, mayMail, takeDomain } from './limits.ts'
import { readLink } from './links.ts'
import { findSubscriber, lockSubscriber } from './store.ts'
import { readAddress } from './subscribe.ts'
import { findObstacle, overcomeSuppression } from './standing.ts'

/** Unique violation: somebody signed up at that address, or moved to it, at the same moment. A repetition finds their row. */
export const addressTaken = '23505'

/** Mails the new address. The response doesn't reveal whether that address is known, suppressed, or was mailed before. */
export async function requestAddressChange(ctx: Context, subscriberId: number, given: unknown): Promise<void> {
  const now = ctx.clock.now()
  const address = readAddress(given, 'new_email')
  const pepper = await getPepper(ctx.db)
  const isDomainOpen = await takeDomain(ctx, address.email)
  await ctx.db.transaction().execute(async (trx) => {
    const subscriber = await lockSubscriber(trx, subscriberId)
    if (subscriber?.status !== 'active') return
    if (subscriber.emailKey === address.key) throw invalidField('new_email', 'preferences.sameAddress')
    const obstacle = await findObstacle(trx, hashAddress(pepper, address.key))
    if (obstacle === 'final' || !isDomainOpen) return
    const isBounced = obstacle === 'bounced'
    if (!(await mayMail(trx, mailboxHash(pepper, address), 'address-change', now, { isBounced }))) return
    const { generation } = subscriber
    const change = await trx
      .insertInto('addressChanges')
      .values({ subscriberId, email: address.email, emailKey: address.key, requestedAt: now, generation })
      .returning('id')
      .executeTakeFirstOrThrow()
    await addToOutbox(trx, {
      kind: 'address-change',
      recipient: address.email,
      subscriberId,
      payload: { addressChangeId: change.id, requestedAt: now.toISOString() },
    })
  })
}

/** Ends the links of moves that aren't confirmed yet. Safe to repeat. */
export async function cancelAddressChange(ctx: Context, subscriberId: number): Promise<void> {
  await ctx.db
    .updateTable('addressChanges')
    .set({ generation: endedGeneration })
    .where('subscriberId', '=', subscriberId)
    .where('usedAt', 'is', null)
    .execute()
}

/** Below the first generation. */
const endedGeneration = -1

/** Sends a new mail for an expired link, to the same address and within the same limits. false: the link isn't ours. */
export async function mailAddressChangeAgain(ctx: Context, token: unknown, ip: string | null): Promise<boolean> {
  const link = readLink(ctx.config, 'address-change', token, ctx.clock.now())
  if (link.outcome === 'forged') return false
  await takePlace(ctx, 'link', ip)
  const change = await findChange(ctx.db, link.id)
  const subscriber = change && (await findSubscriber(ctx.db, change.subscriberId))
  if (subscriber && !change.usedAt && change.generation === subscriber.generation)
    await requestAddressChange(ctx, subscriber.id, change.email)
  return true
}

/**
 * The state of an address change's link. open: its button moves the subscription; used: it was moved; expired: a week has passed;
 * ended: the address has changed otherwise, or all older links were ended; inactive: the subscription isn't active; gone: the
 * subscriber was erased; forged: not our link.
 */
export type AddressChangeLook =
  | { outcome: 'open'; subscriber: Subscriber; email: string }
  | { outcome: 'used' | 'expired' | 'ended' | 'inactive' | 'gone' | 'forged' }

/** Changes nothing. */
export async function lookAtAddressChange(ctx: Context, token: unknown): Promise<AddressChangeLook> {
  const link = readLink(ctx.config, 'address-change', token, ctx.clock.now())
  if (link.outcome === 'forged') return { outcome: 'forged' }
  const change = await findChange(ctx.db, link.id)
  const subscriber = change && (await findSubscriber(ctx.db, change.subscriberId))
  return worthOf(link.outcome === 'expired', change, subscriber)
}

function worthOf(
  isExpired: boolean,
  change: AddressChange | undefined,
  subscriber: Subscriber | undefined,
): AddressChangeLook {
  if (!change || !subscriber) return { outcome: 'gone' }
  if (change.usedAt) return { outcome: 'used' }
  if (change.generation !== subscriber.generation) return { outcome: 'ended' }
  if (isExpired) return { outcome: 'expired' }
  if (subscriber.status !== 'active') return { outcome: 'inactive' }
  return { outcome: 'open', subscriber, email: change.email }
}

/** `taken`: the new address has a subscription of its own by now; `suppressed`: it must not be mailed. Safe to repeat. */
export async function confirmAddressChange(
  ctx: Context,
  token: unknown,
  origin: Origin,
): Promise<{ outcome: 'changed' | 'taken' | 'suppressed' | Exclude<AddressChangeLook['outcome'], 'open'> }> {
  const now = ctx.clock.now()
  const link = readLink(ctx.config, 'address-change', token, now)
  if (link.outcome === 'forged') return { outcome: 'forged' }
  const pepper = await getPepper(ctx.db)
  const change = async (trx: Trx) => {
    const found = await findChange(trx, link.id)
    const subscriber = found && (await lockSubscriber(trx, found.subscriberId))
    // Read again under the lock: another request may have used the link meanwhile.
    const row = subscriber && (await findChange(trx, link.id))
    const { outcome } = worthOf(link.outcome === 'expired', row, subscriber)
    if (outcome !== 'open') return { outcome }
    const moved = await moveTo(trx, subscriber!, row!, pepper)
    if (moved !== 'moved') return { outcome: moved }
    await trx
      .updateTable('addressChanges')
      .set({ usedAt: now, previousEmail: subscriber!.email, previousEmailKey: subscriber!.emailKey })
      .where('id', '=', row!.id)
      .execute()
    await addToOutbox(trx, {
      kind: 'address-changed',
      recipient: subscriber!.email,
      subscriberId: subscriber!.id,
      payload: { addressChangeId: row!.id, changedAt: now.toISOString(), newAddress: maskAddress(row!.email) },
    })
    await recordConsent(trx, {
      subscriberId: subscriber!.id,
      action: 'changed',
      at: now,
      origin,
      wording: wordingOf(ctx.config),
      detail: { address: 'confirmed from the new mailbox' },
    })
    return { outcome: 'changed' as const }
  }
  return retryDeadlock(() => ctx.db.transaction().execute(change), [addressTaken])
}

/**
 * Moves a locked subscriber, and ends their older links. The mailbox has just confirmed. So a pending sign-up at the new address
 * is deleted, and a suppression that a confirmation can end is removed.
 */
export async function moveTo(
  trx: Trx,
  subscriber: Pick<Subscriber, 'id'>,
  { email, emailKey }: Pick<Subscriber, 'email' | 'emailKey'>,
  pepper: string,
): Promise<'moved' | 'taken' | 'suppressed'> {
  const emailHash = hashAddress(pepper, emailKey)
  const holder = await trx
    .selectFrom('subscribers')
    .select(['id', 'status'])
    .where('emailKey', '=', emailKey)
    .forUpdate()
    .executeTakeFirst()
  if (holder && holder.status !== 'pending') return 'taken'
  if (!(await overcomeSuppression(trx, emailHash))) return 'suppressed'
  if (holder) {
    await forgetRecipient(trx, holder.id)
    await trx.deleteFrom('subscribers').where('id', '=', holder.id).execute()
  }
  await trx.updateTable('subscribers').set({ email, emailKey, emailHash }).where('id', '=', subscriber.id).execute()
  await raiseGeneration(trx, subscriber.id)
  await readdress(trx, subscriber.id, email)
  await forgetFormMails(trx, mailboxHash(pepper, { key: emailKey }))
  return 'moved'
}

export function findChange(db: Db, id: number): Promise<AddressChange | undefined> {
  return db.selectFrom('addressChanges').selectAll().where('id', '=', id).executeTakeFirst()
}

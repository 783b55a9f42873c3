// Undoes an address change, from the mail that the former address got. The link is for that one change: it is refused after a
// later change, after an erasure, and after a week. Ending all older links doesn't end it, because somebody who moved another
// person's subscription could do that too.

import { maskAddress } from '../base/email-address.ts'
import type { Db, Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import { retryDeadlock } from '../db/retry-deadlock.ts'
import type { Subscriber } from '../db/schema.ts'
import { getPepper } from '../db/settings.ts'
import { forgetFormerRecipient } from '../delivery/forget.ts'
import { addToOutbox } from '../delivery/outbox.ts'
import { addressTaken, findChange, moveTo } from './address-change.ts'
import { recordConsent, wordingOf, type Origin } from './consent.ts'
import { linkDays, readLink } from './links.ts'
import { findSubscriber, lockSubscriber } from './store.ts'
import { leaveSuppression } from './standing.ts'

/**
 * The state of an undo link. open: its button moves the subscription back; used: it was moved back; expired: a week has passed;
 * ended: there was a later change; gone: the subscriber was erased; forged: not our link.
 */
export type AddressUndoLook =
  | { outcome: 'open'; subscriber: Subscriber; email: string; emailKey: string }
  | { outcome: 'used' | 'expired' | 'ended' | 'gone' | 'forged' }

/** Changes nothing. */
export async function lookAtAddressUndo(ctx: Context, token: unknown): Promise<AddressUndoLook> {
  const link = readLink(ctx.config, 'address-undo', token, ctx.clock.now())
  if (link.outcome === 'forged') return { outcome: 'forged' }
  return look(ctx.db, link, (id) => findSubscriber(ctx.db, id))
}

/** Finds the subscriber with `find`, which may lock. */
async function look(
  db: Db,
  link: { id: number; outcome: 'valid' | 'expired' },
  find: (id: number) => Promise<Subscriber | undefined>,
): Promise<AddressUndoLook> {
  const found = await findChange(db, link.id)
  const subscriber = found && (await find(found.subscriberId))
  const change = subscriber && (await findChange(db, link.id))
  if (!subscriber || !change?.usedAt) return { outcome: 'gone' }
  if (change.undoneAt) return { outcome: 'used' }
  const later = await db
    .selectFrom('addressChanges')
    .select('id')
    .where('subscriberId', '=', change.subscriberId)
    .where('usedAt', 'is not', null)
    // Changes are confirmed in the order of their requests: an older one can't be confirmed after a newer one.
    .where('id', '>', change.id)
    .limit(1)
    .executeTakeFirst()
  if (later) return { outcome: 'ended' }
  const { previousEmail: email, previousEmailKey: emailKey } = change
  if (link.outcome === 'expired' || email === null || emailKey === null) return { outcome: 'expired' }
  return { outcome: 'open', subscriber, email, emailKey }
}

export type AddressUndo =
  | { outcome: 'undone'; email: string; isActive: boolean }
  | { outcome: 'taken' | 'suppressed' | Exclude<AddressUndoLook['outcome'], 'open'> }

/** `taken`: the former address has a subscription of its own by now; `suppressed`: it must not be mailed. Safe to repeat. */
export async function undoAddressChange(ctx: Context, token: unknown, origin: Origin): Promise<AddressUndo> {
  const now = ctx.clock.now()
  const link = readLink(ctx.config, 'address-undo', token, now)
  if (link.outcome === 'forged') return { outcome: 'forged' }
  const pepper = await getPepper(ctx.db)
  const undo = async (trx: Trx): Promise<AddressUndo> => {
    const open = await look(trx, link, (id) => lockSubscriber(trx, id))
    if (open.outcome !== 'open') return { outcome: open.outcome }
    const { subscriber, email, emailKey } = open
    const moved = await moveTo(trx, subscriber, { email, emailKey }, pepper)
    if (moved !== 'moved') return { outcome: moved }
    // The suppression is of the other address.
    const status = await leaveSuppression(trx, ctx, subscriber)
    await trx.updateTable('addressChanges').set({ undoneAt: now }).where('id', '=', link.id).execute()
    const { id: subscriberId } = subscriber
    // The links of this address ended with the change.
    await addToOutbox(trx, { kind: 'preferences-link', recipient: email, subscriberId })
    await addToOutbox(trx, {
      kind: 'address-changed',
      recipient: subscriber.email,
      subscriberId,
      payload: { addressChangeId: null, changedAt: now.toISOString(), newAddress: maskAddress(email) },
    })
    await recordConsent(trx, {
      subscriberId,
      action: 'changed',
      at: now,
      origin,
      wording: wordingOf(ctx.config),
      detail: { address: 'taken back from the former mailbox' },
    })
    return { outcome: 'undone', email, isActive: status === 'active' }
  }
  return retryDeadlock(() => ctx.db.transaction().execute(undo), [addressTaken])
}

/** For an erasure: changes from this address can't be undone any more, and mail to it is anonymised. */
export async function forgetFormerAddress(trx: Trx, emailKey: string): Promise<void> {
  const changes = await trx
    .selectFrom('addressChanges')
    .select(['id', 'subscriberId', 'previousEmail'])
    .where('previousEmailKey', '=', emailKey)
    .where('previousEmail', 'is not', null)
    .execute()
  for (const { id, subscriberId, previousEmail } of changes) {
    await trx
      .updateTable('addressChanges')
      .set({ previousEmail: null, previousEmailKey: null })
      .where('id', '=', id)
      .execute()
    await forgetFormerRecipient(trx, subscriberId, previousEmail!)
  }
}

/** A nightly chore: a change that can't be undone any more doesn't need the former address. */
export async function forgetFormerAddresses(ctx: Context): Promise<void> {
  await ctx.db
    .updateTable('addressChanges')
    .set({ previousEmail: null, previousEmailKey: null })
    .where('previousEmail', 'is not', null)
    .where('usedAt', '<', new Date(ctx.clock.now().getTime() - linkDays['address-undo'] * 86_400_000))
    .execute()
}

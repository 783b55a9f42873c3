// Moving a subscription to another address. The new mailbox has to agree: a mail goes there, and only the button behind its link
// moves anything. The reading goes along, so nobody gets a story twice for having moved.

import { invalid } from '../base/errors.ts'
import { hashAddress } from '../base/tokens.ts'
import type { Db } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { Subscriber } from '../db/schema.ts'
import { getPepper } from '../db/settings.ts'
import { forgetRecipient } from '../delivery/forget.ts'
import { addToOutbox } from '../delivery/outbox.ts'
import { readdress } from '../delivery/readdress.ts'
import { recordConsent, wordingOf, type Origin } from './consent.ts'
import { forgetFormMails, mayMail } from './limits.ts'
import { readLink } from './links.ts'
import { findSubscriber, lockSubscriber } from './store.ts'
import { readAddress } from './subscribe.ts'

/** Mails the new address; the answer doesn't tell whether that address is known, suppressed, or was mailed before. */
export async function requestAddressChange(ctx: Context, subscriberId: number, given: unknown): Promise<void> {
  const now = ctx.clock.now()
  const address = readAddress(given, 'new_email')
  const hash = hashAddress(await getPepper(ctx.db), address.key)
  await ctx.db.transaction().execute(async (trx) => {
    const subscriber = await lockSubscriber(trx, subscriberId)
    if (subscriber?.status !== 'active') return
    if (subscriber.emailKey === address.key) throw invalid('new_email', 'That is the address you have now.')
    if (await trx.selectFrom('suppressions').select('emailHash').where('emailHash', '=', hash).executeTakeFirst())
      return
    if (!(await mayMail(trx, hash, 'address-change', now))) return
    const change = await trx
      .insertInto('addressChanges')
      .values({ subscriberId, email: address.email, emailKey: address.key, requestedAt: now })
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

export type AddressChangeLook =
  { outcome: 'open'; subscriber: Subscriber; email: string } | { outcome: 'used' | 'expired' | 'forged' }

/** What the link is worth now. Changes nothing. */
export async function lookAtAddressChange(ctx: Context, token: unknown): Promise<AddressChangeLook> {
  const link = readLink(ctx.config, 'address-change', token, ctx.clock.now())
  if (link.outcome === 'forged') return { outcome: 'forged' }
  const change = await findChange(ctx.db, link.id)
  const subscriber = change && (await findSubscriber(ctx.db, change.subscriberId))
  if (change?.usedAt) return { outcome: 'used' }
  if (!subscriber || link.outcome === 'expired' || subscriber.status !== 'active') return { outcome: 'expired' }
  return { outcome: 'open', subscriber, email: change.email }
}

/** `taken`: the new address has a subscription of its own by now. Safe to repeat. */
export async function confirmAddressChange(
  ctx: Context,
  token: unknown,
  origin: Origin,
): Promise<{ outcome: 'changed'; subscriber: Subscriber } | { outcome: 'used' | 'expired' | 'forged' | 'taken' }> {
  const now = ctx.clock.now()
  const link = readLink(ctx.config, 'address-change', token, now)
  if (link.outcome === 'forged') return { outcome: 'forged' }
  const pepper = await getPepper(ctx.db)
  return ctx.db.transaction().execute(async (trx) => {
    const found = await findChange(trx, link.id)
    const subscriber = found && (await lockSubscriber(trx, found.subscriberId))
    const change = subscriber && (await findChange(trx, link.id))
    if (change?.usedAt) return { outcome: 'used' }
    if (!change || link.outcome === 'expired' || subscriber.status !== 'active') return { outcome: 'expired' }
    const emailHash = hashAddress(pepper, change.emailKey)
    const holder = await trx
      .selectFrom('subscribers')
      .select(['id', 'status'])
      .where('emailKey', '=', change.emailKey)
      .forUpdate()
      .executeTakeFirst()
    // Somebody only began to sign up there: this mailbox has just spoken for itself.
    if (holder && holder.status !== 'pending') return { outcome: 'taken' }
    if (holder) {
      await forgetRecipient(trx, holder.id)
      await trx.deleteFrom('subscribers').where('id', '=', holder.id).execute()
    }
    const moved = { email: change.email, emailKey: change.emailKey, emailHash }
    await trx.updateTable('subscribers').set(moved).where('id', '=', subscriber.id).execute()
    await readdress(trx, subscriber.id, change.email)
    await trx.updateTable('addressChanges').set({ usedAt: now }).where('id', '=', change.id).execute()
    await forgetFormMails(trx, emailHash)
    await recordConsent(trx, {
      subscriberId: subscriber.id,
      action: 'changed',
      at: now,
      origin,
      wording: wordingOf(ctx.config),
      detail: { address: 'confirmed from the new mailbox' },
    })
    return { outcome: 'changed', subscriber: { ...subscriber, ...moved } }
  })
}

function findChange(db: Db, id: number) {
  return db.selectFrom('addressChanges').selectAll().where('id', '=', id).executeTakeFirst()
}

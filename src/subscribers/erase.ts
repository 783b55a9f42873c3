// Erasure: afterwards no row contains the address. A keyed hash stays on the suppression list, so that an old import can't bring
// the person back: only their own confirmation can. Mails that forms caused stay counted for 30 days, by keyed hash.

import type { EmailAddress } from '../base/email-address.ts'
import { hashAddress } from '../base/tokens.ts'
import type { Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import { retryDeadlock } from '../db/retry-deadlock.ts'
import { getPepper } from '../db/settings.ts'
import { forgetRecipient, lockDeliveries } from '../delivery/forget.ts'
import { forgetFormerAddress } from './address-undo.ts'
import { clearDueTimes } from '../calendar/due-times.ts'
import { forgetRejects } from './import/uploads.ts'
import { lockSubscriber } from './store.ts'
import { suppress } from './suppression.ts'
import { forgetReasonTexts } from './unsubscribes.ts'

/** false: unknown subscriber. One transaction: all or nothing. */
export async function eraseSubscriber(ctx: Context, subscriberId: number): Promise<boolean> {
  const now = ctx.clock.now()
  const erase = async (trx: Trx) => {
    const subscriber = await lockSubscriber(trx, subscriberId)
    if (!subscriber) return false
    // In planning's lock order: digests, then the due time.
    await lockDeliveries(trx, subscriberId)
    await suppress(trx, { emailHash: subscriber.emailHash, email: null, reason: 'erasure' }, now)
    // Waits for a chunk that is planning them, so that the next step sees its delivery.
    await clearDueTimes(trx, [subscriberId])
    await forgetRecipient(trx, subscriberId)
    await forgetReturned(trx, subscriberId)
    await trx.deleteFrom('bounceScores').where('emailHash', '=', subscriber.emailHash).execute()
    await forgetReasonTexts(trx, subscriberId)
    await trx.deleteFrom('subscribers').where('id', '=', subscriberId).execute()
    await forgetFormerAddress(trx, subscriber.emailKey)
    await forgetRejects(trx, { key: subscriber.emailKey })
    return true
  }
  // A worker may settle two mails of theirs in another order.
  return retryDeadlock(() => ctx.db.transaction().execute(erase))
}

/** By address. An address that never signed up is suppressed too. `wasKnown`: whether there was something to erase. */
export async function eraseAddress(ctx: Context, address: EmailAddress): Promise<{ wasKnown: boolean }> {
  const row = await ctx.db.selectFrom('subscribers').select('id').where('emailKey', '=', address.key).executeTakeFirst()
  if (row && (await eraseSubscriber(ctx, row.id))) return { wasKnown: true }
  const emailHash = hashAddress(await getPepper(ctx.db), address.key)
  const listed = await ctx.db
    .selectFrom('suppressions')
    .select('email')
    .where('emailHash', '=', emailHash)
    .executeTakeFirst()
  await retryDeadlock(() =>
    ctx.db.transaction().execute(async (trx) => {
      await suppress(trx, { emailHash, email: null, reason: 'erasure' }, ctx.clock.now())
      await forgetFormerAddress(trx, address.key)
      await forgetRejects(trx, address)
    }),
  )
  return { wasKnown: listed?.email != null }
}

/** Returned mails of theirs. Fingerprints stay, so that no mail counts twice. */
async function forgetReturned(trx: Trx, subscriberId: number): Promise<void> {
  await trx
    .updateTable('inboundEvents')
    .set({ raw: null, facts: null, envelopeTo: null })
    .where('id', 'in', (query) =>
      query.selectFrom('inboundReports').select('eventId').where('subscriberId', '=', subscriberId),
    )
    .execute()
  await trx
    .updateTable('inboundReports')
    .set({ recipient: null, diagnostic: null, subscriberId: null })
    .where('subscriberId', '=', subscriberId)
    .execute()
}

// A nightly chore: deletes sign-ups that weren't confirmed within a week. Mails to them stay counted by hash for 30 days, so that
// a mailbox can't be flooded again every week.

import { sql } from 'kysely'
import type { Context } from '../db/context.ts'
import { forgetUnconfirmed } from '../delivery/forget.ts'
import { purgeRateLimits } from '../db/rate-limits.ts'
import { forgetFormerAddresses } from './address-undo.ts'
import { formMailDays } from './limits.ts'
import { linkDays } from './links.ts'

const batch = 1000

/** Returns how many were deleted. Safe to repeat and to stop anywhere. */
export async function purgeUnconfirmed(ctx: Context): Promise<number> {
  const before = new Date(ctx.clock.now().getTime() - linkDays.confirm * 86_400_000)
  let purged = 0
  for (;;) {
    const gone = await ctx.db.transaction().execute(async (trx) => {
      const rows = await trx
        .selectFrom('subscribers')
        .select('id')
        .where('status', '=', 'pending')
        .where('createdAt', '<', before)
        // Their link is still valid: they signed up again.
        .where((eb) =>
          eb.not(
            eb.exists(
              eb
                .selectFrom('signupRequests')
                .select(sql`1`.as('one'))
                .whereRef('signupRequests.subscriberId', '=', 'subscribers.id')
                .where('requestedAt', '>=', before),
            ),
          ),
        )
        // From an imported list, and their mail waits, or was sent within the week.
        .where((eb) =>
          eb.not(
            eb.exists(
              eb
                .selectFrom('deliveries')
                .select(sql`1`.as('one'))
                .whereRef('deliveries.subscriberId', '=', 'subscribers.id')
                .where('editionId', 'is', null)
                .where(sql<boolean>`payload ? 'source'`)
                .where((mail) => mail.or([mail('settledAt', 'is', null), mail('settledAt', '>=', before)])),
            ),
          ),
        )
        .orderBy('createdAt')
        .limit(batch)
        .forUpdate()
        .skipLocked()
        .execute()
      const ids = rows.map((row) => row.id)
      if (ids.length === 0) return 0
      await forgetUnconfirmed(trx, ids)
      await trx.deleteFrom('subscribers').where('id', 'in', ids).execute()
      return ids.length
    })
    purged += gone
    if (gone < batch) break
  }
  await purgeRateLimits(ctx)
  await ctx.db
    .deleteFrom('formMails')
    .where('lastAt', '<', new Date(ctx.clock.now().getTime() - formMailDays * 86_400_000))
    .execute()
  await forgetFormerAddresses(ctx)
  return purged
}

// The nightly chore: who never confirmed within a week is forgotten. What was mailed to them stays counted by hash for
// 30 days, so that the same mailbox can't be bombed anew every week.

import { sql } from 'kysely'
import type { Context } from '../db/context.ts'
import { forgetUnconfirmed } from '../delivery/forget.ts'
import { purgeRateLimits } from '../db/rate-limits.ts'
import { forgetFormerAddresses } from './address-undo.ts'
import { formMailDays } from './limits.ts'
import { linkDays } from './links.ts'

const batch = 1000

/** How many were forgotten. Safe to repeat and to stop anywhere. */
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
        // One whose link is still good: they asked again.
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
        // Somebody of an imported list whose mail waits, or went within the week.
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

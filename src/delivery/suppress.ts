// What delivery changes outside of deliveries when a server says no. An address that it called dead gets no more mail: it goes on
// the suppression list, its subscriber becomes `suppressed`. An edition that is refused because of us is paused.

import type { Log } from '../base/log.ts'
import type { Db } from '../db/connect.ts'

/** Safe to repeat. */
export async function suppressDeadAddress(
  db: Db,
  address: { email: string; emailHash: string; subscriberId: number | null },
  detail: string,
  now: Date,
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await trx
      .insertInto('suppressions')
      .values({ emailHash: address.emailHash, email: address.email, reason: 'hard_bounce', detail, createdAt: now })
      .onConflict((conflict) => conflict.column('emailHash').doNothing())
      .execute()
    await trx
      .updateTable('subscribers')
      .set({ status: 'suppressed', nextDueAt: null })
      .where('emailHash', '=', address.emailHash)
      .where('status', 'in', ['pending', 'active'])
      .execute()
  })
}

/** Safe to repeat. Resuming is an editor's decision. */
export async function pauseEdition(db: Db, log: Log, editionId: number): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('editions')
    .set({
      state: 'paused',
      note: 'Paused: ten mails in a row were refused because of us, not of their recipients. See the replies, put it right, then resume.',
    })
    .where('id', '=', editionId)
    .where('state', '=', 'sending')
    .executeTakeFirst()
  if (numUpdatedRows)
    log.error({ edition: editionId }, 'an edition was paused: the relay refuses our mail as a matter of policy')
}

// An address that a server called dead gets no more mail: it goes on the suppression list, its subscriber becomes `suppressed`.

import type { Db } from '../db/connect.ts'

/** Safe to repeat. */
export async function suppressDeadAddress(
  db: Db,
  address: { email: string; emailHash: string; subscriberId: number | null },
  detail: string,
  now: Date,
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    // Subscriber first, then the list: the order of every change.
    await trx
      .selectFrom('subscribers')
      .select('id')
      .where('emailHash', '=', address.emailHash)
      .forNoKeyUpdate()
      .execute()
    await trx
      .insertInto('suppressions')
      .values({ emailHash: address.emailHash, email: address.email, reason: 'hard_bounce', detail, createdAt: now })
      .onConflict((conflict) => conflict.column('emailHash').doNothing())
      .execute()
    const gone = await trx
      .updateTable('subscribers')
      .set({ status: 'suppressed' })
      .where('emailHash', '=', address.emailHash)
      .where('status', 'in', ['pending', 'active'])
      .returning('id')
      .execute()
    for (const { id } of gone) await trx.deleteFrom('dueTimes').where('subscriberId', '=', id).execute()
  })
}

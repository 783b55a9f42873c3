// When a subscriber is next due. The row is there only while something ever is; planning (digests/plan.ts) moves it at each slot.
//
// The surprise: this row is also what planning and everything that ends a subscription meet at. Whoever changes it waits for a chunk
// that is planning the same subscriber, and sees what that chunk wrote.

import type { Trx } from '../db/connect.ts'

/** null: never. What was carried over from overtaken slots is kept as long as something is due. Safe to repeat. */
export async function setDueTime(trx: Trx, subscriberId: number, nextDueAt: Date | null): Promise<void> {
  if (nextDueAt === null) await clearDueTimes(trx, [subscriberId])
  else
    await trx
      .insertInto('dueTimes')
      .values({ subscriberId, nextDueAt })
      .onConflict((conflict) => conflict.column('subscriberId').doUpdateSet({ nextDueAt }))
      .execute()
}

/** For good, as far as anybody knows now: who left, who may not be mailed, who is erased. */
export async function clearDueTimes(trx: Trx, subscriberIds: readonly number[]): Promise<void> {
  if (subscriberIds.length === 0) return
  await trx
    .deleteFrom('dueTimes')
    .where('subscriberId', 'in', [...subscriberIds])
    .execute()
}

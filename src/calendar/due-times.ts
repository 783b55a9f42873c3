// When a subscriber is next due. The row is there only while something ever is; planning (planning/plan.ts) moves it at each slot.
//
// The surprise: this row is also what planning and everything that ends a subscription meet at. Whoever changes it waits for a chunk
// that is planning the same subscriber, and sees what that chunk wrote.

import type { Trx } from '../db/connect.ts'

/** null: never. What was carried over from overtaken slots is kept as long as something is due; `carriedDue` is for who wasn't due
 * at all. Safe to repeat. */
export async function setDueTime(
  trx: Trx,
  subscriberId: number,
  nextDueAt: Date | null,
  carriedDue = 0,
): Promise<void> {
  if (nextDueAt === null) await clearDueTimes(trx, [subscriberId])
  else
    await trx
      .insertInto('dueTimes')
      .values({ subscriberId, nextDueAt, carriedDue })
      .onConflict((conflict) => conflict.column('subscriberId').doUpdateSet({ nextDueAt }))
      .execute()
}

/** Never due from here on. Returns what it was: the last word of a chunk that was planning them, if one was. */
export async function takeDueTime(trx: Trx, subscriberId: number) {
  return trx
    .deleteFrom('dueTimes')
    .where('subscriberId', '=', subscriberId)
    .returning(['nextDueAt', 'carriedDue'])
    .executeTakeFirst()
}

/** For good, as far as anybody knows now: who left, who may not be mailed, who is erased. */
export async function clearDueTimes(trx: Trx, subscriberIds: readonly number[]): Promise<void> {
  if (subscriberIds.length === 0) return
  await trx
    .deleteFrom('dueTimes')
    .where('subscriberId', 'in', [...subscriberIds])
    .execute()
}

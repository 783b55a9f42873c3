// What a subscriber is apart from the suppression list, and what stands in the way of mail to an address.

import type { Selectable } from 'kysely'
import type { EmailAddress } from '../base/email-address.ts'
import { hashAddress } from '../base/tokens.ts'
import type { Db, Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { Subscriber, SubscribersTable, SubscriberStatus, Suppression } from '../db/schema.ts'
import { getPepper } from '../db/settings.ts'
import { giveBack, nothingBefore, statusBefore, type SuppressionReason } from './suppression.ts'

/** What a subscriber is apart from the suppression list. */
export async function standingOf(
  db: Db,
  { status, emailHash }: Pick<Subscriber, 'status' | 'emailHash'>,
): Promise<SubscriberStatus> {
  if (status !== 'suppressed') return status
  const entry = await db
    .selectFrom('suppressions')
    .select('statusBefore')
    .where('emailHash', '=', emailHash)
    .executeTakeFirst()
  return entry?.statusBefore ?? status
}

/** Changes it. Who is suppressed stays so: the change counts when the address comes off the list. Returns the subscriber's status
 * now. The caller holds the subscriber's lock. */
export async function setStanding(
  trx: Trx,
  { id, status, emailHash }: Pick<Subscriber, 'id' | 'status' | 'emailHash'>,
  standing: 'active' | 'unsubscribed',
  unsubscribedAt: Date | null,
): Promise<SubscriberStatus> {
  const isSuppressed = status === 'suppressed'
  const after = isSuppressed ? status : standing
  await trx.updateTable('subscribers').set({ status: after, unsubscribedAt }).where('id', '=', id).execute()
  if (isSuppressed)
    await trx
      .updateTable('suppressions')
      .set({ ...nothingBefore, statusBefore: standing })
      .where('emailHash', '=', emailHash)
      .execute()
  return after
}

/** A locked subscriber moves away from their suppressed address: its entry stays, without them, and they are again what they were.
 * Returns their status now. */
export async function leaveSuppression(
  trx: Trx,
  ctx: Pick<Context, 'config' | 'clock'>,
  subscriber: Selectable<SubscribersTable>,
): Promise<SubscriberStatus> {
  if (subscriber.status !== 'suppressed') return subscriber.status
  const entry = await trx
    .selectFrom('suppressions')
    .selectAll()
    .where('emailHash', '=', subscriber.emailHash)
    .forUpdate()
    .executeTakeFirst()
  await trx.updateTable('suppressions').set(nothingBefore).where('emailHash', '=', subscriber.emailHash).execute()
  await giveBack(trx, ctx, [{ subscriber, entry }])
  return statusBefore({ subscriber, entry })
}

/** Reasons that an answer from the mailbox itself overcomes: mail came back, or the person was erased and is a new reader now.
 * A complaint or an editor's word stays. */
const overcome: readonly SuppressionReason[] = ['hard_bounce', 'soft_bounces', 'erasure']

export type Obstacle = 'none' | 'bounced' | 'erased' | 'final'

/** Whether a confirmation may be mailed to this address, and what it would overcome. */
export async function findObstacle(db: Db, emailHash: string): Promise<Obstacle> {
  const row = await db.selectFrom('suppressions').select('reason').where('emailHash', '=', emailHash).executeTakeFirst()
  if (!row) return 'none'
  if (!overcome.includes(row.reason)) return 'final'
  return row.reason === 'erasure' ? 'erased' : 'bounced'
}

export async function findObstacleAt(ctx: Pick<Context, 'db'>, address: EmailAddress): Promise<Obstacle> {
  return findObstacle(ctx.db, hashAddress(await getPepper(ctx.db), address.key))
}

/** The mailbox has answered: its entry goes. The caller has locked the subscriber and decides what they are now. false: the reason
 * is one that an answer doesn't overcome. */
export async function overcomeSuppression(trx: Trx, emailHash: string): Promise<boolean> {
  if ((await findObstacle(trx, emailHash)) === 'final') return false
  await trx.deleteFrom('suppressions').where('emailHash', '=', emailHash).where('reason', 'in', overcome).execute()
  return true
}

export async function findSuppression(
  ctx: Pick<Context, 'db'>,
  address: EmailAddress,
): Promise<Suppression | undefined> {
  const emailHash = hashAddress(await getPepper(ctx.db), address.key)
  return ctx.db.selectFrom('suppressions').selectAll().where('emailHash', '=', emailHash).executeTakeFirst()
}

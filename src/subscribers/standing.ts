// A subscriber's status apart from the suppression list, and what prevents mail to an address.

import type { Selectable } from 'kysely'
import type { EmailAddress } from '../base/email-address.ts'
import { hashAddress } from '../base/tokens.ts'
import type { Db, Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { Subscriber, SubscribersTable, SubscriberStatus, Suppression } from '../db/schema.ts'
import { getPepper } from '../db/settings.ts'
import { giveBack, nothingBefore, statusBefore, type SuppressionReason } from './suppression.ts'

/** A subscriber's status apart from the suppression list. */
export async function unsuppressedStatus(
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

/**
 * Changes it. A suppressed subscriber stays suppressed: the change takes effect when the suppression is removed. Returns the
 * subscriber's status now. The caller holds the subscriber's lock.
 */
export async function setUnsuppressedStatus(
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

/**
 * A locked subscriber moves away from their suppressed address. Its suppression stays, without the subscriber, who gets their
 * former status back. Returns that status.
 */
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

/**
 * Reasons that a confirmation from the mailbox ends: mail was returned, or the person was erased and signs up again. A complaint
 * or an editor's decision stays.
 */
const overcome: readonly SuppressionReason[] = ['hard_bounce', 'soft_bounces', 'erasure']

export type Obstacle = 'none' | 'bounced' | 'erased' | 'final'

/** Whether a confirmation may be mailed to this address, and which suppression it would end. */
export async function findObstacle(db: Db, emailHash: string): Promise<Obstacle> {
  const row = await db.selectFrom('suppressions').select('reason').where('emailHash', '=', emailHash).executeTakeFirst()
  if (!row) return 'none'
  if (!overcome.includes(row.reason)) return 'final'
  return row.reason === 'erasure' ? 'erased' : 'bounced'
}

export async function findObstacleAt(ctx: Pick<Context, 'db'>, address: EmailAddress): Promise<Obstacle> {
  return findObstacle(ctx.db, hashAddress(await getPepper(ctx.db), address.key))
}

/**
 * The mailbox has confirmed: its suppression is removed. The caller has locked the subscriber and sets their status. false: a
 * confirmation doesn't end this reason.
 */
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

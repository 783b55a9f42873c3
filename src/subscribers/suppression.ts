// The addresses that must not be mailed, by keyed hash: a suppression outlives the subscriber and, after an erasure, the address.
//
// This file alone suppresses and restores. The subscriber of a suppressed address is `suppressed`; what they were, and when they
// were due, is kept with the suppression and comes back with its end. Who unsubscribes meanwhile, or takes that back, changes what
// is kept (setStanding).

import { sql, type Selectable } from 'kysely'
import type { EmailAddress } from '../base/email-address.ts'
import { hashAddress } from '../base/tokens.ts'
import type { Db, Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { Subscriber, SubscribersTable, SubscriberStatus, Suppression } from '../db/schema.ts'
import { getPepper } from '../db/settings.ts'
import type { DeadAddresses } from '../delivery/dead-addresses.ts'
import { setDueTime, takeDueTime } from '../calendar/due-times.ts'
import { listChosen, whenDue } from './subscriptions.ts'

export type SuppressionReason = Suppression['reason']

export interface NewSuppression {
  emailHash: string
  /** null: only the hash may be kept. */
  email: string | null
  reason: SuppressionReason
  detail?: string
  /** The mail whose answer is the reason. */
  deliveryId?: number
  domain?: string
  relay?: string
  brakeId?: number | null
}

/** What each reason takes the place of: a person's word outranks a server's; an erasure forgets all else, and
 * what is said after it counts, as an erased person is a new reader. */
const outranked: Record<SuppressionReason, readonly SuppressionReason[]> = {
  hard_bounce: [],
  soft_bounces: [],
  manual: ['hard_bounce', 'soft_bounces', 'erasure'],
  complaint: ['hard_bounce', 'soft_bounces', 'erasure'],
  erasure: ['hard_bounce', 'soft_bounces', 'manual', 'complaint'],
}

/** Safe to repeat: the first reason stays, unless the new one outranks it. */
export async function suppress(trx: Trx, entry: NewSuppression, now: Date): Promise<void> {
  const { emailHash, reason } = entry
  const holder = await lockHolder(trx, emailHash)
  const columns = {
    email: entry.email,
    reason,
    detail: entry.detail?.slice(0, 500) ?? '',
    createdAt: now,
    deliveryId: entry.deliveryId ?? null,
    domain: entry.domain ?? null,
    relay: entry.relay ?? null,
    brakeId: entry.brakeId ?? null,
    ...(reason === 'erasure' ? nothingBefore : {}),
  }
  await trx
    .insertInto('suppressions')
    .values({ emailHash, ...columns })
    .onConflict((conflict) =>
      outranked[reason].length > 0
        ? conflict.column('emailHash').doUpdateSet(columns).where('suppressions.reason', 'in', outranked[reason])
        : conflict.column('emailHash').doNothing(),
    )
    .execute()
  if (!holder || holder.status === 'suppressed') return
  await trx.updateTable('subscribers').set({ status: 'suppressed' }).where('id', '=', holder.id).execute()
  const due = await takeDueTime(trx, holder.id)
  if (reason === 'erasure') return
  await trx
    .updateTable('suppressions')
    .set({
      statusBefore: holder.status,
      dueBefore: due?.nextDueAt ?? null,
      carriedBefore: due?.carriedDue ?? null,
    })
    .where('emailHash', '=', emailHash)
    .execute()
}

const nothingBefore = { statusBefore: null, dueBefore: null, carriedBefore: null }

/** The subscriber is locked before the list's entry, here as in an erasure: two of them wait, and don't end in a deadlock. */
function lockHolder(trx: Trx, emailHash: string) {
  return trx
    .selectFrom('subscribers')
    .selectAll()
    .where('emailHash', '=', emailHash)
    .forNoKeyUpdate()
    .executeTakeFirst()
}

/** By hand: an editor or a key says that this address must not be mailed. */
export async function suppressAddress(
  ctx: Context,
  address: EmailAddress,
  reason: SuppressionReason,
  detail = '',
): Promise<void> {
  const emailHash = hashAddress(await getPepper(ctx.db), address.key)
  await ctx.db
    .transaction()
    .execute((trx) => suppress(trx, { emailHash, email: address.email, reason, detail }, ctx.clock.now()))
}

/** What delivery/ is handed. */
export function deadAddressesOf(ctx: Pick<Context, 'config' | 'clock'>): DeadAddresses {
  return {
    suppress: (trx, { reply, ...dead }) =>
      suppress(trx, { ...dead, reason: 'hard_bounce', detail: reply }, ctx.clock.now()),
    restore: async (trx, deliveryIds) => {
      const entries = await trx
        .selectFrom('suppressions')
        .select('emailHash')
        .where(sql<boolean>`delivery_id = any(${`{${deliveryIds.join(',')}}`}::bigint[])`)
        .orderBy('emailHash')
        .execute()
      for (const { emailHash } of entries) await restore(trx, ctx, emailHash)
    },
  }
}

/** Takes an address off the list. Its subscriber is again what they were. false: it wasn't on the list. */
export async function unsuppress(ctx: Context, emailHash: string): Promise<boolean> {
  return ctx.db.transaction().execute((trx) => restore(trx, ctx, emailHash))
}

/** In the caller's transaction, which takes several in the order of their hashes. */
export async function restore(trx: Trx, ctx: Pick<Context, 'config' | 'clock'>, emailHash: string): Promise<boolean> {
  const subscriber = await lockHolder(trx, emailHash)
  const removed = await trx
    .deleteFrom('suppressions')
    .where('emailHash', '=', emailHash)
    .returningAll()
    .executeTakeFirst()
  if (subscriber?.status === 'suppressed') await giveBack(trx, ctx, subscriber, removed)
  return removed !== undefined
}

/** What a locked subscriber was, and when they were due. */
async function giveBack(
  trx: Trx,
  ctx: Pick<Context, 'config' | 'clock'>,
  subscriber: Selectable<SubscribersTable>,
  entry: Suppression | undefined,
): Promise<SubscriberStatus> {
  const now = ctx.clock.now()
  const status = entry?.statusBefore ?? 'unsubscribed'
  await trx.updateTable('subscribers').set({ status }).where('id', '=', subscriber.id).execute()
  // A slot beyond the grace is past for everybody: counting it as missed now would be wrong.
  const earliest = now.getTime() - ctx.config.digest.graceHours * 3_600_000
  if (entry?.dueBefore && status === 'active' && entry.dueBefore.getTime() >= earliest)
    await setDueTime(trx, subscriber.id, entry.dueBefore, entry.carriedBefore ?? 0)
  else {
    const chosen = await listChosen(trx, subscriber.id)
    await setDueTime(trx, subscriber.id, whenDue(ctx.config, { ...subscriber, status }, chosen, now).nextDueAt)
  }
  return status
}

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
  return giveBack(trx, ctx, subscriber, entry)
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

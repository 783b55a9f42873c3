// The addresses that must not be mailed, by keyed hash: a suppression outlives the subscriber and, after an erasure, the address.

import { sql } from 'kysely'
import type { EmailAddress } from '../base/email-address.ts'
import { hashAddress } from '../base/tokens.ts'
import type { Db, Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { SuppressionsTable } from '../db/schema.ts'
import { getPepper } from '../db/settings.ts'
import { clearDueTimes, setDueTime } from './due-times.ts'
import { listChosen, whenDue } from './subscriptions.ts'

export type SuppressionReason = SuppressionsTable['reason']

export interface NewSuppression {
  emailHash: string
  /** null: only the hash may be kept. */
  email: string | null
  reason: SuppressionReason
  detail?: string
}

/** Safe to repeat: the first reason stays, except that an erasure also forgets the address. */
export async function suppress(trx: Trx, entry: NewSuppression, now: Date): Promise<void> {
  await lockHolder(trx, entry.emailHash)
  await trx
    .insertInto('suppressions')
    .values({ ...entry, detail: entry.detail?.slice(0, 500) ?? '', createdAt: now })
    .onConflict((conflict) =>
      entry.reason === 'erasure'
        ? conflict.column('emailHash').doUpdateSet({ email: null, reason: 'erasure', detail: '' })
        : conflict.column('emailHash').doNothing(),
    )
    .execute()
  const gone = await trx
    .updateTable('subscribers')
    .set({ status: 'suppressed' })
    .where('emailHash', '=', entry.emailHash)
    .where('status', '!=', 'suppressed')
    .returning('id')
    .execute()
  await clearDueTimes(
    trx,
    gone.map(({ id }) => id),
  )
}

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

/** Takes an address off the list. Who had confirmed and not left is active again; everybody else has to sign up anew. false:
 * it wasn't on the list. */
export async function unsuppress(ctx: Context, emailHash: string): Promise<boolean> {
  const now = ctx.clock.now()
  return ctx.db.transaction().execute(async (trx) => {
    const subscriber = await lockHolder(trx, emailHash)
    const removed = await trx
      .deleteFrom('suppressions')
      .where('emailHash', '=', emailHash)
      .returning('emailHash')
      .executeTakeFirst()
    if (subscriber?.status === 'suppressed') {
      const isWanted = subscriber.confirmedAt !== null && subscriber.unsubscribedAt === null
      const status = isWanted ? ('active' as const) : ('unsubscribed' as const)
      const chosen = await listChosen(trx, subscriber.id)
      const { frequencies, nextDueAt } = whenDue(ctx.config, { ...subscriber, status }, chosen, now)
      await trx
        .updateTable('subscribers')
        .set({ status, frequencies, unsubscribedAt: isWanted ? null : (subscriber.unsubscribedAt ?? now) })
        .where('id', '=', subscriber.id)
        .execute()
      await setDueTime(trx, subscriber.id, nextDueAt)
    }
    return removed !== undefined
  })
}

/** Newest first, by page: `before` is the last row of the page before. */
export async function listSuppressions(
  db: Db,
  page: { limit: number; before?: { createdAt: Date; emailHash: string } | undefined },
) {
  return db
    .selectFrom('suppressions')
    .selectAll()
    .$if(page.before !== undefined, (query) =>
      query.where(
        sql<boolean>`(created_at, email_hash) < (${page.before!.createdAt}::timestamptz, ${page.before!.emailHash})`,
      ),
    )
    .orderBy('createdAt', 'desc')
    .orderBy('emailHash', 'desc')
    .limit(page.limit)
    .execute()
}

export async function findSuppression(ctx: Pick<Context, 'db'>, address: EmailAddress) {
  const emailHash = hashAddress(await getPepper(ctx.db), address.key)
  return ctx.db.selectFrom('suppressions').selectAll().where('emailHash', '=', emailHash).executeTakeFirst()
}

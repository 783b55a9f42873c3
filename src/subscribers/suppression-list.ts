// The suppression list by time, domain and reason: what editors look through, and take back in one go after a mistake of somebody
// else's server.

import { type SelectQueryBuilder, sql } from 'kysely'
import { type Actor, noteAction } from '../access/audit.ts'
import { invalid } from '../base/errors.ts'
import type { Db } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import { retryDeadlock } from '../db/retry-deadlock.ts'
import type { Schema, Suppression } from '../db/schema.ts'
import { batchSize, restore } from './suppression.ts'

export const suppressionReasons = ['hard_bounce', 'soft_bounces', 'complaint', 'manual', 'erasure'] as const

export interface SuppressionFilter {
  /** Suppressed at or after. */
  from?: Date | undefined
  /** Suppressed before. */
  to?: Date | undefined
  /** Of the address. */
  domain?: string | undefined
  reason?: Suppression['reason'] | undefined
}

/** The index suppressions_by_domain is over this. */
const domainOfEntry = sql<string>`coalesce(domain, lower(substring(email from '[^@]*$')))`

type Suppressions<Selected> = SelectQueryBuilder<Schema, 'suppressions', Selected>

function matching<Selected>(query: Suppressions<Selected>, filter: SuppressionFilter): Suppressions<Selected> {
  const { from, to, domain, reason } = filter
  let found = query
  if (from) found = found.where('createdAt', '>=', from)
  if (to) found = found.where('createdAt', '<', to)
  if (domain) found = found.where(domainOfEntry, '=', domain.toLowerCase())
  if (reason) found = found.where('reason', '=', reason)
  return found
}

/** Newest first, by page: `before` is the last row of the page before. */
export async function listSuppressions(
  db: Db,
  page: {
    limit: number
    before?: { createdAt: Date; emailHash: string } | undefined
    filter?: SuppressionFilter
  },
): Promise<Suppression[]> {
  return matching(db.selectFrom('suppressions').selectAll(), page.filter ?? {})
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

export async function countSuppressions(db: Db, filter: SuppressionFilter): Promise<number> {
  const counted = matching(
    db.selectFrom('suppressions').select((eb) => eb.fn.countAll<number>().as('count')),
    filter,
  )
  return (await counted.executeTakeFirstOrThrow()).count
}

/** One of them is named: a person's own word is taken back in bulk only where it is meant, an erasure never. */
export const undoableReasons = ['hard_bounce', 'soft_bounces', 'complaint', 'manual'] as const

/** Throws a Refusal. */
export function checkUndo({ reason, from, to }: SuppressionFilter): void {
  if (!undoableReasons.some((each) => each === reason))
    throw invalid('reason', `Which is to be taken back? One of ${undoableReasons.join(', ')}.`)
  if (from && to && from >= to) throw invalid('to', 'must be later than from')
}

/** Takes all that `next` finds off the list, in transactions of a few thousand: nobody waits long for a subscriber's row. Returns how
 * many. A call that is killed has done a part of it, and can be repeated. `next` finds up to `limit` entries that are still on it. */
async function unsuppressAll(
  ctx: Context,
  next: (db: Db, limit: number) => Promise<readonly { emailHash: string }[]>,
): Promise<number> {
  let removed = 0
  for (;;) {
    const entries = await next(ctx.db, batchSize)
    if (entries.length === 0) return removed
    const hashes = entries.map(({ emailHash }) => emailHash)
    removed += await retryDeadlock(() => ctx.db.transaction().execute((trx) => restore(trx, ctx, hashes)))
  }
}

/** Takes what the decision about a brake has suppressed off the list. Safe to repeat. Returns how many. */
export function unsuppressBrake(ctx: Context, brakeId: number): Promise<number> {
  return unsuppressAll(ctx, (db, limit) =>
    db
      .selectFrom('suppressions')
      .select('emailHash')
      .where('brakeId', '=', brakeId)
      .orderBy('emailHash')
      .limit(limit)
      .execute(),
  )
}

/** Takes all of them off the list; their subscribers are again what they were. Returns how many. A call that is killed has done a part
 * of it, and can be repeated. */
export async function undoSuppressions(ctx: Context, filter: SuppressionFilter, actor: Actor): Promise<number> {
  checkUndo(filter)
  // What is suppressed from now on wasn't meant.
  const until = filter.to ?? ctx.clock.now()
  const removed = await unsuppressAll(ctx, (db, limit) =>
    matching(db.selectFrom('suppressions').select('emailHash'), { ...filter, to: until })
      .orderBy('emailHash')
      .limit(limit)
      .execute(),
  )
  const { from, domain, reason } = filter
  const detail = { removed, reason, ...(domain ? { domain } : {}), ...(from ? { from } : {}), to: until }
  await noteAction(ctx, { actor, action: 'suppression.undone', subject: `suppressions:${reason}`, detail })
  return removed
}

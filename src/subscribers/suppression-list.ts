// The suppression list by time, domain and reason, for editors to search, and to undo in bulk after a server's mistake.

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
  /** The address's domain. */
  domain?: string | undefined
  reason?: Suppression['reason'] | undefined
}

/** The expression of the index suppressions_by_domain. */
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

/** Newest first, in pages: `before` is the last row of the previous page. */
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

/**
 * An undo must name one of these: complaints and manual entries are undone only if they are meant. An erasure can't be undone in
 * bulk.
 */
export const undoableReasons = ['hard_bounce', 'soft_bounces', 'complaint', 'manual'] as const

/** Throws a Refusal. */
export function checkUndo({ reason, from, to }: SuppressionFilter): void {
  if (!undoableReasons.some((each) => each === reason))
    throw invalid('reason', `Which is to be taken back? One of ${undoableReasons.join(', ')}.`)
  if (from && to && from >= to) throw invalid('to', 'must be later than from')
}

/**
 * Removes everything that `next` finds from the list, in transactions of a few thousand, so that nobody waits long for a
 * subscriber's row. Returns how many. If a call is killed, part of the work is done, and it can be repeated. `next` returns up to
 * `limit` entries that are still on the list.
 */
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

/** Removes the suppressions that the decision about a brake caused. Safe to repeat. Returns how many. */
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

/**
 * Removes all of them; their subscribers get their former status back. Returns how many. If a call is killed, part of the work is
 * done, and it can be repeated.
 */
export async function undoSuppressions(ctx: Context, filter: SuppressionFilter, actor: Actor): Promise<number> {
  checkUndo(filter)
  // Suppressions that are added from now on aren't included.
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

// Editions as pages and the API show them: rows with their accounts, newest first.

import { sql } from 'kysely'
import type { Db } from '../../db/connect.ts'
import { type Account, type Edition, type EditionState, type SkipReason, skipReasons } from '../../db/schema.ts'

export interface EditionFilter {
  before?: number | undefined
  limit: number
  kind?: Edition['kind'] | undefined
  state?: EditionState | undefined
}

export interface ShownEdition extends Edition {
  counts: Account
}

export async function listEditions(db: Db, filter: EditionFilter): Promise<ShownEdition[]> {
  let query = db.selectFrom('editions').selectAll().orderBy('id', 'desc').limit(filter.limit)
  if (filter.before !== undefined) query = query.where('id', '<', filter.before)
  if (filter.kind) query = query.where('kind', '=', filter.kind)
  if (filter.state) query = query.where('state', '=', filter.state)
  return withCounts(db, await query.execute())
}

export async function findEdition(db: Db, id: number): Promise<ShownEdition | undefined> {
  const row = await db.selectFrom('editions').selectAll().where('id', '=', id).executeTakeFirst()
  return row && (await withCounts(db, [row]))[0]
}

/** Those that aren't over, newest first. */
export async function listOpenEditions(db: Db): Promise<ShownEdition[]> {
  const rows = await db
    .selectFrom('editions')
    .selectAll()
    .where('state', 'not in', ['closed', 'cancelled', 'missed'])
    .orderBy('id', 'desc')
    .limit(50)
    .execute()
  return withCounts(db, rows)
}

/** A closed edition's account is frozen; else it is the sum of the workers' counters, and what is left of the audience is open. */
async function withCounts(db: Db, editions: readonly Edition[]): Promise<ShownEdition[]> {
  const running = editions.filter((edition) => !edition.account).map((edition) => edition.id)
  const rows = running.length
    ? await db
        .selectFrom('editionCounts')
        .select(['editionId', 'outcome', sql<number>`sum(count)::int`.as('count')])
        .where('editionId', 'in', running)
        .groupBy(['editionId', 'outcome'])
        .execute()
    : []
  return editions.map((edition) => ({
    ...edition,
    counts:
      edition.account ??
      accountFrom(
        edition.audience,
        new Map(rows.filter((row) => row.editionId === edition.id).map((row) => [row.outcome, row.count])),
      ),
  }))
}

function accountFrom(audience: number, outcomes: ReadonlyMap<string, number>): Account {
  const of = (outcome: string) => outcomes.get(outcome) ?? 0
  const skipped = Object.fromEntries(skipReasons.map((reason) => [reason, of(`skipped:${reason}`)])) as Record<
    SkipReason,
    number
  >
  const settled = of('sent') + of('failed') + of('uncertain') + skippedTotal(skipped)
  return {
    audience,
    sent: of('sent'),
    failed: of('failed'),
    uncertain: of('uncertain'),
    open: audience - settled,
    skipped,
  }
}

export function skippedTotal(skipped: Record<SkipReason, number>): number {
  return skipReasons.reduce((sum, reason) => sum + (skipped[reason] ?? 0), 0)
}

// Store of editions: what they are, how they stand, who is in them. An edition's account comes from `edition_counts`, small rows
// that planning, control and workers add to in the statements that settle; a closed edition's is frozen.

import { sql } from 'kysely'
import type { Db, Trx } from '../db/connect.ts'
import { type Account, type Edition, type SkipReason, skipReasons } from '../db/schema.ts'

/** The edition as the API and `--json` show it. */
export interface EditionView {
  id: number
  kind: Edition['kind']
  state: Edition['state']
  slotAt: string | null
  createdAt: string
  closedAt: string | null
  /** When an editor released it before its slot. */
  approvedAt: string | null
  categories: number[] | null
  /** A sentence for editors: why it is held, paused or empty. */
  note: string
  /** Subscribers whose slot this was while nothing ran. */
  missed: number
  /** Its own window for retries; null: the site's. */
  retryHours: number | null
  /** Whether every delivery has been written. */
  isPlanned: boolean
  account: Account
}

export function editionView(edition: Edition, account: Account): EditionView {
  return {
    id: edition.id,
    kind: edition.kind,
    state: edition.state,
    slotAt: edition.slotAt?.toISOString() ?? null,
    createdAt: edition.createdAt.toISOString(),
    closedAt: edition.closedAt?.toISOString() ?? null,
    approvedAt: edition.approvedAt?.toISOString() ?? null,
    categories: edition.categoryIds,
    note: edition.note,
    missed: edition.missed,
    retryHours: edition.retryHours,
    isPlanned: edition.plannedAt !== null,
    account,
  }
}

export async function findEdition(db: Db, id: number): Promise<Edition | undefined> {
  return db.selectFrom('editions').selectAll().where('id', '=', id).executeTakeFirst()
}

/** With its account; undefined when there is none. */
export async function getEdition(db: Db, id: number): Promise<EditionView | undefined> {
  const edition = await findEdition(db, id)
  return edition && editionView(edition, (await accountsOf(db, [edition])).get(id)!)
}

/** Newest first. `cursor` is the id of the last one seen. */
export async function listEditions(
  db: Db,
  page: { limit: number; cursor?: number | undefined },
): Promise<{ items: EditionView[]; next: number | null }> {
  let query = db
    .selectFrom('editions')
    .selectAll()
    .orderBy('id', 'desc')
    .limit(page.limit + 1)
  if (page.cursor !== undefined) query = query.where('id', '<', page.cursor)
  const rows = await query.execute()
  const shown = rows.slice(0, page.limit)
  const accounts = await accountsOf(db, shown)
  return {
    items: shown.map((edition) => editionView(edition, accounts.get(edition.id)!)),
    next: rows.length > page.limit ? shown.at(-1)!.id : null,
  }
}

/** Editions that aren't over yet, oldest first. */
export async function listUnfinished(db: Db): Promise<Edition[]> {
  return db.selectFrom('editions').selectAll().where('closedAt', 'is', null).orderBy('id').execute()
}

export async function accountOf(db: Db, editionId: number): Promise<Account> {
  const edition = await findEdition(db, editionId)
  return edition ? (await accountsOf(db, [edition])).get(editionId)! : emptyAccount()
}

/** Audience and counts come from one statement: while planning adds and workers send, they belong to the same moment. */
export async function accountsOf(db: Db, editions: readonly Pick<Edition, 'id'>[]): Promise<Map<number, Account>> {
  if (editions.length === 0) return new Map()
  const { rows } = await sql<{
    id: number
    audience: number
    account: Account | null
    counts: Record<string, number> | null
  }>`
    select e.id, e.audience, e.account, case when e.account is null then (
      select jsonb_object_agg(outcome, n) from (
        select outcome, sum(count)::int as n from edition_counts where edition_id = e.id group by outcome) c) end as counts
    from editions e where e.id = any(${`{${editions.map(({ id }) => id).join(',')}}`}::bigint[])`.execute(db)
  return new Map(
    rows.map(({ id, audience, account, counts }) => {
      if (account) return [id, inOrder(account)]
      const live = emptyAccount(audience)
      for (const [outcome, count] of Object.entries(counts ?? {})) addOutcome(live, outcome, count)
      return [id, live]
    }),
  )
}

export function emptyAccount(audience = 0): Account {
  const skipped = Object.fromEntries(skipReasons.map((reason) => [reason, 0])) as Record<SkipReason, number>
  return { audience, sent: 0, failed: 0, uncertain: 0, open: audience, skipped }
}

/** jsonb keeps no order of keys; people and scripts read it in ours. */
function inOrder({ audience, sent, failed, uncertain, open, skipped }: Account): Account {
  return { audience, sent, failed, uncertain, open, skipped: { ...emptyAccount().skipped, ...skipped } }
}

/** Moves `count` deliveries from open to an outcome. */
function addOutcome(account: Account, outcome: string, count: number): void {
  account.open -= count
  if (outcome === 'sent' || outcome === 'failed' || outcome === 'uncertain') account[outcome] += count
  else if (outcome.startsWith('skipped:')) account.skipped[outcome.slice('skipped:'.length) as SkipReason] += count
}

/** Counted from the deliveries themselves: what closing checks `edition_counts` against. Reads all of them. */
export async function recount(db: Db, editionId: number): Promise<Account> {
  const rows = await db
    .selectFrom('deliveries')
    .select([
      sql<string>`case when state = 'skipped' then 'skipped:' || reason else state end`.as('outcome'),
      sql<number>`count(*)::int`.as('count'),
    ])
    .where('editionId', '=', editionId)
    .groupBy('outcome')
    .execute()
  const account = emptyAccount(rows.reduce((sum, row) => sum + row.count, 0))
  for (const { outcome, count } of rows)
    if (outcome !== 'queued' && outcome !== 'deferred') addOutcome(account, outcome, count)
  return account
}

/** Adds to what planning and control have settled. */
export async function addCount(trx: Trx, editionId: number, outcome: string, count: number): Promise<void> {
  if (count === 0) return
  await trx
    .insertInto('editionCounts')
    .values({ editionId, workerId: 0, outcome, count })
    .onConflict((conflict) =>
      conflict
        .columns(['editionId', 'workerId', 'outcome'])
        .doUpdateSet({ count: sql<number>`edition_counts.count + excluded.count` }),
    )
    .execute()
}

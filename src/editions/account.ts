// An edition's account: `audience = sent + failed + skipped + uncertain + open`. While the edition is open, the account comes from
// `edition_counts`: small rows that planning, editors and workers add in the statements that settle. The account of a closed
// edition is frozen.

import { sql } from 'kysely'
import type { Db, Trx } from '../db/connect.ts'
import { type Account, type Edition, type SkipReason, skipReasons } from '../db/schema.ts'

export async function accountOf(db: Db, editionId: number): Promise<Account> {
  return (await accountsOf(db, [{ id: editionId }])).get(editionId) ?? emptyAccount()
}

/** Audience and counts come from one statement, so they belong to the same moment while planning adds and workers send. */
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

/** jsonb keeps no order of keys. People and scripts read the account in this order. */
function inOrder({ audience, sent, failed, uncertain, open, skipped }: Account): Account {
  return { audience, sent, failed, uncertain, open, skipped: { ...emptyAccount().skipped, ...skipped } }
}

/** Moves `count` deliveries from open to an outcome. */
function addOutcome(account: Account, outcome: string, count: number): void {
  account.open -= count
  if (outcome === 'sent' || outcome === 'failed' || outcome === 'uncertain') account[outcome] += count
  else if (outcome.startsWith('skipped:')) account.skipped[outcome.slice('skipped:'.length) as SkipReason] += count
}

/** Counted from the deliveries themselves, to check `edition_counts` when the edition closes. Reads all of them. */
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

/** Adds deliveries that planning and control have settled. */
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

/** Whether the account of an edition that closes contains every delivery of its audience. Pure. */
export function addsUp(account: Account, audience: number): boolean {
  const skipped = Object.values(account.skipped).reduce((sum, count) => sum + count, 0)
  return (
    account.open === 0 &&
    account.audience === audience &&
    account.audience === account.sent + account.failed + account.uncertain + skipped
  )
}

/** Records which editions progressed since the last look. Their live counts are a few small rows each. */
export async function noteProgress(db: Db): Promise<void> {
  await sql`
    update editions e set progress_at = now(), progress_done = c.done
    from (select n.edition_id, sum(n.count)::int as done from edition_counts n
      join editions u on u.id = n.edition_id where u.closed_at is null group by 1) c
    where e.id = c.edition_id and e.progress_done <> c.done`.execute(db)
}

/** Its deliveries were purged. The frozen account stays; the live counts that it replaced are deleted. */
export async function markPurged(trx: Trx, editionId: number, now: Date): Promise<void> {
  await trx.deleteFrom('editionCounts').where('editionId', '=', editionId).execute()
  await trx.updateTable('editions').set({ purgedAt: now }).where('id', '=', editionId).execute()
}

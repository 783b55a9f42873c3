// Refused because of us, in mail that came back: never held against the subscriber. Counted by domain and day from the marks; an
// edition that is still being sent is paused when much of it comes back like that.

import { sql } from 'kysely'
import type { Db, Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import { countSent } from './sent-counts.ts'
import type { MatchedDelivery } from './match.ts'

/** As many as are too many to be chance. */
export const manyRefusals = 10
/** Of what was sent of the edition. */
const shareThatPauses = 0.1

/** As a condition on `returned_deliveries`. */
export const refusedBySender = sql<boolean>`class = 'soft' and reason in ('relaying', 'blocked', 'policy', 'throttled')`

export const pausedByReturns =
  'Paused: much of it comes back as refused because of us, not of its recipients. See what came back, put it right, then resume.'

/** The mark of this delivery is written already. */
export async function pauseIfRefused(
  trx: Trx,
  ctx: Pick<Context, 'log'>,
  { editionId }: MatchedDelivery,
): Promise<void> {
  if (editionId === null) return
  const { rows } = await sql<{ refused: number }>`
    select count(*)::int as refused from returned_deliveries r join editions e on e.id = r.edition_id
    where e.id = ${editionId} and e.state = 'sending' and ${refusedBySender}`.execute(trx)
  const { refused } = rows[0]!
  if (refused < manyRefusals) return
  await countSent(trx, [editionId], 10)
  const { sent } = await trx
    .selectFrom('sentCounts')
    .select((eb) => eb.fn.sum<number | null>('sent').as('sent'))
    .where('editionId', '=', editionId)
    .executeTakeFirstOrThrow()
  if (refused < Number(sent ?? 0) * shareThatPauses) return
  const { numUpdatedRows } = await trx
    .updateTable('editions')
    .set({ state: 'paused', note: pausedByReturns })
    .where('id', '=', editionId)
    .where('state', '=', 'sending')
    .executeTakeFirst()
  if (numUpdatedRows) ctx.log.error({ edition: editionId }, 'an edition was paused: much of it comes back as refused')
}

/** Domains where that was said of many mails, today or yesterday. */
export async function listRefusals(db: Db, now: Date): Promise<{ domain: string; day: string; count: number }[]> {
  const { rows } = await sql<{ domain: string; day: string; count: number }>`
    select domain, to_char(at at time zone 'UTC', 'YYYY-MM-DD') as day, count(*)::int as count
    from returned_deliveries
    where at >= date_trunc('day', ${now}::timestamptz at time zone 'UTC') at time zone 'UTC' - interval '1 day'
      and ${refusedBySender}
    group by 1, 2 having count(*) >= ${manyRefusals} order by 2, 1`.execute(db)
  return rows
}

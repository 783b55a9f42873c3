// Returned mails that were refused because of the sender. They never count against the subscriber. They are counted by domain and
// day from the marks. An edition in state `sending` is paused if many of its mails are refused like that.

import { sql } from 'kysely'
import type { Db, Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import { countSent, sumSent } from '../delivery/sent-counts.ts'
import { pauseForReturns } from '../editions/guards.ts'

/** So many aren't chance. */
const manyRefusals = 10
/** Share of the mails sent of the edition. */
const shareThatPauses = 0.1

/** A condition on `returned_deliveries`. */
const refusedBySender = sql<boolean>`class = 'soft' and reason in ('relaying', 'blocked', 'policy', 'throttled')`

/** Called after the marks of its deliveries are written. */
export async function pauseIfRefused(trx: Trx, ctx: Pick<Context, 'log'>, editionId: number | null): Promise<void> {
  if (editionId === null) return
  const { count } = await trx
    .selectFrom('returnedDeliveries')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('editionId', '=', editionId)
    .where(refusedBySender)
    .executeTakeFirstOrThrow()
  if (count < manyRefusals) return
  await countSent(trx, [editionId], 10)
  const most = Math.max(manyRefusals, (await sumSent(trx, [editionId])) * shareThatPauses)
  if (await pauseForReturns(trx, editionId, { refused: count, most }))
    ctx.log.error({ edition: editionId }, 'an edition was paused: much of it is returned as refused')
}

/** Domains with many such refusals today or yesterday. */
export async function listRefusals(db: Db, now: Date): Promise<{ domain: string; day: string; count: number }[]> {
  const { rows } = await sql<{ domain: string; day: string; count: number }>`
    select domain, to_char(at at time zone 'UTC', 'YYYY-MM-DD') as day, count(*)::int as count
    from returned_deliveries
    where at >= date_trunc('day', ${now}::timestamptz at time zone 'UTC') at time zone 'UTC' - interval '1 day'
      and ${refusedBySender}
    group by 1, 2 having count(*) >= ${manyRefusals} order by 2, 1`.execute(db)
  return rows
}

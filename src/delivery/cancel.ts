// Skips the deliveries of a cancelled edition.

import { sql } from 'kysely'
import type { Context } from '../db/context.ts'
import { addCount } from '../editions/account.ts'

/** Continues cancellations that a crash interrupted. */
export async function finishCancelled(ctx: Context): Promise<void> {
  const open = await ctx.db
    .selectFrom('editions')
    .select('id')
    .where('closedAt', 'is', null)
    .where('state', '=', 'cancelled')
    .execute()
  for (const { id } of open) await cancelDeliveries(ctx, id)
}

const cancelChunk = 20_000

/** Deliveries that a worker has leased are skipped by that worker. Uncertain deliveries stay as they are. */
export async function cancelDeliveries(ctx: Context, editionId: number): Promise<void> {
  for (let touched = cancelChunk; touched === cancelChunk;)
    touched = await ctx.db.transaction().execute(async (trx) => {
      const { rows } = await sql<{ cancelled: number; kept: number }>`
        with picked as materialized (
          select id, state from deliveries
          where edition_id = ${editionId} and lane = 'digest' and next_attempt_at is not null
          order by next_attempt_at, id limit ${cancelChunk} for update skip locked
        ), done as (
          update deliveries d set next_attempt_at = null, settled_at = now(),
            state = case when d.state = 'uncertain' then 'uncertain' else 'skipped' end,
            reason = case when d.state = 'uncertain' then null else 'cancelled' end
          from picked p where d.id = p.id returning p.state
        )
        select count(*) filter (where state <> 'uncertain')::int as cancelled,
          count(*) filter (where state = 'uncertain')::int as kept from done`.execute(trx)
      const { cancelled, kept } = rows[0]!
      await addCount(trx, editionId, 'skipped:cancelled', cancelled)
      return cancelled + kept
    })
}

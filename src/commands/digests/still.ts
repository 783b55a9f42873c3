// Whether an edition still progresses: `digest run` waits for that.

import { sql } from 'kysely'
import type { Context } from '../../db/context.ts'
import type { Db } from '../../db/connect.ts'
import type { Edition } from '../../db/schema.ts'
import { accountOf } from '../../editions/account.ts'
import { leasedDeliveries } from '../../editions/open-deliveries.ts'

/** Deliveries that are deferred by more than this aren't waited for. */
const patienceSeconds = 60

/** Changes whenever a mail is settled or put on the wire: a relay that takes minutes to answer isn't down. */
export async function progressOf(db: Db, editionIds: readonly number[]): Promise<string> {
  const { rows } = await sql<{ standing: string }>`
      select coalesce((select sum(count) from edition_counts where edition_id = any(${editionIds}::bigint[])), 0)::text || ' ' ||
        case when exists (select from in_flight where delivery_id is not null) then clock_timestamp()::text else '' end
        as standing`.execute(db)
  return rows[0]!.standing
}

/** Nothing of it will progress within a minute: it waits for an editor, for its slot, or for late retries. */
export async function isStill(
  ctx: Context,
  edition: Edition,
  { only, asOf }: { only: number | undefined; asOf: Date | null },
): Promise<boolean> {
  if (!['sending', 'planning', 'cancelled'].includes(edition.state)) return true
  if (!edition.plannedAt && only === undefined) return false
  const { rows } = await sql<{ moves: boolean }>`
      select exists (
        select from deliveries where edition_id = ${edition.id} and lane = 'digest'
          and next_attempt_at <= greatest(now(), ${asOf}::timestamptz) + ${patienceSeconds} * interval '1 second'
      ) or exists (
        select from ${leasedDeliveries} where d.edition_id = ${edition.id} and d.next_attempt_at is null
      ) as moves`.execute(ctx.db)
  if (rows[0]!.moves) return false
  // Everything is settled: it closes now, unless it has late retries.
  const { open } = await accountOf(ctx.db, edition.id)
  return open > 0 || !edition.plannedAt
}

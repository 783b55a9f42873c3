// The mark of a delivery whose mail was returned. The delivery itself, and the account that counts it as sent, never change.

import { sql } from 'kysely'
import type { Trx } from '../db/connect.ts'
import type { ReturnedDeliveriesTable } from '../db/schema.ts'

export type Mark = ReturnedDeliveriesTable

/** false: there is already such a mark, or a worse one. A worse one replaces a milder one. */
export async function markReturned(trx: Trx, mark: Mark): Promise<boolean> {
  const { rows } = await sql`
    insert into returned_deliveries as r (delivery_id, edition_id, class, reason, status, domain, relay, at)
    values (${mark.deliveryId}, ${mark.editionId}, ${mark.class}, ${mark.reason}, ${mark.status}, ${mark.domain},
      ${mark.relay}, ${mark.at})
    on conflict (delivery_id) do update
      set class = excluded.class, reason = excluded.reason, status = excluded.status, at = excluded.at
      where ${weight(sql`excluded`)} > ${weight(sql`r`)}
    returning delivery_id`.execute(trx)
  return rows.length > 0
}

/** "Host unknown" is also reported for hosts that are only down. */
const weight = (row: ReturnType<typeof sql>) => sql`case when ${row}.class = 'complaint' then 4
  when ${row}.class = 'hard' and ${row}.reason <> 'host_unknown' then 3 when ${row}.class = 'hard' then 2 else 1 end`

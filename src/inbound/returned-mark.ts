// The mark of a delivery whose mail was returned. The delivery itself, and the account that counts it as sent, never change.

import { sql } from 'kysely'
import type { Trx } from '../db/connect.ts'
import type { ReturnedDeliveriesTable } from '../db/schema.ts'

export type Mark = ReturnedDeliveriesTable

/** Returns the deliveries whose mark is new. The others already have such a mark, or a worse one. A worse one replaces a milder one.
 * The caller gives at most one mark for each delivery. */
export async function markReturned(trx: Trx, marks: readonly Mark[]): Promise<Set<number>> {
  if (marks.length === 0) return new Set()
  const rows = await trx
    .insertInto('returnedDeliveries')
    .values(marks.toSorted((a, b) => a.deliveryId - b.deliveryId))
    .onConflict((conflict) =>
      conflict
        .column('deliveryId')
        .doUpdateSet((eb) => ({
          class: eb.ref('excluded.class'),
          reason: eb.ref('excluded.reason'),
          status: eb.ref('excluded.status'),
          at: eb.ref('excluded.at'),
        }))
        .where(sql<boolean>`${weight(sql`excluded`)} > ${weight(sql`returned_deliveries`)}`),
    )
    .returning('deliveryId')
    .execute()
  return new Set(rows.map(({ deliveryId }) => deliveryId))
}

/** "Host unknown" is also reported for hosts that are only down. */
const weight = (row: ReturnType<typeof sql>) => sql`case when ${row}.class = 'complaint' then 4
  when ${row}.class = 'hard' and ${row}.reason <> 'host_unknown' then 3 when ${row}.class = 'hard' then 2 else 1 end`

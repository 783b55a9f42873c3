// Everything that one subscriber was or would be mailed. `deliveries` has no index by subscriber, which planning a million would pay
// for at every slot: it is asked edition by edition, of which there are a few thousand at most, by the index that keeps a
// subscriber from being in one twice.

import { sql } from 'kysely'
import type { Db } from '../db/connect.ts'
import type { Delivery } from '../db/schema.ts'

/** Newest first. */
export async function listDeliveriesOf(db: Db, subscriberId: number, limit: number): Promise<Delivery[]> {
  const own = sql<number>`(
    select d.id from editions e join deliveries d on d.edition_id = e.id
    where d.edition_id is not null and d.subscriber_id = ${subscriberId}
    union all
    select d.id from deliveries d where d.edition_id is null and d.subscriber_id = ${subscriberId})`
  return db.selectFrom('deliveries').selectAll().where('id', 'in', own).orderBy('id', 'desc').limit(limit).execute()
}

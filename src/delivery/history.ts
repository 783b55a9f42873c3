// Everything that was or will be mailed to one subscriber. `deliveries` has no index by subscriber, because planning a million
// deliveries would pay for it at every slot. So the query goes edition by edition, of which there are at most a few thousand,
// using the unique index on edition and subscriber.

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

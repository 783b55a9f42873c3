// What "open" means for a delivery, as SQL. An open delivery waits for its next attempt (`next_attempt_at` is set), or a worker
// has leased it (it is in `claims`, and not settled). Any snapshot of the database sees it in exactly one of the two places.

import { sql } from 'kysely'

/** On a delivery `d`: it waits, and no worker has leased it. */
export const isWaiting = sql<boolean>`d.next_attempt_at is not null`

/** For `from … where …`: the deliveries `d` that workers have leased and not yet settled. */
export const leasedDeliveries = sql`claims l cross join unnest(l.delivery_ids) as u (id)
  join deliveries d on d.id = u.id and d.settled_at is null`

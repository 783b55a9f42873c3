// Returned mail that was attempted before is claimed one by one, beside batches of new mail: without a walk over what is new.

import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index inbound_events_retried on inbound_events (next_attempt_at, id)
    where next_attempt_at is not null and attempts > 0`.execute(db)
}

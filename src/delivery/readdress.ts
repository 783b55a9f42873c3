// A subscriber's new address also applies to planned deliveries, because the old mailbox may already be somebody else's.

import { sql } from 'kysely'
import type { Trx } from '../db/connect.ts'

/**
 * Changes deliveries that wait to be sent or retried. Deliveries that are leased or may have arrived keep the address that they
 * were sent to.
 */
export async function readdress(trx: Trx, subscriberId: number, email: string): Promise<void> {
  await sql`
    update deliveries d set recipient = ${email}
    from editions e where e.closed_at is null and d.edition_id = e.id and d.subscriber_id = ${subscriberId}
      and d.next_attempt_at is not null and d.state in ('queued', 'deferred')`.execute(trx)
}

// A subscriber's new address holds for what is planned already: the old mailbox may be somebody else's by now.

import { sql } from 'kysely'
import type { Trx } from '../db/connect.ts'

/** What waits to be sent for the first time, or again after an answer. Not what is leased or may have arrived: that stays where it
 * went. */
export async function readdress(trx: Trx, subscriberId: number, email: string): Promise<void> {
  await sql`
    update deliveries d set recipient = ${email}
    from editions e where e.closed_at is null and d.edition_id = e.id and d.subscriber_id = ${subscriberId}
      and d.next_attempt_at is not null and d.state in ('queued', 'deferred')`.execute(trx)
}

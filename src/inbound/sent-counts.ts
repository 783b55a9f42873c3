// How many mails of an edition went to each recipient domain. Counting them is a walk over the whole edition, so it is done only when
// something of it came back, once after it has closed, and not every minute before.

import { sql } from 'kysely'
import type { Db } from '../db/connect.ts'

const staleMinutes = 5

/** Of these editions, as of a moment ago. Safe to repeat. */
export async function countSent(
  db: Db,
  editionIds: readonly number[],
  staleSeconds = staleMinutes * 60,
): Promise<void> {
  for (const editionId of [...new Set(editionIds)].toSorted((a, b) => a - b)) {
    const { rows } = await sql`
      select id from editions where id = ${editionId}
        and (sent_counted_at is null or (sent_counted_at <= coalesce(closed_at, 'infinity')
          and sent_counted_at < now() - ${staleSeconds} * interval '1 second'))
      for no key update`.execute(db)
    if (!rows.length) continue
    await sql`
      insert into sent_counts (edition_id, relay, domain, sent)
      select edition_id, coalesce(relay, ''), lower(substring(recipient from '[^@]*$')), count(*)
      from deliveries where edition_id = ${editionId} and state in ('sent', 'uncertain') group by 1, 2, 3
      on conflict (edition_id, domain, relay) do update set sent = excluded.sent`.execute(db)
    await sql`update editions set sent_counted_at = now() where id = ${editionId}`.execute(db)
  }
}

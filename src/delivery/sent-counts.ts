// How many mails of an edition were sent to each recipient domain. Counting reads all deliveries of an edition. So it is done only
// when a mail of it came back: at most every five minutes before the edition closes, and once after.

import { sql } from 'kysely'
import type { Db } from '../db/connect.ts'

const staleMinutes = 5

/** Counts these editions, as of a moment ago. Safe to repeat. */
export async function countSent(
  db: Db,
  editionIds: readonly number[],
  staleSeconds = staleMinutes * 60,
): Promise<void> {
  for (const editionId of [...new Set(editionIds)].toSorted((a, b) => a - b)) {
    const { rows } = await sql`
      insert into sent_counted as c (edition_id, at) select id, now() from editions where id = ${editionId}
      on conflict (edition_id) do update set at = now()
        where c.at < now() - ${staleSeconds} * interval '1 second'
          and c.at <= (select coalesce(closed_at, 'infinity') from editions where id = c.edition_id)
      returning edition_id`.execute(db)
    if (!rows.length) continue
    await sql`
      insert into sent_counts (edition_id, relay, domain, sent)
      select edition_id, coalesce(relay, ''), lower(substring(recipient from '[^@]*$')), count(*)
      from deliveries where edition_id = ${editionId} and state in ('sent', 'uncertain') group by 1, 2, 3
      on conflict (edition_id, domain, relay) do update set sent = excluded.sent`.execute(db)
  }
}

/** The sum over these editions. `of` limits it to a recipient domain or a relay. */
export async function sumSent(
  db: Db,
  editionIds: readonly number[],
  of: { domain?: string | null; relay?: string | null } = {},
): Promise<number> {
  if (!editionIds.length) return 0
  const { sent } = await db
    .selectFrom('sentCounts')
    .select((eb) => eb.fn.sum<number | null>('sent').as('sent'))
    .where('editionId', 'in', editionIds)
    .$if(typeof of.domain === 'string', (query) => query.where('domain', '=', of.domain!))
    .$if(typeof of.relay === 'string', (query) => query.where('relay', '=', of.relay!))
    .executeTakeFirstOrThrow()
  return Number(sent ?? 0)
}

/** A nightly chore: deletes counts of editions whose deliveries were purged. Safe to repeat. */
export async function purgeSentCounts(db: Db): Promise<void> {
  await sql`delete from sent_counts s using editions e where e.id = s.edition_id and e.purged_at is not null`.execute(
    db,
  )
}

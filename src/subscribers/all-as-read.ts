// After a restored backup, stories that forgotten mails may have contained count as read.

import { sql } from 'kysely'
import type { Db } from '../db/connect.ts'

const chunkSize = 20_000

/**
 * All stories that are sendable now count as read by every subscriber, as if they had been in a mail. Returns how many
 * subscribers. Safe to repeat.
 */
export async function countAllAsRead(db: Db): Promise<number> {
  const { rows } = await sql<{ marks: string }>`
    select coalesce(json_object_agg(category_id, seq), '{}')::text as marks
    from (select category_id, max(seq) as seq from article_categories where seq is not null group by 1) newest`.execute(
    db,
  )
  const marks = rows[0]!.marks
  let readers = 0
  for (let cursor: number | null = 0; cursor !== null;) {
    const chunk: { rows: { last: number | null; count: number }[] } = await sql<{ last: number | null; count: number }>`
      with chunk as materialized (select id from subscribers where id > ${cursor} order by id limit ${chunkSize}), marked as (
        insert into reading (subscriber_id, watermarks) select id, ${marks}::text::jsonb from chunk order by id
        on conflict (subscriber_id) do update set watermarks = reading.watermarks || excluded.watermarks
      )
      select max(id) as last, count(*)::int as count from chunk`.execute(db)
    cursor = chunk.rows[0]!.last
    readers += chunk.rows[0]!.count
  }
  return readers
}

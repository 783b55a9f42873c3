import { type Kysely, sql } from 'kysely'

/**
 * `matched`: whether an applied mail names one of ours and says something about it; false: nothing followed from it, and it is listed
 * as unmatched. null: it isn't applied yet. The indexes keep the list and the nightly purge from reading the whole table.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [
    sql`alter table inbound_events add column matched boolean`,
    sql`update inbound_events e set matched = exists (select 1 from inbound_reports r where r.event_id = e.id)
      and not exists (select 1 from inbound_reports r where r.event_id = e.id and r.proof is null)
      where applied_at is not null`,
    sql`create index inbound_events_unmatched on inbound_events (id) where matched = false`,
    sql`create index inbound_events_with_text on inbound_events (received_at) where raw is not null or facts is not null`,
    sql`drop index inbound_reports_unmatched`,
  ])
    await statement.execute(db)
}

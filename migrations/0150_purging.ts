import { type Kysely, sql } from 'kysely'

/**
 * Retention goes edition by edition, and says which ones are done. Deliveries of no edition are found by age. Lists by status walk an
 * index for every status but `active`, which has its own; those of stories and suppressions walk theirs from the newest. Uncertain
 * counts are found without reading the others.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [
    sql`alter table editions add column purged_at timestamptz`,
    sql`create index deliveries_of_no_edition_by_age on deliveries (created_at) where edition_id is null`,
    sql`drop index subscribers_left`,
    sql`create index subscribers_not_active on subscribers (status, id) where status in ('pending', 'unsubscribed', 'suppressed')`,
    sql`create index articles_newest on articles (published_at desc, id desc)`,
    sql`create index suppressions_newest on suppressions (created_at desc, email_hash desc)`,
    sql`create index edition_counts_uncertain on edition_counts (edition_id) where outcome = 'uncertain'`,
  ])
    await statement.execute(db)
}

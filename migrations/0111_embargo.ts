import { type Kysely, sql } from 'kysely'

/**
 * A story dated ahead waits: it has no `sendable_at` and its categories have no seq until the tick releases it. What is stored has been
 * sendable since it was first seen.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [
    sql`alter table articles add column sendable_at timestamptz`,
    sql`update articles set sendable_at = first_seen_at`,
    // Together with the id, as the smallest id of the last weeks is looked for (delivery/seen-horizon.ts).
    sql`create index articles_sendable on articles (sendable_at, id)`,
    sql`create index articles_waiting on articles (published_at) where sendable_at is null`,
    sql`drop index articles_first_seen`,
    sql`drop index articles_stopped`,
    sql`create index articles_stopped on articles (id)
      where withdrawn_at is not null or held_at is not null or sendable_at is null`,
    sql`alter table article_categories alter column seq drop not null`,
    sql`create index article_categories_waiting on article_categories (article_id) where seq is null`,
    sql`alter table feeds add column ignores_dates_ahead boolean not null default false,
      add column seems_ahead boolean not null default false`,
  ])
    await statement.execute(db)
}

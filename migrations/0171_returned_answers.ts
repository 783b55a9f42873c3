import { type Kysely, sql } from 'kysely'

/** The brake also hears what comes back: `returned` answers are held against what was sent (`sent_counts`), not against the answers of
 * the hour. And complaints put one on: `cause`. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [
    sql`alter table dead_answers add column returned boolean not null default false`,
    sql`alter table brakes add column cause text not null default 'answers'
      check (cause in ('answers', 'returned', 'complaints'))`,
    sql`create table sent_counts (
      edition_id bigint not null references editions on delete cascade,
      relay text not null,
      domain text not null,
      sent int not null,
      primary key (edition_id, domain, relay)
    )`,
    sql`create index sent_counts_by_domain on sent_counts (domain)`,
    sql`alter table editions add column sent_counted_at timestamptz`,
    sql`create index returned_deliveries_complaints on returned_deliveries (domain, at) where class = 'complaint'`,
  ])
    await statement.execute(db)
}

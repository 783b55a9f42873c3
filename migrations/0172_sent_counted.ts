import { type Kysely, sql } from 'kysely'

/** When an edition's `sent_counts` were taken stands beside them. An edition that was paused over what came back, and resumed by an
 * editor, isn't paused again for the same reports. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [
    sql`create table sent_counted (
      edition_id bigint primary key references editions on delete cascade,
      at timestamptz not null
    )`,
    sql`insert into sent_counted (edition_id, at) select id, sent_counted_at from editions where sent_counted_at is not null`,
    sql`alter table editions drop column sent_counted_at`,
    sql`alter table edition_guards add column returned_refusals int not null default 0`,
  ])
    await statement.execute(db)
}

import { type Kysely, sql } from 'kysely'

/**
 * What workers share about an edition. Until a relay has taken a mail of it (`is_proven`) one worker alone tries, the one that its
 * row in `edition_guards` names; refusals of us, whoever hears them, count in one streak. A table of its own, as planning holds
 * the edition's row for long. `retry_hours`: an edition's own, shorter window for retries.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [
    sql`alter table editions add column is_proven boolean not null default false,
      add column retry_hours smallint check (retry_hours > 0)`,
    // What was being sent before this migration had been taken before.
    sql`update editions set is_proven = true where state in ('sending', 'paused')`,
    sql`create table edition_guards (
      edition_id bigint primary key references editions on delete cascade,
      worker_id bigint,
      policy_streak int not null default 0
    ) with (fillfactor = 50)`,
  ])
    await statement.execute(db)
}

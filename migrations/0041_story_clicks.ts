import { type Kysely, sql } from 'kysely'

/** Clicks per story, and nothing else: no person, no time, no address. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table story_clicks (
    article_id int primary key references articles on delete cascade,
    clicks int not null default 0
  ) with (fillfactor = 50)`.execute(db)
}

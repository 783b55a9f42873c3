import { type Kysely, sql } from 'kysely'

/** What all workers share out between them: the rate, and the mails of a day per relay while it warms up. And a reader's stories of
 * 60 days are stored uncompressed: each digest writes them anew, and packing them took longer than writing them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table send_quota (
    key text primary key,
    next_at timestamptz not null default now(),
    used int not null default 0
  ) with (fillfactor = 20)`.execute(db)
  await sql`alter table reading alter column seen set storage external`.execute(db)
}

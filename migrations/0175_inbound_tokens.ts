import { type Kysely, sql } from 'kysely'

/** Tokens of Mailgun, each with the event that it was used for: it counts for no other. Kept for a day; a signature counts for five
 * minutes. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table inbound_tokens (
    token_hash text primary key,
    event_id text not null,
    at timestamptz not null
  )`.execute(db)
}

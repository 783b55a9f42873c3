import { type Kysely, sql } from 'kysely'

/** The language of the form that somebody signed up by: mails and pages after it are in the same. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table signup_requests add column locale text`.execute(db)
}

import { type Kysely, sql } from 'kysely'

/** Which confirmation page an edition came from: pressed twice, or sent again by a proxy, it makes one edition. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table editions add column request_key text unique`.execute(db)
}

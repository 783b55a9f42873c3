import { type Kysely, sql } from 'kysely'

/** What a picture shows, in the feed's own words. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table articles add column image_alt text`.execute(db)
}

import { type Kysely, sql } from 'kysely'

/** Width to height of a story's picture, as its feed says: a mail reserves its place before it is loaded. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table articles add column image_ratio double precision`.execute(db)
}

import { type Kysely, sql } from 'kysely'

/** Since when a document of the feed is being parsed. It stays where parsing didn't come to its end: the parser was stopped over the
 * document, or the process was. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table feeds add column reading_since timestamptz`.execute(db)
}

import { type Kysely, sql } from 'kysely'

/** A category's page on the site: where "12 more in Politics" leads. null: worked out from its feeds. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table categories add column page_url text`.execute(db)
}

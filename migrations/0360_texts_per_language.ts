import { type Kysely, sql } from 'kysely'

/**
 * Names and descriptions of categories in other languages: `{"de": {"name": "Politik", "description": "…"}}`. The language of the
 * wording that a consent record holds; null: recorded before languages were.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table categories add column translations jsonb not null default '{}'`.execute(db)
  await sql`alter table consents add column language text`.execute(db)
}

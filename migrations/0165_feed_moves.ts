import { type Kysely, sql } from 'kysely'

/** Where a feed was before it moved for good, and why it didn't where it says that it has. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table feeds
      add column moved_from text,
      add column moved_at timestamptz,
      add column move_problem text`.execute(db)
}

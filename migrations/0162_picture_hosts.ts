import { type Kysely, sql } from 'kysely'

/** Hosts of pictures that feeds name by http:, and whether they have them by https: too. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create table picture_hosts (host text primary key, is_secure boolean not null, checked_at timestamptz not null)`.execute(
    db,
  )
}

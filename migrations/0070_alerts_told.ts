import { type Kysely, sql } from 'kysely'

/** Whether the webhook has heard of an alert: one that couldn't be told is told by the next look. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table alerts add column told_at timestamptz`.execute(db)
}

import { type Kysely, sql } from 'kysely'

/** When we last asked a feed's hub, so that one that doesn't answer isn't asked at every poll; and why it denied us. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table feeds add column hub_asked_at timestamptz, add column hub_denied text`.execute(db)
}

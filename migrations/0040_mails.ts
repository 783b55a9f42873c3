import { type Kysely, sql } from 'kysely'

/** What was held back or withdrawn, small whatever the archive's size: each batch of digests asks for it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index articles_stopped on articles (id) where withdrawn_at is not null or held_at is not null`.execute(
    db,
  )
}

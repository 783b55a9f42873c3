import { type Kysely, sql } from 'kysely'

/** An erasure looks for the address among former addresses, and the nightly chore looks for old idempotency keys. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index address_changes_by_previous on address_changes (previous_email_key)
    where previous_email is not null`.execute(db)
  await sql`create index idempotency_keys_by_age on idempotency_keys (created_at)`.execute(db)
}

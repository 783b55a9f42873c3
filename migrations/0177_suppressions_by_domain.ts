import { type Kysely, sql } from 'kysely'

/** The suppressions of one recipient domain, from the newest. Those that no mail caused have no `domain`, but most have an address. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index suppressions_by_domain on suppressions
    (coalesce(domain, lower(substring(email from '[^@]*$'))), created_at desc, email_hash desc)`.execute(db)
}

import { type Kysely, sql } from 'kysely'

/**
 * Mails that forms cause are counted within 30 days, by mailbox: so the times are kept, not only how many there were. What was
 * counted before keeps its last time for all of them, except preferences links, which had no such limit. The key of a rate limit may be longer than 255 characters: domains are.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [
    sql`alter table form_mails rename column email_hash to mailbox_hash`,
    sql`alter table form_mails add column sent_at timestamptz[] not null default '{}', add column bounced_at timestamptz`,
    sql`update form_mails set sent_at = array_fill(last_at, array[case kind when 'preferences-link' then 1 else least(mails, 3) end])`,
    sql`alter table form_mails drop column mails`,
    sql`create index form_mails_by_age on form_mails (last_at)`,
    sql`alter table rate_limits alter column key type text`,
    sql`create index rate_limits_by_age on rate_limits (expire)`,
  ])
    await statement.execute(db)
}

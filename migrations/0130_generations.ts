import { type Kysely, sql } from 'kysely'

/**
 * A subscriber's generation: raising it ends all older links but those that unsubscribe. Everything that exists begins at 0, which
 * is also what links without a generation count as, so mails that were delivered before keep working.
 *
 * A sign-up request of an earlier generation stays as it is, ended, and a new one may be opened beside it.
 *
 * An address change keeps where the mail went before, for as long as it can be taken back.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [
    sql`alter table subscribers add column generation int not null default 0`,
    sql`alter table signup_requests add column generation int not null default 0`,
    sql`drop index signup_requests_open`,
    sql`create unique index signup_requests_open on signup_requests (subscriber_id, generation) where used_at is null`,
    sql`alter table address_changes add column generation int not null default 0,
      add column previous_email text, add column previous_email_key text, add column undone_at timestamptz`,
    sql`create index address_changes_undoable on address_changes (used_at) where previous_email is not null`,
  ])
    await statement.execute(db)
}

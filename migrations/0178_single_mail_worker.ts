import { type Kysely, sql } from 'kysely'

/** Under a brake single mails go one at a time over all workers. `single_mail_worker_id` is the worker that sends one now. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table brakes add column single_mail_worker_id bigint`.execute(db)
}

import { type Kysely, sql } from 'kysely'

/**
 * What the console's pages and the API's lists read by. None of these is over a column that planning or settling moves (the
 * partial ones hold no row that does), so that a million deliveries cost nothing more for them.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [
    sql`create index consents_growth on consents (at) include (action)
      where action in ('confirmed', 'imported', 'resubscribed', 'withdrawn')`,
    sql`create index subscribers_left on subscribers (status, id) where status in ('unsubscribed', 'suppressed')`,
    sql`create index subscribers_never_due on subscribers (id) where status = 'active' and next_due_at is null`,
    sql`create index audit_log_by_subject on audit_log (subject, id desc)`,
    sql`create index audit_log_by_actor on audit_log (actor, id desc)`,
    sql`create index audit_log_by_action on audit_log (action, id desc)`,
  ])
    await statement.execute(db)
}

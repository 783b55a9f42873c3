import { type Kysely, sql } from 'kysely'

/** A suppression says where it comes from and what it took away, so that it can be undone exactly. Until now the subscriber of a
 * suppressed address could have any status; from here on it is always `suppressed`, and the suppression keeps the former one. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [
    sql`alter table suppressions
      add column delivery_id bigint,
      add column domain text,
      add column relay text,
      add column brake_id bigint,
      add column status_before text check (status_before in ('pending', 'active', 'unsubscribed')),
      add column due_before timestamptz,
      add column carried_before smallint`,
    sql`create index suppressions_by_delivery on suppressions (delivery_id) where delivery_id is not null`,
    sql`create index suppressions_by_brake on suppressions (brake_id) where brake_id is not null`,
    sql`update suppressions p set
        status_before = case when s.status <> 'suppressed' then s.status
          when s.confirmed_at is not null and s.unsubscribed_at is null then 'active'
          when s.unsubscribed_at is not null then 'unsubscribed' else 'pending' end,
        due_before = t.next_due_at, carried_before = t.carried_due
      from subscribers s left join due_times t on t.subscriber_id = s.id where s.email_hash = p.email_hash`,
    sql`delete from due_times t using subscribers s, suppressions p
      where s.id = t.subscriber_id and s.email_hash = p.email_hash`,
    sql`update subscribers s set status = 'suppressed'
      from suppressions p where s.email_hash = p.email_hash and s.status <> 'suppressed'`,
  ])
    await statement.execute(db)
}

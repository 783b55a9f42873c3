import { type Kysely, sql } from 'kysely'

/**
 * When each subscriber is due, in a table of its own. Planning moves every due subscriber's time at every slot, and in `subscribers`
 * that meant a new version of a wide row and an entry in each of its indexes, two of them at random places: most of the work of a
 * slot. Here it is forty bytes and two indexes in the order of planning.
 *
 * `deliveries` loses what cost each planned row the same again: the foreign key, whose check locks the subscriber's row, and the
 * index by subscriber, which at millions of past deliveries is dirtied from end to end by every slot. A subscriber's deliveries are
 * found edition by edition (`deliveries_once`), those of no edition by an index of their own.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [
    sql`create table due_times (
      subscriber_id bigint primary key references subscribers on delete cascade,
      next_due_at timestamptz not null,
      carried_due smallint not null default 0
    )`,
    sql`insert into due_times (subscriber_id, next_due_at, carried_due)
      select id, next_due_at, carried_due from subscribers where status = 'active' and next_due_at is not null order by id`,
    sql`create index due_times_next on due_times (next_due_at, subscriber_id)`,
    sql`drop index subscribers_due`,
    sql`drop index subscribers_never_due`,
    sql`alter table subscribers drop column next_due_at, drop column carried_due`,
    sql`create index subscribers_active on subscribers (id) where status = 'active'`,
    sql`alter table deliveries drop constraint deliveries_subscriber_id_fkey`,
    sql`drop index deliveries_by_subscriber`,
    sql`create index deliveries_of_no_edition on deliveries (subscriber_id, id) where edition_id is null`,
  ])
    await statement.execute(db)
}

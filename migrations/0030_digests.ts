import { type Kysely, sql } from 'kysely'

/** What planning, approval and alerts keep beyond the tables of 0003. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [
    sql`alter table subscribers add column carried_due smallint not null default 0`,
    sql`alter table editions add column approved_at timestamptz, add column only_subscriber_id bigint,
      add column progress_done int not null default 0`,
    sql`create index editions_unfinished on editions (id) where closed_at is null`,
    // Which digest of a subscriber is open and not leased, without reading the history of a million subscribers. A claim clears
    // next_attempt_at and so takes the entry out; settling touches none of these columns and stays a heap-only update.
    sql`create index deliveries_open_digest on deliveries (subscriber_id)
      where next_attempt_at is not null and kind = 'digest'`,
    sql`create table alerts (
      key text primary key,
      message text not null,
      raised_at timestamptz not null,
      cleared_at timestamptz
    )`,
    sql`create index alerts_raised on alerts (raised_at) where cleared_at is null`,
  ])
    await statement.execute(db)
}

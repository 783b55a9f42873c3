import { type Kysely, sql } from 'kysely'

/** What belongs to the program as a whole. The tables of the chore queue are pg-boss's: it makes and upgrades them itself. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [
    sql`create table settings (
      key text primary key,
      value jsonb not null,
      updated_at timestamptz not null default now()
    )`,

    // Keys may hold a domain, so they have no limit of 255 characters.
    sql`create table rate_limits (
      key text primary key,
      points integer not null default 0,
      expire bigint
    )`,
    sql`create index rate_limits_by_age on rate_limits (expire)`,

    // What one process at a time does, and how long it may (database time).
    sql`create table leases (
      name text primary key,
      holder text not null,
      until timestamptz not null
    )`,

    // Which fire of the scheduler was taken, so that one of many instances runs it.
    sql`create table cron_leases (
      key text primary key,
      until timestamptz not null
    )`,

    // An alert that the webhook couldn't be told (told_at is null) is told by the next look.
    sql`create table alerts (
      key text primary key,
      message text not null,
      raised_at timestamptz not null,
      cleared_at timestamptz,
      told_at timestamptz
    )`,
    sql`create index alerts_raised on alerts (raised_at) where cleared_at is null`,
  ])
    await statement.execute(db)
}

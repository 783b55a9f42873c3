import { type Kysely, sql } from 'kysely'

/** Rules say how they compare and can name the label's domain; a feed may have a time zone of its own for dates without one. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [
    sql`alter table feed_rules add column match text, add column scheme text`,
    sql`update feed_rules set match = case when field = 'label' then 'equals' else 'contains' end`,
    sql`alter table feed_rules alter column match set not null,
      add constraint feed_rules_match check (match in ('equals', 'begins', 'contains'))`,
    sql`alter table feeds add column timezone text`,
  ])
    await statement.execute(db)
}

import { type Kysely, sql } from 'kysely'

/** Why an edition is paused, and that its account doesn't add up, as columns instead of sentences in `note`. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table editions
    add column paused_by text check (paused_by in ('editor', 'policy', 'returns')),
    add column miscounted_at timestamptz`.execute(db)
  await sql`update editions set paused_by = case
      when note like 'Paused: ten mails in a row%' then 'policy'
      when note like 'Paused: much of it comes back%' then 'returns' else 'editor' end
    where state = 'paused'`.execute(db)
}

// The languages of the active subscribers are read by steps over this index, one for each language, before an edition is rendered.

import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index subscribers_locales on subscribers (locale)
    where status = 'active' and locale is not null`.execute(db)
}

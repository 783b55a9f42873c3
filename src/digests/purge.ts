// Retention: settled deliveries go after RETENTION_DAYS; editions stay with their frozen accounts, and their rendered stories for a
// week: megabytes each, and made again when somebody needs them (compose.ts). Ids grow with time, so the oldest deliveries are the
// first by primary key: no index is needed, and nothing is read when nothing is old.

import { sql } from 'kysely'
import { systemClock } from '../base/clock.ts'
import type { Context } from '../db/context.ts'

const purgeChunk = 20_000
const snapshotDays = 7
const dayMs = 86_400_000

/** One chunk per call, so that a tick is never long; the next tick goes on. Returns how many went. */
export async function purge(ctx: Context): Promise<number> {
  // On the system's clock: a tick as of next year must not purge this year.
  const now = systemClock.now().getTime()
  const before = new Date(now - ctx.config.retentionDays * dayMs)
  const { numAffectedRows } = await sql`
    delete from deliveries d using (
      select id, edition_id, settled_at, created_at from deliveries order by id limit ${purgeChunk}
    ) oldest
    where d.id = oldest.id and oldest.created_at < ${before} and oldest.settled_at < ${before}
      and (oldest.edition_id is null
        or exists (select from editions e where e.id = oldest.edition_id and e.closed_at < ${before}))`.execute(ctx.db)
  await sql`
    delete from edition_snapshots s using editions e
    where e.id = s.edition_id and e.closed_at < ${new Date(now - snapshotDays * dayMs)}`.execute(ctx.db)
  await ctx.db.deleteFrom('alerts').where('clearedAt', '<', before).execute()
  return Number(numAffectedRows ?? 0)
}

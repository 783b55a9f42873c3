// Retention: the deliveries of an edition are deleted RETENTION_DAYS after it closed, single mails RETENTION_DAYS after they were
// settled. Editions stay, with their frozen accounts.

import { sql } from 'kysely'
import { systemClock } from '../base/clock.ts'
import type { Context } from '../db/context.ts'
import { markPurged } from '../editions/account.ts'
import { forgetAnswers } from './brakes.ts'

export const purgeChunk = 20_000
/** Per call, so that a tick stays short. The next tick continues. Ten million deliveries take an hour. */
const chunksPerCall = 10
const dayMs = 86_400_000

/** Returns how many deliveries were deleted. Safe to repeat, and to stop anywhere. */
export async function purge(ctx: Context, chunk = purgeChunk): Promise<number> {
  // By the system's clock: a tick with `--as-of` next year must not purge this year.
  const now = systemClock.now().getTime()
  const before = new Date(now - ctx.config.retentionDays * dayMs)
  await forgetAnswers(ctx.db, before)
  let purged = await purgeAlone(ctx, before, chunk)
  for (let left = chunksPerCall; left > 0;) {
    const edition = await ctx.db
      .selectFrom('editions')
      .select('id')
      .where('closedAt', '<', before)
      .where('purgedAt', 'is', null)
      // An edition that was run as of an old day was planned today, by the database's clock.
      .where(
        sql<boolean>`coalesce((select created_at < ${before} from deliveries where edition_id = editions.id order by subscriber_id limit 1), true)`,
      )
      .orderBy('id')
      .limit(1)
      .executeTakeFirst()
    if (!edition) break
    let gone = { count: 0, last: 0 }
    do {
      gone = await purgeSome(ctx, edition.id, gone.last, chunk)
      purged += gone.count
      left--
    } while (gone.count === chunk && left > 0)
    if (gone.count < chunk) purged += await finishEdition(ctx, edition.id, new Date(now))
  }
  return purged
}

/** In the order of the index on edition and subscriber, so deleted rows aren't scanned again. */
async function purgeSome(ctx: Context, editionId: number, after: number, chunk: number) {
  const { rows } = await sql<{ count: number; last: number }>`
    with old as (
      select id, subscriber_id from deliveries where edition_id = ${editionId} and subscriber_id > ${after}
      order by subscriber_id limit ${chunk}
    ), gone as (delete from deliveries where id = any(array(select id from old)))
    select count(*)::int as count, coalesce(max(subscriber_id), 0) as last from old`.execute(ctx.db)
  return rows[0]!
}

/** Deletes the deliveries of erased subscribers, and the live counts that the frozen account has replaced. */
async function finishEdition(ctx: Context, editionId: number, now: Date): Promise<number> {
  return ctx.db.transaction().execute(async (trx) => {
    const { numAffectedRows } = await sql`
      delete from deliveries where edition_id = ${editionId} and subscriber_id is null`.execute(trx)
    await trx.deleteFrom('sentCounts').where('editionId', '=', editionId).execute()
    await markPurged(trx, editionId, now)
    return Number(numAffectedRows ?? 0)
  })
}

/** Confirmations, links and other mails of no edition. */
async function purgeAlone(ctx: Context, before: Date, chunk: number): Promise<number> {
  const { numAffectedRows } = await sql`
    delete from deliveries where id = any(array(
      select id from deliveries where edition_id is null and created_at < ${before} and settled_at < ${before}
      order by created_at limit ${chunk}))`.execute(ctx.db)
  return Number(numAffectedRows ?? 0)
}

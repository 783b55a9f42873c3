// From a slot or a trigger to an edition that can be planned: freeze the cut-off and the stories, render the snapshot, move on.
// Each step is safe to repeat and each leaves the edition in `planning` until the last, so whoever ticks next continues.

import { sql } from 'kysely'
import type { Context } from '../db/context.ts'
import type { Db, Trx } from '../db/connect.ts'
import type { Edition } from '../db/schema.ts'

/** digests/snapshot.ts, handed in: planning doesn't need to know how mails are made. */
export type MakeSnapshot = (ctx: Context, editionId: number) => Promise<void>

/** Older stories are nobody's news: `reading.seen` forgets after 60 days, so this must stay below. */
export const eligibleDays = 45
/** Per category. Beyond it stories are neither shown nor counted. */
const mostStories = 500

/** The scheduled edition of a slot: made once, whoever comes first. */
export async function ensureScheduled(db: Db, slotAt: Date, now: Date): Promise<Edition> {
  await db
    .insertInto('editions')
    .values({ kind: 'scheduled', slotAt, state: 'planning', createdAt: now })
    .onConflict((conflict) => conflict.column('slotAt').where('kind', '=', 'scheduled').doNothing())
    .execute()
  return db
    .selectFrom('editions')
    .selectAll()
    .where('kind', '=', 'scheduled')
    .where('slotAt', '=', slotAt)
    .executeTakeFirstOrThrow()
}

/** Leaves `planning` for `next`. Another process may do the same at once: the frozen stories are the same, so is the snapshot. */
export async function prepare(
  ctx: Context,
  edition: Edition,
  parts: { makeSnapshot: MakeSnapshot; next: 'sending' | 'awaiting_approval' },
): Promise<void> {
  if (edition.state !== 'planning') return
  await ctx.db.transaction().execute((trx) => freeze(trx, edition.id, ctx.clock.now()))
  const made = await ctx.db
    .selectFrom('editionSnapshots')
    .select('editionId')
    .where('editionId', '=', edition.id)
    .executeTakeFirst()
  if (!made) await parts.makeSnapshot(ctx, edition.id)
  await ctx.db
    .updateTable('editions')
    .set({ state: parts.next, progressAt: sql<Date>`now()` })
    .where('id', '=', edition.id)
    .where('state', '=', 'planning')
    .execute()
}

/** The choice of stories, once. `seq` is given in commit order, so nothing at or below the highest one is still to come. */
async function freeze(trx: Trx, editionId: number, now: Date): Promise<void> {
  const edition = await trx
    .selectFrom('editions')
    .select(['kind', 'cutoffSeq', 'categoryIds'])
    .where('id', '=', editionId)
    .forUpdate()
    .executeTakeFirstOrThrow()
  if (edition.cutoffSeq !== null) return
  const { cutoffSeq } = await trx
    .selectFrom('articleCategories')
    .select(sql<number>`coalesce(max(seq), 0)`.as('cutoffSeq'))
    .executeTakeFirstOrThrow()
  if (edition.kind !== 'announcement') {
    const only = edition.categoryIds ? `{${edition.categoryIds.join(',')}}` : null
    await sql`
      insert into edition_articles (edition_id, category_id, article_id, seq, position, is_pinned)
      select ${editionId}, c.id, s.article_id, s.seq, s.position, s.is_pinned
      from categories c cross join lateral (
        select ac.article_id, ac.seq, a.pinned_at is not null as is_pinned,
          row_number() over (order by a.pinned_at desc nulls last, a.published_at desc, ac.seq desc) as position
        from article_categories ac join articles a on a.id = ac.article_id
        where ac.category_id = c.id and ac.seq <= ${cutoffSeq}
          and a.held_at is null and a.withdrawn_at is null
          and a.first_seen_at > ${now}::timestamptz - ${eligibleDays} * interval '1 day'
        order by a.pinned_at desc nulls last, ac.seq desc limit ${mostStories}
      ) s
      where c.retired_at is null and (${only}::int[] is null or c.id = any(${only}::int[]))`.execute(trx)
  }
  await trx.updateTable('editions').set({ cutoffSeq }).where('id', '=', editionId).execute()
}

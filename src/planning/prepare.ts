// From a slot or a trigger to an edition that can be planned: freeze the cut-off and the stories, render the snapshot, move on.
// Each step is safe to repeat and each leaves the edition in `planning` until the last, so whoever ticks next continues.

import { sql } from 'kysely'
import type { Context } from '../db/context.ts'
import type { Db, Trx } from '../db/connect.ts'
import type { Edition } from '../db/schema.ts'
import { chooseRendered, listEligible, newestSeq } from '../digests/eligible.ts'
import { renderedPerCategory } from '../digests/snapshot.ts'

/** digests/snapshot.ts, handed in: planning doesn't need to know how mails are made. */
export type MakeSnapshot = (ctx: Context, editionId: number) => Promise<void>

/** The scheduled edition of a slot: made once, whoever comes first. Asked before it is made: an insert that meets a conflict would
 * use up a number that editors see. */
export async function ensureScheduled(db: Db, slotAt: Date, now: Date): Promise<Edition> {
  const find = () =>
    db
      .selectFrom('editions')
      .selectAll()
      .where('kind', '=', 'scheduled')
      .where('slotAt', '=', slotAt)
      .executeTakeFirst()
  const there = await find()
  if (there) return there
  await db
    .insertInto('editions')
    .values({ kind: 'scheduled', slotAt, state: 'planning', createdAt: now })
    .onConflict((conflict) => conflict.column('slotAt').where('kind', '=', 'scheduled').doNothing())
    .execute()
  return (await find())!
}

/** Leaves `planning` for `next`. Another process may do the same at once: the frozen stories are the same, so is the snapshot. */
export async function prepare(
  ctx: Context,
  edition: Edition,
  parts: { makeSnapshot: MakeSnapshot; next: 'sending' | 'awaiting_approval' },
): Promise<void> {
  if (edition.state !== 'planning') return
  await ctx.db.transaction().execute((trx) => freeze(trx, edition.id, ctx.config.digest.stories))
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

/** The cut-off and the stories that can be shown, once. The others are counted by their seqs (snapshot.ts). */
async function freeze(trx: Trx, editionId: number, storiesPerCategory: number): Promise<void> {
  const edition = await trx
    .selectFrom('editions')
    .select(['kind', 'cutoffSeq', 'categoryIds', 'createdAt'])
    .where('id', '=', editionId)
    .forUpdate()
    .executeTakeFirstOrThrow()
  if (edition.cutoffSeq !== null) return
  const { categoryIds, createdAt: at } = edition
  const cutoffSeq = await newestSeq(trx)
  if (edition.kind !== 'announcement')
    for (const { id, stories } of await listEligible(trx, { at, cutoffSeq, categoryIds }))
      await trx
        .insertInto('editionArticles')
        .values(
          chooseRendered(stories, renderedPerCategory(storiesPerCategory)).map((story, index) => ({
            ...story,
            editionId,
            categoryId: id,
            position: index + 1,
          })),
        )
        .execute()
  await trx.updateTable('editions').set({ cutoffSeq }).where('id', '=', editionId).execute()
}

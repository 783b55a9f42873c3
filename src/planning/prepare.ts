// Prepares an edition for planning: freezes the cut-off and the stories, renders the snapshot, and changes the state. Each step is
// safe to repeat, and the edition stays in `planning` until the last, so any later tick can continue.

import type { Context } from '../db/context.ts'
import type { Trx } from '../db/connect.ts'
import type { Edition } from '../db/schema.ts'
import { newestSeq } from '../articles/seq.ts'
import { markPrepared } from '../editions/audience.ts'
import { addStories, setCutoff } from '../editions/stories.ts'
import { chooseRendered, listEligible } from '../digests/eligible.ts'
import { renderedPerCategory } from '../digests/snapshot.ts'

/** `makeSnapshot` of digests/snapshot.ts, or a test's own. */
export type MakeSnapshot = (ctx: Context, editionId: number) => Promise<void>

/** Ends the state `planning` with `next`. Another process may do the same at once: frozen stories and snapshot are the same. */
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
  await markPrepared(ctx.db, edition.id, parts.next)
}

/** Freezes the cut-off and the stories that can be shown, once. Other stories are counted by their seqs (snapshot.ts). */
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
      await addStories(
        trx,
        { editionId, categoryId: id },
        chooseRendered(stories, renderedPerCategory(storiesPerCategory)),
      )
  await setCutoff(trx, editionId, cutoffSeq)
}

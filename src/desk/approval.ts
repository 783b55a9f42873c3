// Approval mode: an edition is built some minutes before its slot and shown to editors, who may pin, drop and reorder stories and
// write an introduction. At the slot it is sent when one of them approved it, and otherwise sent or held, as the site's policy says.
//
// Nobody's deliveries exist before the slot, so whoever changes their mind until then is planned as they are at the slot.

import { sql } from 'kysely'
import { type Actor, audit } from '../access/audit.ts'
import { invalid, Refusal } from '../base/errors.ts'
import type { Context } from '../db/context.ts'
import type { Db } from '../db/connect.ts'
import { dueSlots } from '../planning/missed.ts'
import { ensureScheduled, type MakeSnapshot, prepare } from '../planning/prepare.ts'
import { makeSnapshot } from '../digests/snapshot.ts'

/** Builds what falls due within the next minutes. Resolves to the editions of those minutes, built now or before. */
export async function makeForApproval(
  ctx: Context,
  now: Date,
  parts: { makeSnapshot: MakeSnapshot },
): Promise<number[]> {
  const { approvalMinutes } = ctx.config.digest
  if (approvalMinutes === 0) return []
  const built: number[] = []
  const until = new Date(now.getTime() + approvalMinutes * 60_000)
  for await (const slot of dueSlots(ctx.db, until, now)) {
    const edition = await ensureScheduled(ctx.db, slot, now)
    await prepare(ctx, edition, { ...parts, next: 'awaiting_approval' })
    built.push(edition.id)
  }
  return built
}

/** Its slot has come. */
export async function settleAtSlot(ctx: Context, editionId: number): Promise<void> {
  const { approvalPolicy } = ctx.config.digest
  await ctx.db
    .updateTable('editions')
    .set((eb) => ({
      state: eb
        .case()
        .when(eb.or([eb('approvedAt', 'is not', null), eb.val(approvalPolicy === 'send')]))
        .then('sending' as const)
        .else('held' as const)
        .end(),
      note: eb
        .case()
        .when(eb.or([eb('approvedAt', 'is not', null), eb.val(approvalPolicy === 'send')]))
        .then(eb.ref('note'))
        .else('Nobody approved it before its slot. Release or cancel it.')
        .end(),
    }))
    .where('id', '=', editionId)
    .where('state', '=', 'awaiting_approval')
    .execute()
}

export interface EditionStory {
  categoryId: number
  articleId: number
  title: string
  position: number
  isPinned: boolean
  isDropped: boolean
}

/** What an editor arranges: by category, in the order to show. */
export async function listEditionStories(db: Db, editionId: number): Promise<EditionStory[]> {
  return db
    .selectFrom('editionArticles')
    .innerJoin('articles', 'articles.id', 'editionArticles.articleId')
    .innerJoin('categories', 'categories.id', 'editionArticles.categoryId')
    .select(['categoryId', 'articleId', 'title', 'isPinned', 'isDropped'])
    .select('editionArticles.position')
    .where('editionId', '=', editionId)
    .orderBy('categories.position')
    .orderBy('categoryId')
    .orderBy('isPinned', 'desc')
    .orderBy('editionArticles.position')
    .execute()
}

export interface Arrangement {
  /** Per category: these stories come first, in this order; the others follow as they were. */
  order?: { categoryId: number; articleIds: readonly number[] }[] | undefined
  pin?: readonly number[] | undefined
  unpin?: readonly number[] | undefined
  /** Not in this edition, nor in a later one: editors who want to keep a story back hold it. */
  drop?: readonly number[] | undefined
  restore?: readonly number[] | undefined
  intro?: string | undefined
}

/** Changes an edition of which nothing has been sent, and renders it again. */
export async function arrangeEdition(
  ctx: Context,
  input: { editionId: number; arrangement: Arrangement; actor: Actor },
  parts: { makeSnapshot: MakeSnapshot } = { makeSnapshot },
): Promise<void> {
  const { editionId, arrangement, actor } = input
  if (arrangement.intro !== undefined && arrangement.intro.length > 5000)
    throw invalid('intro', 'The introduction may have 5,000 characters.')
  await ctx.db.transaction().execute(async (trx) => {
    const edition = await trx
      .selectFrom('editions')
      .select(['state', 'content'])
      .where('id', '=', editionId)
      .forUpdate()
      .executeTakeFirst()
    if (!edition) throw new Refusal('not_found', `There is no edition ${editionId}.`)
    if (edition.state !== 'awaiting_approval' && edition.state !== 'held')
      throw new Refusal('conflict', `Edition ${editionId} is ${edition.state}: only one that waits can be arranged.`)
    const marks = [
      ['pin', { isPinned: true }],
      ['unpin', { isPinned: false }],
      ['drop', { isDropped: true }],
      ['restore', { isDropped: false }],
    ] as const
    for (const [name, change] of marks) {
      const ids = arrangement[name] ?? []
      if (ids.length > 0)
        await trx
          .updateTable('editionArticles')
          .set(change)
          .where('editionId', '=', editionId)
          .where('articleId', 'in', [...ids])
          .execute()
    }
    for (const { categoryId, articleIds } of arrangement.order ?? [])
      await reorder(trx, editionId, categoryId, articleIds)
    // What is pinned comes first, whatever the order: the snapshot goes by position alone.
    await sql`
      update edition_articles e set position = n.place
      from (select category_id, article_id,
          row_number() over (partition by category_id order by is_pinned desc, position) as place
        from edition_articles where edition_id = ${editionId}) n
      where e.edition_id = ${editionId} and e.category_id = n.category_id and e.article_id = n.article_id
        and e.position <> n.place`.execute(trx)
    if (arrangement.intro !== undefined)
      await trx
        .updateTable('editions')
        .set({ content: JSON.stringify({ ...edition.content, intro: arrangement.intro }) })
        .where('id', '=', editionId)
        .execute()
    await audit(trx, {
      at: ctx.clock.now(),
      actor,
      action: 'edition.arranged',
      subject: `edition:${editionId}`,
      detail: { ...arrangement },
    })
  })
  await parts.makeSnapshot(ctx, editionId)
}

async function reorder(db: Db, editionId: number, categoryId: number, first: readonly number[]): Promise<void> {
  const stories = await db
    .selectFrom('editionArticles')
    .select('articleId')
    .where('editionId', '=', editionId)
    .where('categoryId', '=', categoryId)
    .orderBy('position')
    .execute()
  const known = stories.map((story) => story.articleId)
  const wanted = [...new Set(first.filter((id) => known.includes(id)))]
  const order = [...wanted, ...known.filter((id) => !wanted.includes(id))]
  for (const [index, articleId] of order.entries())
    await db
      .updateTable('editionArticles')
      .set({ position: index + 1 })
      .where('editionId', '=', editionId)
      .where('categoryId', '=', categoryId)
      .where('articleId', '=', articleId)
      .execute()
}

// What editors and publishers do to single stories. A hold or a withdrawal applies at once to every mail that isn't sent yet:
// selecting and composing both check these columns. A story that comes back gets new seqs, as if it had just become sendable. A
// story that waits for its date continues to wait (release.ts).

import { Refusal } from '../base/errors.ts'
import type { Db, Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { Article } from '../db/schema.ts'
import { lockSeq, releaseSeq } from './seq.ts'

export const articleActions = ['hold', 'release', 'pin', 'unpin', 'withdraw', 'restore'] as const
export type ArticleAction = (typeof articleActions)[number]

export async function getArticle(db: Db, id: number): Promise<Article> {
  const article = await db.selectFrom('articles').selectAll().where('id', '=', id).executeTakeFirst()
  if (!article) throw new Refusal('not_found', `There is no article ${id}.`, [{ field: 'id', message: 'unknown' }])
  return article
}

/** Safe to repeat: an action that changes nothing has no effect. */
export async function controlArticle(ctx: Context, id: number, action: ArticleAction): Promise<Article> {
  const now = ctx.clock.now()
  return ctx.db.transaction().execute((trx) => control(trx, id, action, now))
}

export async function control(trx: Trx, id: number, action: ArticleAction, now: Date): Promise<Article> {
  // Before the story's row, in the same order as ingesting. Otherwise the two could block each other.
  if (action === 'release' || action === 'restore') await lockSeq(trx)
  const article = await trx.selectFrom('articles').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()
  if (!article) throw new Refusal('not_found', `There is no article ${id}.`, [{ field: 'id', message: 'unknown' }])
  const change = changeFor(article, action, now)
  if (!change) return article
  await trx.updateTable('articles').set(change).where('id', '=', id).execute()
  const after = { ...article, ...change }
  const isBack =
    (action === 'release' || action === 'restore') && !after.heldAt && !after.withdrawnAt && after.sendableAt !== null
  if (isBack) {
    const rows = await trx.selectFrom('articleCategories').select('categoryId').where('articleId', '=', id).execute()
    await releaseSeq(
      trx,
      id,
      rows.map((row) => row.categoryId),
    )
  }
  return after
}

function changeFor(
  article: Article,
  action: ArticleAction,
  now: Date,
): Partial<Pick<Article, 'heldAt' | 'pinnedAt' | 'withdrawnAt'>> | null {
  if (action === 'hold') return article.heldAt ? null : { heldAt: now }
  if (action === 'release') return article.heldAt ? { heldAt: null } : null
  if (action === 'pin') return article.pinnedAt ? null : { pinnedAt: now }
  if (action === 'unpin') return article.pinnedAt ? { pinnedAt: null } : null
  if (action === 'withdraw') return article.withdrawnAt ? null : { withdrawnAt: now }
  return article.withdrawnAt ? { withdrawnAt: null } : null
}

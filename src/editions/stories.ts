// The stories of an edition. They are chosen once at its cut-off, and an editor may arrange them until it is sent.

import { sql } from 'kysely'
import type { Db, Trx } from '../db/connect.ts'

export interface ArrangedStory {
  categoryId: number
  articleId: number
  title: string
  position: number
  isPinned: boolean
  isDropped: boolean
}

/** The stories that an editor arranges, by category, in the order to show. */
export async function listEditionStories(db: Db, editionId: number): Promise<ArrangedStory[]> {
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

/** Freezes the stories of one category, in the order to show. */
export async function addStories(
  trx: Trx,
  at: { editionId: number; categoryId: number },
  stories: readonly { articleId: number; seq: number }[],
): Promise<void> {
  if (stories.length === 0) return
  await trx
    .insertInto('editionArticles')
    .values(stories.map(({ articleId, seq }, index) => ({ ...at, articleId, seq, position: index + 1 })))
    .execute()
}

/** No story above this seq is in the edition. */
export async function setCutoff(trx: Trx, editionId: number, cutoffSeq: number): Promise<void> {
  await trx.updateTable('editions').set({ cutoffSeq }).where('id', '=', editionId).execute()
}

export async function setContent(trx: Trx, editionId: number, content: Record<string, unknown>): Promise<void> {
  await trx
    .updateTable('editions')
    .set({ content: JSON.stringify(content) })
    .where('id', '=', editionId)
    .execute()
}

export async function markStories(
  trx: Trx,
  editionId: number,
  articleIds: readonly number[],
  mark: { isPinned: boolean } | { isDropped: boolean },
): Promise<void> {
  if (articleIds.length === 0) return
  await trx
    .updateTable('editionArticles')
    .set(mark)
    .where('editionId', '=', editionId)
    .where('articleId', 'in', [...articleIds])
    .execute()
}

/** Moves these stories of a category to the top, in this order. The others keep their order. */
export async function putFirst(
  trx: Trx,
  editionId: number,
  categoryId: number,
  articleIds: readonly number[],
): Promise<void> {
  await sql`
    update edition_articles e set position = n.place
    from (select a.article_id, row_number() over (order by w.place nulls last, a.position) as place
      from edition_articles a
      left join unnest(${`{${[...new Set(articleIds)].join(',')}}`}::bigint[]) with ordinality as w (id, place) on w.id = a.article_id
      where a.edition_id = ${editionId} and a.category_id = ${categoryId}) n
    where e.edition_id = ${editionId} and e.category_id = ${categoryId} and e.article_id = n.article_id`.execute(trx)
}

/** Moves pinned stories to the top. The snapshot reads only positions. */
export async function putPinnedFirst(trx: Trx, editionId: number): Promise<void> {
  await sql`
    update edition_articles e set position = n.place
    from (select category_id, article_id,
        row_number() over (partition by category_id order by is_pinned desc, position) as place
      from edition_articles where edition_id = ${editionId}) n
    where e.edition_id = ${editionId} and e.category_id = n.category_id and e.article_id = n.article_id
      and e.position <> n.place`.execute(trx)
}

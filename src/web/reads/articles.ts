// Lists of articles for the console and the API: newest first by the published time, with their categories.

import { sql } from 'kysely'
import type { Db } from '../../db/connect.ts'
import type { Article } from '../../db/schema.ts'

export interface ShownArticle extends Article {
  /** Slugs, including retired ones. */
  categories: string[]
  feedTitle: string | null
}

export interface ArticleFilter {
  limit: number
  /** Only articles after this one in the list. */
  after?: { publishedAt: Date; id: number } | undefined
  category?: string | undefined
  feedId?: number | undefined
  /** In the title. */
  text?: string | undefined
  state?: 'held' | 'pinned' | 'withdrawn' | 'waiting' | undefined
}

export async function listArticles(db: Db, filter: ArticleFilter): Promise<ShownArticle[]> {
  const { after, category, feedId, text, state } = filter
  let query = shown(db).orderBy('articles.publishedAt', 'desc').orderBy('articles.id', 'desc').limit(filter.limit)
  if (after)
    query = query.where(
      sql<boolean>`(articles.published_at, articles.id) < (${after.publishedAt}::timestamptz, ${after.id}::int)`,
    )
  if (feedId !== undefined) query = query.where('articles.feedId', '=', feedId)
  if (text) query = query.where('articles.title', 'ilike', `%${text.replace(/[\\%_]/g, '\\$&')}%`)
  if (state === 'waiting') query = query.where('sendableAt', 'is', null)
  else if (state)
    query = query.where(state === 'held' ? 'heldAt' : state === 'pinned' ? 'pinnedAt' : 'withdrawnAt', 'is not', null)
  if (category)
    query = query.where((eb) =>
      eb.exists(
        eb
          .selectFrom('articleCategories')
          .innerJoin('categories', 'categories.id', 'articleCategories.categoryId')
          .select(sql`1`.as('one'))
          .whereRef('articleCategories.articleId', '=', 'articles.id')
          .where('categories.slug', '=', category),
      ),
    )
  return query.execute()
}

export async function findShownArticle(db: Db, id: number): Promise<ShownArticle | undefined> {
  return shown(db).where('articles.id', '=', id).executeTakeFirst()
}

function shown(db: Db) {
  return db
    .selectFrom('articles')
    .leftJoin('feeds', 'feeds.id', 'articles.feedId')
    .selectAll('articles')
    .select('feeds.title as feedTitle')
    .select(
      sql<string[]>`coalesce((select json_agg(categories.slug order by categories.position, categories.id)
        from article_categories join categories on categories.id = article_categories.category_id
        where article_categories.article_id = articles.id), '[]')`.as('categories'),
    )
}

// Reads categories and articles for other folders. A story is *public* if it doesn't wait for its date, isn't held, isn't
// withdrawn, and has a category that is offered. All lists for readers here contain only public stories.

import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely'
import { invalid } from '../base/errors.ts'
import type { Db } from '../db/connect.ts'
import type { Article, Category, Schema } from '../db/schema.ts'

/** In display order. */
export async function listCategories(db: Db, options: { withRetired?: boolean } = {}): Promise<Category[]> {
  return db
    .selectFrom('categories')
    .selectAll()
    .$if(!options.withRetired, (query) => query.where('retiredAt', 'is', null))
    .orderBy('position')
    .orderBy('id')
    .execute()
}

/** Ids of the categories with these slugs, in the order given. Refuses a slug that isn't offered, or isn't there. */
export async function categoryIdsOf(
  db: Db,
  slugs: readonly string[],
  options: { withRetired?: boolean } = {},
): Promise<number[]> {
  const known = await listCategories(db, options)
  return [...new Set(slugs)].map((slug) => {
    const category = known.find((one) => one.slug === slug)
    if (!category) throw invalid('categories', `There is no category ${slug}.`)
    return category.id
  })
}

/** By slug, including retired ones. */
export async function findCategory(db: Db, slug: string): Promise<Category | undefined> {
  return db.selectFrom('categories').selectAll().where('slug', '=', slug).executeTakeFirst()
}

/**
 * Newest first, by published time. Within a category they are chosen by seq, which has the index: recently sendable stories, of
 * which the newest are shown.
 */
export async function latestArticles(db: Db, options: { categoryId?: number; limit: number }): Promise<Article[]> {
  const { categoryId, limit } = options
  if (categoryId === undefined)
    return db
      .selectFrom('articles')
      .selectAll()
      .where('sendableAt', 'is not', null)
      .where('heldAt', 'is', null)
      .where('withdrawnAt', 'is', null)
      .where(isOffered)
      .orderBy('publishedAt', 'desc')
      .orderBy('id', 'desc')
      .limit(limit)
      .execute()
  return db
    .selectFrom((inner) =>
      inner
        .selectFrom('articleCategories')
        .innerJoin('articles', 'articles.id', 'articleCategories.articleId')
        .selectAll('articles')
        .where('articleCategories.categoryId', '=', categoryId)
        .where('articleCategories.seq', 'is not', null)
        .where('sendableAt', 'is not', null)
        .where('heldAt', 'is', null)
        .where('withdrawnAt', 'is', null)
        .orderBy('articleCategories.seq', 'desc')
        .limit(limit * 3 + 20)
        .as('recent'),
    )
    .selectAll()
    .orderBy('publishedAt', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
}

/** By id, in any state. Deleted stories are missing. */
export async function findStories(
  db: Db,
  ids: readonly number[],
): Promise<Map<number, Pick<Article, 'title' | 'link' | 'excerpt'>>> {
  if (ids.length === 0) return new Map()
  const { rows } = await sql<Pick<Article, 'id' | 'title' | 'link' | 'excerpt'>>`
    select id, title, link, excerpt from articles where id = any(${[...new Set(ids)]}::bigint[])`.execute(db)
  return new Map(rows.map(({ id, ...story }) => [id, story]))
}

/** How many public stories each category has, including 0. */
export async function countsByCategory(db: Db): Promise<Map<number, number>> {
  const rows = await db
    .selectFrom('categories')
    .select('id')
    .select((eb) =>
      eb
        .selectFrom('articleCategories')
        .innerJoin('articles', 'articles.id', 'articleCategories.articleId')
        .whereRef('articleCategories.categoryId', '=', 'categories.id')
        .where('articleCategories.seq', 'is not', null)
        .where('sendableAt', 'is not', null)
        .where('heldAt', 'is', null)
        .where('withdrawnAt', 'is', null)
        .select(sql<number>`count(*)::int`.as('count'))
        .as('count'),
    )
    .where('retiredAt', 'is', null)
    .execute()
  return new Map(rows.map((row) => [row.id, row.count ?? 0]))
}

function isOffered(eb: ExpressionBuilder<Schema, 'articles'>): Expression<SqlBool> {
  return eb.exists(
    eb
      .selectFrom('articleCategories')
      .innerJoin('categories', 'categories.id', 'articleCategories.categoryId')
      .select(sql`1`.as('one'))
      .whereRef('articleCategories.articleId', '=', 'articles.id')
      .where('retiredAt', 'is', null),
  )
}

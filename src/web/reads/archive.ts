// Reads for the archive: editions of which mail was sent, their stories, and the stories of a category. Never a story that is
// held, withdrawn or waits for its date.

import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely'
import { categoryName } from '../../articles/category-names.ts'
import type { Db } from '../../db/connect.ts'
import type { Article, Category, Schema } from '../../db/schema.ts'
import { publicEditions } from './public-editions.ts'

export interface Section {
  name: string
  /** Its name in other languages (articles/category-names.ts). */
  translations: Category['translations']
  /** null: the category is retired and has no page. */
  slug: string | null
  stories: Article[]
}

export function findPublicEdition(db: Db, id: number) {
  return publicEditions(db).where('id', '=', id).executeTakeFirst()
}

/** The editions before and after it, if there are any. */
export async function neighboursOf(db: Db, id: number) {
  const [previous, next] = await Promise.all([
    publicEditions(db).where('id', '<', id).orderBy('id', 'desc').limit(1).executeTakeFirst(),
    publicEditions(db).where('id', '>', id).orderBy('id').limit(1).executeTakeFirst(),
  ])
  return { previous, next }
}

/** A page of a list: the `limit` items before or after a position, or the newest. Newest first. */
export interface PageOf {
  before?: number | undefined
  after?: number | undefined
  limit: number
}

export interface Paged<T> {
  items: T[]
  hasNewer: boolean
  hasOlder: boolean
}

/** `rows` were read in the page's direction, one more than fits. */
function paged<T>(rows: T[], page: PageOf): Paged<T> {
  const isBack = page.after !== undefined
  const hasMore = rows.length > page.limit
  const items = rows.slice(0, page.limit)
  if (isBack) items.reverse()
  return {
    items,
    hasNewer: isBack ? hasMore : page.before !== undefined && items.length > 0,
    hasOlder: isBack ? items.length > 0 : hasMore,
  }
}

/** Each with its first story, for its title and picture; null if all stories were withdrawn. */
export async function listPublicEditions(db: Db, page: PageOf) {
  const editions = paged(
    await publicEditions(db)
      .$if(page.before !== undefined, (query) => query.where('id', '<', page.before!))
      .$if(page.after !== undefined, (query) => query.where('id', '>', page.after!))
      .orderBy('id', page.after === undefined ? 'desc' : 'asc')
      .limit(page.limit + 1)
      .execute(),
    page,
  )
  const leads = await listLeads(
    db,
    editions.items.map(({ id }) => id),
  )
  return { ...editions, items: editions.items.map((edition) => ({ ...edition, lead: leads.get(edition.id) ?? null })) }
}

/** All of them, newest first, without stories. */
export async function listAllPublicEditions(db: Db, limit: number): Promise<{ id: number; at: Date }[]> {
  return publicEditions(db).orderBy('id', 'desc').limit(limit).execute()
}

async function listLeads(db: Db, editionIds: readonly number[]): Promise<Map<number, Article>> {
  if (editionIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('editionArticles')
    .innerJoin('articles', 'articles.id', 'editionArticles.articleId')
    .innerJoin('categories', 'categories.id', 'editionArticles.categoryId')
    .distinctOn('editionArticles.editionId')
    .selectAll('articles')
    .select('editionArticles.editionId')
    .where('editionId', 'in', [...editionIds])
    .where('isDropped', '=', false)
    .where(isShown)
    .orderBy('editionArticles.editionId')
    .orderBy('categories.position')
    .orderBy('categories.id')
    .orderBy('editionArticles.position')
    .execute()
  return new Map(rows.map((row) => [row.editionId, row]))
}

/**
 * The first stories of each category, as a digest would show them to a subscriber of all categories: a story of two categories is
 * in the first of them.
 */
export async function listSections(db: Db, editionId: number, perCategory: number): Promise<Section[]> {
  const rows = await db
    .selectFrom('editionArticles')
    .innerJoin('articles', 'articles.id', 'editionArticles.articleId')
    .innerJoin('categories', 'categories.id', 'editionArticles.categoryId')
    .selectAll('articles')
    .select(['categories.id as categoryId', 'categories.name', 'categories.translations'])
    .select(['categories.slug', 'categories.retiredAt'])
    .where('editionId', '=', editionId)
    .where('isDropped', '=', false)
    .where(isShown)
    .orderBy('categories.position')
    .orderBy('categories.id')
    .orderBy('editionArticles.position')
    .execute()
  const shown = new Set<number>()
  return [...Map.groupBy(rows, (row) => row.categoryId).values()]
    .map((inCategory) => {
      const stories = inCategory.filter(({ id }) => !shown.has(id)).slice(0, perCategory)
      for (const { id } of stories) shown.add(id)
      const { name, translations, slug, retiredAt } = inCategory[0]!
      return { name, translations, slug: retiredAt ? null : slug, stories }
    })
    .filter(({ stories }) => stories.length > 0)
}

/** The stories of a subscriber's delivery of an edition; null: none, or the delivery is no longer stored. */
export async function findDigestStories(
  db: Db,
  { subscriberId, editionId, perCategory }: { subscriberId: number; editionId: number; perCategory: number },
): Promise<{ sections: Section[]; alsoLike: Article[] } | null> {
  const delivery = await db
    .selectFrom('deliveries')
    .select('articleIds')
    .where('editionId', '=', editionId)
    .where('subscriberId', '=', subscriberId)
    .executeTakeFirst()
  if (!delivery?.articleIds?.length) return null
  const rows = await db
    .selectFrom('editionArticles')
    .innerJoin('articles', 'articles.id', 'editionArticles.articleId')
    .innerJoin('categories', 'categories.id', 'editionArticles.categoryId')
    .leftJoin('subscriptions', (join) =>
      join
        .onRef('subscriptions.categoryId', '=', 'editionArticles.categoryId')
        .on('subscriptions.subscriberId', '=', subscriberId),
    )
    .selectAll('articles')
    .select(['categories.id as categoryId', 'categories.name', 'categories.translations'])
    .select(['categories.slug', 'categories.retiredAt'])
    .where('editionId', '=', editionId)
    .where('articles.id', 'in', delivery.articleIds)
    .where(isShown)
    .orderBy(sql`subscriptions.position nulls last`)
    .orderBy('categories.position')
    .orderBy('categories.id')
    .execute()
  const byStory = Map.groupBy(rows, ({ id }) => id)
  return inSections(
    delivery.articleIds.flatMap((id) => (byStory.has(id) ? [byStory.get(id)!] : [])),
    perCategory,
  )
}

type Placed = Article & Pick<Category, 'name' | 'translations' | 'slug' | 'retiredAt'> & { categoryId: number }

/**
 * A delivery stores stories in the order of the mail, without their categories. A story stays in the previous story's section if
 * it belongs there. Otherwise it opens the section of its first category. Stories without a section were below "You may also
 * like". Pure.
 */
function inSections(stories: readonly Placed[][], perCategory: number): { sections: Section[]; alsoLike: Article[] } {
  const sections = new Map<number, Section>()
  const alsoLike: Article[] = []
  let current: number | null = null
  for (const places of stories) {
    const isFull: boolean = current !== null && sections.get(current)!.stories.length >= perCategory
    const staying: Placed | undefined = isFull ? undefined : places.find(({ categoryId }) => categoryId === current)
    const place: Placed | undefined = staying ?? places.find(({ categoryId }) => !sections.has(categoryId))
    if (!place) {
      alsoLike.push(places[0]!)
      continue
    }
    const section = sections.get(place.categoryId) ?? {
      name: place.name,
      translations: place.translations,
      slug: place.retiredAt ? null : place.slug,
      stories: [],
    }
    section.stories.push(place)
    sections.set(place.categoryId, section)
    current = place.categoryId
  }
  return { sections: [...sections.values()], alsoLike }
}

/** Newest first, in the order in which they became sendable in the category, each with that position. */
export async function listCategoryStories(
  db: Db,
  categoryId: number,
  page: PageOf,
): Promise<Paged<Article & { seq: number }>> {
  const rows = await db
    .selectFrom('articleCategories')
    .innerJoin('articles', 'articles.id', 'articleCategories.articleId')
    .selectAll('articles')
    .select('seq')
    .where('categoryId', '=', categoryId)
    .where('seq', 'is not', null)
    .where(isShown)
    .$if(page.before !== undefined, (query) => query.where('seq', '<', page.before!))
    .$if(page.after !== undefined, (query) => query.where('seq', '>', page.after!))
    .orderBy('seq', page.after === undefined ? 'desc' : 'asc')
    .limit(page.limit + 1)
    .$narrowType<{ seq: number }>()
    .execute()
  return paged(rows, page)
}

/** The names of the offered categories of each story, in a language. */
export async function listCategoryNames(
  db: Db,
  articleIds: readonly number[],
  locale: string,
): Promise<Map<number, string[]>> {
  if (articleIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('articleCategories')
    .innerJoin('categories', 'categories.id', 'articleCategories.categoryId')
    .select(['articleId', 'name', 'translations'])
    .where('articleId', 'in', [...articleIds])
    .where('retiredAt', 'is', null)
    .orderBy('categories.position')
    .orderBy('categories.id')
    .execute()
  const names = Map.groupBy(rows, ({ articleId }) => articleId)
  return new Map([...names].map(([id, list]) => [id, list.map((category) => categoryName(category, locale))]))
}

function isShown(eb: ExpressionBuilder<Schema, 'articles'>): Expression<SqlBool> {
  return eb.and([eb('withdrawnAt', 'is', null), eb('heldAt', 'is', null), eb('sendableAt', 'is not', null)])
}

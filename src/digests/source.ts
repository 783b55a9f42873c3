// What a snapshot is made of: an edition's frozen choice of stories, or what the next edition would choose, with the texts of the stories
// and the languages of those who get it.

import { sql } from 'kysely'
import { listCategoryPages } from '../articles/category-pages.ts'
import { type GivenSiteTexts, readSiteTexts } from '../articles/site-texts.ts'
import { invalid } from '../base/errors.ts'
import type { Db } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { CategoryTexts } from '../db/schema.ts'
import { messagesFor } from '../messages/messages.ts'
import { listEligible } from './eligible.ts'
import type { SenderWords } from './sender-words.ts'
import type { SnapshotArticle } from './story-values.ts'
import type { EditionStory } from './waiting.ts'

interface SourceCategory {
  id: number
  slug: string
  name: string
  /** Its texts in other languages. */
  translations?: Readonly<Record<string, CategoryTexts>>
  position: number
  /** Its page on the site; null: none is known. */
  pageUrl: string | null
  stories: EditionStory[]
  others: [number, number][]
}

export interface SnapshotSource {
  /** Its page in the archive; null: it will have none. */
  editionId: number | null
  intro: string
  /** An editor's own subject and preheader. */
  words?: SenderWords
  /** Besides the site's own. */
  languages?: readonly string[]
  /** The site's own sentences in other languages. */
  siteTexts?: GivenSiteTexts
  categories: SourceCategory[]
  articles: ReadonlyMap<number, SnapshotArticle>
}

/** Of an edition whose stories are frozen. `languages`: asked for besides those of its audience. */
export async function getEditionSource(
  ctx: Context,
  editionId: number,
  languages: readonly string[] = [],
): Promise<SnapshotSource> {
  const { db } = ctx
  const edition = await db.selectFrom('editions').selectAll().where('id', '=', editionId).executeTakeFirst()
  if (!edition) throw invalid('edition', 'There is no such edition.')
  const rows = await db
    .selectFrom('editionArticles as chosen')
    .innerJoin('categories as category', 'category.id', 'chosen.categoryId')
    .select(['category.id', 'category.name', 'category.position', 'chosen.articleId', 'chosen.seq', 'chosen.isPinned'])
    .select('chosen.isDropped')
    .where('chosen.editionId', '=', editionId)
    .where('category.retiredAt', 'is', null)
    .orderBy('category.position')
    .orderBy('category.id')
    .orderBy('chosen.position')
    .execute()
  const { createdAt: at, cutoffSeq, categoryIds } = edition
  const eligible = new Map(
    (await listEligible(db, { at, cutoffSeq: cutoffSeq ?? 0, categoryIds })).map(({ id, stories }) => [id, stories]),
  )
  const categories = [...Map.groupBy(rows, ({ id }) => id).values()].map((chosen) => {
    const { id, name, position } = chosen[0]!
    // One whose stories are all dropped stays: those who get the edition have passed them.
    const stories = chosen
      .filter(({ isDropped }) => !isDropped)
      .map(({ articleId, seq, isPinned }) => ({ articleId, seq, isPinned }))
    return { id, name, position, stories, others: othersOf(eligible.get(id) ?? [], chosen) }
  })
  const isPublic = edition.onlySubscriberId === null
  const { subject = '', preheader = '' } = edition.content
  const words = { subject, preheader }
  return withArticles(ctx, {
    editionId: isPublic ? editionId : null,
    intro: edition.content.intro ?? '',
    words,
    categories,
    languages: [...(await listAudienceLanguages(ctx, edition.onlySubscriberId)), ...languages],
  })
}

/** All but the chosen. */
export function othersOf(
  all: readonly EditionStory[],
  chosen: readonly { articleId: number }[],
): SourceCategory['others'] {
  const left = new Set(chosen.map(({ articleId }) => articleId))
  return all.filter(({ articleId }) => !left.has(articleId)).map(({ articleId, seq }) => [articleId, seq])
}

/** With the texts of the stories that can be shown, and the pages of the categories. */
export async function withArticles(
  ctx: Pick<Context, 'db' | 'config'>,
  source: Omit<SnapshotSource, 'articles' | 'categories' | 'siteTexts'> & {
    categories: Omit<SourceCategory, 'pageUrl' | 'slug'>[]
  },
): Promise<SnapshotSource> {
  const pages = await listCategoryPages(ctx)
  const known = await ctx.db.selectFrom('categories').select(['id', 'slug', 'translations']).execute()
  const byId = new Map(known.map(({ id, ...category }) => [id, category]))
  const categories = source.categories.map((category) => ({
    ...category,
    ...byId.get(category.id)!,
    pageUrl: pages.get(category.id) ?? null,
  }))
  const ids = categories.flatMap(({ stories }) => stories.map(({ articleId }) => articleId))
  return {
    ...source,
    categories,
    siteTexts: await readSiteTexts(ctx.db),
    articles: await listSnapshotArticles(ctx.db, ids),
  }
}

async function listSnapshotArticles(db: Db, articleIds: readonly number[]): Promise<Map<number, SnapshotArticle>> {
  if (articleIds.length === 0) return new Map()
  const articles = await db
    .selectFrom('articles')
    .select(['id', 'title', 'link', 'excerpt', 'imageUrl', 'imageAlt', 'imageRatio', 'author', 'source', 'publishedAt'])
    .where('id', '=', sql<number>`any(${`{${[...new Set(articleIds)].join(',')}}`}::int[])`)
    .execute()
  return new Map(articles.map((article) => [article.id, article]))
}

/** The languages of the active subscribers, or of the only one, that this program speaks. By steps over the index
 * subscribers_locales: as many look-ups as there are languages. */
export async function listAudienceLanguages(ctx: Pick<Context, 'db' | 'config'>, onlyId: number | null = null) {
  const { rows } = await sql<{ locale: string | null }>`
    with recursive audience as (
      (select locale from subscribers where status = 'active' and locale is not null order by locale limit 1)
      union all
      select (
        select locale from subscribers
        where status = 'active' and locale is not null and locale > audience.locale order by locale limit 1)
      from audience where audience.locale is not null
    )
    select locale from audience where locale is not null and ${onlyId}::bigint is null
    union all select locale from subscribers where id = ${onlyId}::bigint and locale is not null`.execute(ctx.db)
  return [...new Set(rows.map(({ locale }) => messagesFor(ctx.config, locale).language))].sort()
}

// A category's page on the site, which lists the stories that don't fit into a digest. An editor's entry comes first, then what
// the feeds of the category name.

import { sql } from 'kysely'
import { addressOf } from '../base/addresses.ts'
import type { Db } from '../db/connect.ts'
import type { Context } from '../db/context.ts'

/** By category id. If neither an editor nor a feed names a page, the category's page in the archive. */
export async function listCategoryPages({ db, config }: Pick<Context, 'db' | 'config'>): Promise<Map<number, string>> {
  const found = await listFeedPages(db)
  const categories = await db.selectFrom('categories').select(['id', 'slug', 'pageUrl']).execute()
  return new Map(
    categories.map(({ id, slug, pageUrl }) => [id, pageUrl ?? found.get(id) ?? addressOf(config, `/archive/${slug}`)]),
  )
}

/** Pages from feeds, by category id. */
export async function listFeedPages(db: Db): Promise<Map<number, string>> {
  const feeds = await db
    .selectFrom('feedCategories as pair')
    .innerJoin('feeds as feed', 'feed.id', 'pair.feedId')
    .select(['feed.url', 'feed.siteUrl'])
    .select(sql<number[]>`array_agg(pair.category_id)`.as('categoryIds'))
    .where('feed.state', '!=', 'gone')
    .groupBy('feed.id')
    .orderBy('feed.id')
    .execute()
  return pagesOfFeeds(feeds)
}

interface FeedOfCategories {
  url: string
  /** The page that the feed belongs to, in its own words. */
  siteUrl: string | null
  categoryIds: readonly number[]
}

/**
 * A feed of a single category names that category's page. A page that feeds of several categories name is the site's, not a
 * category's. Pure.
 */
export function pagesOfFeeds(feeds: readonly FeedOfCategories[]): Map<number, string> {
  const categoriesOf = new Map<string, Set<number>>()
  const pages = new Map<number, Set<string>>()
  for (const { categoryIds, ...feed } of feeds)
    for (const page of pagesOf(feed))
      for (const id of categoryIds) {
        categoriesOf.set(page, (categoriesOf.get(page) ?? new Set()).add(id))
        pages.set(id, (pages.get(id) ?? new Set()).add(page))
      }
  return new Map(
    [...pages].flatMap(([id, found]) => {
      const [page] = [...found].filter((one) => categoriesOf.get(one)!.size === 1)
      return page ? [[id, page] as const] : []
    }),
  )
}

/**
 * The page that the feed names. WordPress names the home page in each feed; then it is the feed's address without `/feed/`. Never
 * a home page.
 */
function pagesOf({ url, siteUrl }: Omit<FeedOfCategories, 'categoryIds'>): string[] {
  return [siteUrl, /^[^?#]+?(?=feed\/?$)/.exec(url)?.[0]].filter(
    (page) => page && URL.canParse(page) && new URL(page).pathname.length > 1 && !new URL(page).username,
  ) as string[]
}

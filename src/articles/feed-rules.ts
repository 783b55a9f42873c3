// The rules of feeds, and everything that decides the categories of a feed's entries (mapping.ts).

import { sql } from 'kysely'
import { invalid } from '../base/errors.ts'
import type { Db } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import { getCategory } from './categories.ts'
import { type Mapping, type MappingRule, usualMatch } from './mapping.ts'

export interface FeedRule {
  field: MappingRule['field']
  /** Default: equals for a label, contains for title and link. */
  match?: MappingRule['match'] | undefined
  pattern: string
  /** A label's domain (Atom: scheme). Default: any. */
  scheme?: string | null | undefined
  /** A slug; null leaves the item out. */
  category: string | null
}

export async function listRules(db: Db, feedId: number | null): Promise<FeedRule[]> {
  return db
    .selectFrom('feedRules')
    .leftJoin('categories', 'categories.id', 'feedRules.categoryId')
    .select(['field', 'match', 'pattern', 'scheme', 'categories.slug as category'])
    .where('feedId', feedId === null ? 'is' : '=', feedId)
    .orderBy('feedRules.position')
    .orderBy('feedRules.id')
    .execute()
}

/** Replaces the rules of one feed, or those of all feeds (null). */
export async function setRules(ctx: Context, feedId: number | null, rules: readonly FeedRule[]): Promise<void> {
  const rows: (MappingRule & { feedId: number | null; position: number })[] = []
  for (const [position, rule] of rules.entries()) {
    const pattern = rule.pattern.trim()
    if (!pattern || pattern.length > 200)
      throw invalid(`rules.${position}.pattern`, 'A pattern has 1 to 200 characters.')
    const categoryId =
      rule.category === null ? null : (await getCategory(ctx, rule.category, `rules.${position}.category`)).id
    const { field, match = usualMatch(field) } = rule
    const scheme = rule.scheme?.trim() || null
    if (scheme !== null && field !== 'label') throw invalid(`rules.${position}.scheme`, 'Only a label has a domain.')
    if (scheme !== null && scheme.length > 200)
      throw invalid(`rules.${position}.scheme`, 'A domain has at most 200 characters.')
    rows.push({ feedId, field, match, pattern, scheme, categoryId, position })
  }
  await ctx.db.transaction().execute(async (trx) => {
    await trx
      .deleteFrom('feedRules')
      .where('feedId', feedId === null ? 'is' : '=', feedId)
      .execute()
    if (rows.length) await trx.insertInto('feedRules').values(rows).execute()
  })
}

/** Decides the categories of this feed's entries. */
export async function mappingOf(db: Db, feedId: number): Promise<Mapping> {
  const { rows } = await sql<Mapping>`
    select
      (select coalesce(json_agg(json_build_object('id', id, 'slug', slug, 'name', name) order by position, id), '[]')
        from categories where retired_at is null) as "categories",
      (select coalesce(json_agg(category_id), '[]') from feed_categories where feed_id = ${feedId}) as "feedCategoryIds",
      (select coalesce(json_agg(json_build_object('field', field, 'match', match, 'pattern', pattern, 'scheme', scheme, 'categoryId', category_id)
          order by feed_id is null, position, id), '[]')
        from feed_rules where feed_id = ${feedId} or feed_id is null) as "rules"`.execute(db)
  return rows[0]!
}

// Adds a site's categories, each with its feed, in one step. Each feed is read before. If it can't be read, its category isn't
// added, and the result says so.

import { type Actor, audit } from '../access/audit.ts'
import { invalid } from '../base/errors.ts'
import type { Context } from '../db/context.ts'
import { fetchingOf } from './discover.ts'
import { insertFeed } from './feeds.ts'
import { lookAt } from './look-at.ts'
import { NamedCategories, sameName } from './named-categories.ts'
import { isSlug, slugify } from './slugs.ts'
import type { SiteCategory } from './wordpress-page.ts'

export interface AddedCategory {
  feedId: number
  url: string
  slug: string
  name: string
  /** There was no category of that name. */
  isNew: boolean
}

export interface SiteReport {
  added: AddedCategory[]
  left: { name: string; url: string; why: string }[]
}

const atOnce = 6
const patienceMs = 10_000
export const mostChosen = 200

/** Adds all categories whose feed could be read, or none. */
export async function addSiteCategories(
  ctx: Context,
  chosen: readonly SiteCategory[],
  actor: Actor,
): Promise<SiteReport> {
  const report: SiteReport = { added: [], left: [] }
  const readable = new Map<SiteCategory, { url: string; title: string }>()
  const waiting = [...chosen]
  const work = async () => {
    for (let one = waiting.shift(); one; one = waiting.shift()) {
      const { name, feedUrl } = one
      const found = await lookAt(feedUrl, { ...fetchingOf(ctx), timeoutMs: patienceMs })
      if (found.outcome === 'feed') readable.set(one, { url: found.url, title: found.feed.title.slice(0, 200) })
      else report.left.push({ name, url: feedUrl, why: `Its feed can’t be read. ${found.reason}` })
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  const now = ctx.clock.now()
  await ctx.db.transaction().execute(async (trx) => {
    const categories = await NamedCategories.read(trx)
    for (const one of chosen) {
      const feed = readable.get(one)
      if (!feed) continue
      const { url, title } = feed
      const leave = (why: string) => report.left.push({ name: one.name, url, why })
      const slug = slugFor(one)
      const known = categories.find(one.name, slug)
      if (known?.retiredAt) {
        leave(`The category ${known.name} is retired here. Offer it again first.`)
        continue
      }
      const there = await trx.selectFrom('feeds').select('id').where('url', '=', url).executeTakeFirst()
      if (there) {
        leave(`It is feed ${there.id} already.`)
        continue
      }
      const category =
        known ?? (await categories.make(trx, { name: one.name, slug, description: one.description }, now))
      const feedId = await insertFeed(trx, { url, title, ignoresDatesAhead: false, categoryIds: [category.id] }, now)
      if (!known) await audit(trx, { at: now, actor, action: 'category.added', subject: `category:${category.slug}` })
      await audit(trx, { at: now, actor, action: 'feed.added', subject: `feed:${feedId}`, detail: { url } })
      report.added.push({ feedId, url, slug: category.slug, name: category.name, isNew: !known })
    }
  })
  return report
}

/** The site's slug if it is valid here, otherwise derived from the name, or the number for names in other scripts. */
export function slugFor({ id, slug, name }: SiteCategory): string {
  const fitting = [slug.toLowerCase(), slugify(name), slugify(slug)].find(isSlug)
  return fitting ?? (id === null || id === undefined ? 'category' : `category-${id}`)
}

/**
 * The categories that the caller names, by name or slug; with `all`, every one that is worth adding. Refuses unknown names, and
 * too many at once. `field` is the field that contains them.
 */
export function chooseCategories(
  categories: readonly SiteCategory[],
  names: readonly string[],
  { all, field }: { all: boolean; field: string },
): SiteCategory[] {
  const chosen = new Set<SiteCategory>()
  const missing: string[] = []
  for (const name of names) {
    const one =
      categories.find((each) => sameName(each.name, name)) ??
      categories.find((each) => sameName(each.slug, name) || slugFor(each) === name.toLowerCase())
    if (one) chosen.add(one)
    else missing.push(name)
  }
  if (missing.length > 0)
    throw invalid(
      field,
      `The site has no category ${missing.join(', ')}. It has: ${categories.map(({ name }) => name).join(', ')}.`,
    )
  if (all) for (const one of categories) if (worthAdding(one)) chosen.add(one)
  if (chosen.size > mostChosen) throw invalid(field, `Choose at most ${mostChosen} at a time, by their names.`)
  return [...chosen]
}

/** The categories that "all" includes: those that have stories, or may have some; not the category for stories without one. */
export function worthAdding({ count, isUnfiled }: SiteCategory): boolean {
  return count !== 0 && !isUnfiled
}

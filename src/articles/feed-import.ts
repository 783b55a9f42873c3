// Imports a list of feeds from another program: first a preview, then all feeds are added in one step. Nothing is fetched here;
// the tick polls them like every feed.

import { type Actor, audit } from '../access/audit.ts'
import { Refusal } from '../base/errors.ts'
import type { Context } from '../db/context.ts'
import type { Trx } from '../db/connect.ts'
import { checkUrl, insertFeed } from './feeds.ts'
import { NamedCategories } from './named-categories.ts'
import type { ListedFeed } from './opml.ts'
import { slugify } from './slugs.ts'

export interface PlannedFeed {
  url: string
  title: string
  /** Names, as in the list. */
  categories: string[]
  /** null: it will be added. Otherwise a sentence that says why not. */
  why: string | null
  isDuplicate: boolean
}

export interface ImportPlan {
  feeds: PlannedFeed[]
  /** Names of the categories that will be created. */
  newCategories: string[]
}

/** The preview. A feed in two folders is one feed in two categories. */
export async function planImport(ctx: Context, listed: readonly ListedFeed[]): Promise<ImportPlan> {
  return ctx.db.transaction().execute((trx) => plan(ctx, trx, listed))
}

async function plan(ctx: Context, trx: Trx, listed: readonly ListedFeed[]): Promise<ImportPlan> {
  const categories = await NamedCategories.read(trx)
  const there = new Map((await trx.selectFrom('feeds').select(['id', 'url']).execute()).map(({ id, url }) => [url, id]))
  const feeds: PlannedFeed[] = []
  const added = new Map<string, PlannedFeed>()
  const newCategories = new Map<string, string>()
  for (const { title, ...one } of listed) {
    const url = address(ctx, one.url)
    const planned: PlannedFeed = { url: url.href, title, categories: one.categories, why: url.why, isDuplicate: false }
    const first = added.get(url.href)
    const retired = one.categories.find((name) => categories.find(name, slugOf(name))?.retiredAt)
    if (first) {
      const more = one.categories.filter((name) => !first.categories.includes(name))
      first.categories = [...first.categories, ...more]
      planned.isDuplicate = true
      planned.why =
        more.length > 0 ? `It stands above already, and goes to ${more.join(', ')} too.` : 'It stands above already.'
    } else if (there.has(url.href)) {
      planned.isDuplicate = true
      planned.why = `It is feed ${there.get(url.href)} already.`
    }
    if (retired) planned.why ??= `The category ${retired} is retired here. Offer it again first.`
    feeds.push(planned)
    if (planned.why === null) added.set(url.href, planned)
    if (planned.why === null || first)
      for (const name of one.categories)
        if (!categories.find(name, slugOf(name))) newCategories.set(name.toLowerCase(), name)
  }
  return { feeds, newCategories: [...newCategories.values()] }
}

function address(ctx: Context, given: string): { href: string; why: string | null } {
  try {
    return { href: checkUrl(ctx, given), why: null }
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { href: given, why: error.message }
  }
}

const slugOf = (name: string): string => slugify(name) || 'category'

/** Adds what can be added, with its categories. Returns what it did. */
export async function importFeeds(ctx: Context, listed: readonly ListedFeed[], actor: Actor): Promise<ImportPlan> {
  const now = ctx.clock.now()
  return ctx.db.transaction().execute(async (trx) => {
    const planned = await plan(ctx, trx, listed)
    const categories = await NamedCategories.read(trx)
    for (const { url, why, categories: names } of planned.feeds) {
      if (why !== null) continue
      const ids = new Set<number>()
      for (const name of names) {
        const known = categories.find(name, slugOf(name))
        const category = known ?? (await categories.make(trx, { name, slug: slugOf(name) }, now))
        if (!known) await audit(trx, { at: now, actor, action: 'category.added', subject: `category:${category.slug}` })
        ids.add(category.id)
      }
      const id = await insertFeed(trx, { url, title: '', ignoresDatesAhead: false, categoryIds: [...ids] }, now)
      await audit(trx, { at: now, actor, action: 'feed.added', subject: `feed:${id}`, detail: { url } })
    }
    return planned
  })
}

/** "12 feeds are added, 2 are there already, 1 can't be; new categories: Politics, Sport." */
export function importInWords({ feeds, newCategories }: ImportPlan, isPlan: boolean): string {
  const added = feeds.filter(({ why }) => why === null).length
  const duplicates = feeds.filter(({ isDuplicate }) => isDuplicate).length
  const refused = feeds.length - added - duplicates
  const parts = [
    `${added} of ${feeds.length} feeds ${isPlan ? 'would be' : 'were'} added`,
    duplicates > 0 && `${duplicates} ${duplicates === 1 ? 'is' : 'are'} there already`,
    refused > 0 && `${refused} can’t be added`,
  ].filter(Boolean)
  const made = newCategories.length > 0 ? ` New categories: ${newCategories.join(', ')}.` : ''
  return `${parts.join(', ')}.${made}`
}

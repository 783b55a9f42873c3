// Categories are data: they can be added, renamed, reordered and retired while everything runs. Retiring a category mails nobody
// and changes nothing that was sent. Its subscriptions stay, so offering it again restores them.

import { invalid, Refusal } from '../base/errors.ts'
import type { Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { Category, CategoryTexts } from '../db/schema.ts'
import { mergeTexts } from './category-names.ts'
import { isWebAddress } from './links.ts'
import { isSlug, slugify } from './slugs.ts'
import { findCategory, listCategories } from './store.ts'

/** By language tag; null removes a language. */
type Translations = Readonly<Record<string, CategoryTexts | null>>

export interface NewCategory {
  name: string
  /** Default: derived from the name. */
  slug?: string | undefined
  description?: string | undefined
  /** Its page on the site: http or https; '' or null: taken from its feeds. */
  pageUrl?: string | null | undefined
  /** Its texts in other languages, by language tag. */
  translations?: Translations | undefined
  isSample?: boolean | undefined
}

/** Adds it at the end of the order. Refuses a slug that exists, including a retired one: offer that one again. */
export async function addCategory(ctx: Context, input: NewCategory): Promise<Category> {
  return ctx.db.transaction().execute((trx) => insertCategory(trx, input, ctx.clock.now()))
}

export async function insertCategory(trx: Trx, input: NewCategory, now: Date): Promise<Category> {
  const name = cleanName(input.name)
  const slug = checkSlug('slug', input.slug ?? slugify(name))
  const last = await trx
    .selectFrom('categories')
    .select((eb) => eb.fn.max('position').as('position'))
    .executeTakeFirst()
  const added = await trx
    .insertInto('categories')
    .values({
      slug,
      name,
      description: input.description?.trim() ?? '',
      pageUrl: cleanPage(input.pageUrl),
      translations: JSON.stringify(mergeTexts({}, input.translations ?? {}, cleanName)),
      position: (last?.position ?? 0) + 1,
      isSample: input.isSample ?? false,
      createdAt: now,
    })
    .onConflict((conflict) => conflict.column('slug').doNothing())
    .returningAll()
    .executeTakeFirst()
  if (!added) throw taken('slug', slug)
  return added
}

export interface CategoryChange {
  slug: string
  name?: string | undefined
  /** A new slug. Forms and links on other sites that use the old one stop working. */
  newSlug?: string | undefined
  description?: string | undefined
  /** As in NewCategory. */
  pageUrl?: string | null | undefined
  /** Replaces the texts of the languages that it names; the others stay. */
  translations?: Translations | undefined
}

/** Changes only what is given. Subscriptions and stories stay. */
export async function renameCategory(ctx: Context, input: CategoryChange): Promise<Category> {
  const category = await getCategory(ctx, input.slug)
  const name = input.name === undefined ? category.name : cleanName(input.name)
  const slug = checkSlug('slug', input.newSlug ?? category.slug)
  if (slug !== category.slug && (await findCategory(ctx.db, slug))) throw taken('slug', slug)
  return ctx.db
    .updateTable('categories')
    .set({
      name,
      slug,
      description: input.description?.trim() ?? category.description,
      pageUrl: input.pageUrl === undefined ? category.pageUrl : cleanPage(input.pageUrl),
      translations: JSON.stringify(mergeTexts(category.translations, input.translations ?? {}, cleanName)),
    })
    .where('id', '=', category.id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** Moves the named ones to the top, in this order. The others keep their order. */
export async function reorderCategories(ctx: Context, slugs: readonly string[]): Promise<Category[]> {
  return ctx.db.transaction().execute(async (trx) => {
    const all = await listCategories(trx, { withRetired: true })
    const named = slugs.map((slug) => {
      const category = all.find((one) => one.slug === slug)
      if (!category) throw unknown('order', slug)
      return category
    })
    if (new Set(named).size !== named.length) throw invalid('order', 'A category is named twice.')
    const ordered = [...named, ...all.filter((category) => !named.includes(category))]
    for (const [place, category] of ordered.entries())
      await trx
        .updateTable('categories')
        .set({ position: place + 1 })
        .where('id', '=', category.id)
        .execute()
    return listCategories(trx, { withRetired: true })
  })
}

/** It is no longer offered, and no longer in digests. Safe to repeat: the first time counts. */
export async function retireCategory(ctx: Context, slug: string): Promise<Category> {
  const category = await getCategory(ctx, slug)
  if (category.retiredAt) return category
  return ctx.db
    .updateTable('categories')
    .set({ retiredAt: ctx.clock.now() })
    .where('id', '=', category.id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** Offers a retired category again. Stories that arrived meanwhile weren't mapped to it and aren't added. */
export async function restoreCategory(ctx: Context, slug: string): Promise<Category> {
  const category = await getCategory(ctx, slug)
  return ctx.db
    .updateTable('categories')
    .set({ retiredAt: null })
    .where('id', '=', category.id)
    .returningAll()
    .executeTakeFirstOrThrow()
}

/** By slug. Refuses an unknown one. */
export async function getCategory(ctx: Pick<Context, 'db'>, slug: string, field = 'slug'): Promise<Category> {
  const category = await findCategory(ctx.db, slug)
  if (!category) throw unknown(field, slug)
  return category
}

function checkSlug(field: string, slug: string): string {
  if (!isSlug(slug))
    throw invalid(
      field,
      `"${slug}" can't be a slug: use small letters, digits and hyphens, with a letter, such as world-news. "feed" is reserved.`,
    )
  return slug
}

function cleanName(given: string, field = 'name'): string {
  const name = given.replace(/\s+/g, ' ').trim()
  if (!name) throw invalid(field, 'A category needs a name.')
  if (name.length > 80) throw invalid(field, 'A name may have 80 characters at most.')
  // oxlint-disable-next-line no-control-regex
  if (/[\x00-\x1f\x7f<>]/.test(name)) throw invalid(field, "A name can't hold control characters or < >.")
  return name
}

function cleanPage(given: string | null | undefined): string | null {
  const page = given?.trim()
  if (!page) return null
  if (page.length > 2000 || !isWebAddress(page) || !URL.canParse(page))
    throw invalid('pageUrl', 'The page must be an http:// or https:// address of at most 2,000 characters.')
  return new URL(page).href
}

function taken(field: string, slug: string): Refusal {
  return new Refusal('conflict', `There is a category ${slug} already.`, [{ field, message: 'is taken' }])
}

function unknown(field: string, slug: string): Refusal {
  return new Refusal('not_found', `There is no category ${slug}.`, [{ field, message: `unknown: ${slug}` }])
}

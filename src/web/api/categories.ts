// Categories by API: which are offered, and changes to them.

import { z } from 'zod'
import { noteAction } from '../../access/audit.ts'
import {
  addCategory,
  getCategory,
  renameCategory,
  reorderCategories,
  restoreCategory,
  retireCategory,
} from '../../articles/categories.ts'
import { countsByCategory, listCategories } from '../../articles/store.ts'
import type { Category } from '../../db/schema.ts'
import { endpoint, listOf } from '../endpoint.ts'
import { categoryName, languageTag, slug, text, uniqueSlugs, webAddress } from './texts.ts'

const texts = z.strictObject({ name: categoryName.optional(), description: text(500).optional() })
const translations = z.record(languageTag, texts.nullable()).meta({
  description: 'by language tag: replaces the texts of that language; null takes them away; other languages stay',
})

const category = z
  .object({
    id: z.int(),
    slug: z.string(),
    name: z.string(),
    description: z.string(),
    pageUrl: z
      .string()
      .nullable()
      .meta({ description: 'its page on the site, where “12 more” leads; null: found by its feeds' }),
    translations: z.record(z.string(), texts).meta({ description: 'its texts in other languages, by language tag' }),
    position: z.int(),
    retiredAt: z.iso.datetime().nullable(),
    articles: z.int().meta({ description: 'how many stories readers can see in it' }),
  })
  .meta({ id: 'Category' })

const slugParams = z.object({ slug: text(60) })
const words = { name: categoryName, description: text(500), pageUrl: webAddress(2000).nullable(), translations }

const answerOf = (
  { id, slug, name, description, pageUrl, translations, position, retiredAt }: Category,
  articles = 0,
) => ({
  id,
  slug,
  name,
  description,
  pageUrl,
  translations,
  position,
  retiredAt: retiredAt?.toISOString() ?? null,
  articles,
})

const shared = { tag: 'categories' } as const

export const categoryEndpoints = [
  endpoint({
    ...shared,
    method: 'get',
    path: '/categories',
    scope: 'articles',
    summary: 'All categories, in the order in which they are shown',
    query: z.object({ retired: z.enum(['true', 'false']).default('false') }),
    status: 200,
    answer: listOf(category),
    async handle(web, { query }) {
      const counts = await countsByCategory(web.db)
      const all = await listCategories(web.db, { withRetired: query.retired === 'true' })
      return { items: all.map((one) => answerOf(one, counts.get(one.id))), next: null }
    },
  }),
  endpoint({
    ...shared,
    method: 'post',
    path: '/categories',
    scope: 'articles',
    summary: 'Offer a new category',
    body: z.strictObject({
      name: words.name,
      slug: slug.optional(),
      description: words.description.optional(),
      pageUrl: words.pageUrl.optional(),
      translations: words.translations.optional(),
    }),
    status: 201,
    answer: category,
    async handle(web, { body, actor }) {
      const added = await addCategory(web, body)
      await noteAction(web, { actor: actor.name, action: 'category.added', subject: `category:${added.slug}` })
      return answerOf(added)
    },
  }),
  endpoint({
    ...shared,
    method: 'get',
    path: '/categories/:slug',
    scope: 'articles',
    summary: 'One category',
    params: slugParams,
    status: 200,
    answer: category,
    async handle(web, { params }) {
      const found = await getCategory(web, params.slug)
      return answerOf(found, (await countsByCategory(web.db)).get(found.id))
    },
  }),
  endpoint({
    ...shared,
    method: 'patch',
    path: '/categories/:slug',
    scope: 'articles',
    summary: 'Rename it, name its page on the site, or retire it and offer it again',
    params: slugParams,
    body: z.strictObject({
      name: words.name.optional(),
      slug: slug.optional(),
      description: words.description.optional(),
      pageUrl: words.pageUrl.optional(),
      translations: words.translations.optional(),
      retired: z.boolean().optional(),
    }),
    status: 200,
    answer: category,
    async handle(web, { params, body: { slug: newSlug, retired, ...change }, actor }) {
      let changed = await renameCategory(web, { slug: params.slug, newSlug, ...change })
      if (retired !== undefined) changed = await (retired ? retireCategory : restoreCategory)(web, changed.slug)
      const action = retired ? 'category.retired' : 'category.changed'
      await noteAction(web, { actor: actor.name, action, subject: `category:${changed.slug}` })
      return answerOf(changed, (await countsByCategory(web.db)).get(changed.id))
    },
  }),
  endpoint({
    ...shared,
    method: 'delete',
    path: '/categories/:slug',
    scope: 'articles',
    summary: 'Retire it: what was sent stays, nobody is mailed',
    params: slugParams,
    status: 200,
    answer: category,
    async handle(web, { params, actor }) {
      const retired = await retireCategory(web, params.slug)
      await noteAction(web, { actor: actor.name, action: 'category.retired', subject: `category:${retired.slug}` })
      return answerOf(retired)
    },
  }),
  endpoint({
    ...shared,
    method: 'put',
    path: '/categories-order',
    scope: 'articles',
    summary: 'Put categories in order: the named ones first',
    body: z.strictObject({ order: uniqueSlugs(500) }),
    status: 200,
    answer: listOf(category),
    async handle(web, { body, actor }) {
      const ordered = await reorderCategories(web, body.order)
      await noteAction(web, { actor: actor.name, action: 'category.reordered', subject: 'categories' })
      const counts = await countsByCategory(web.db)
      return { items: ordered.map((one) => answerOf(one, counts.get(one.id))), next: null }
    },
  }),
]

// Articles by API: pushed (one, or up to 500 at once, idempotent by the publisher's own id), changed, held, pinned, withdrawn.

import { z } from 'zod'
import { noteAction } from '../../access/audit.ts'
import { articleActions, controlArticle } from '../../articles/control.ts'
import { waitsUntil as untilWhen } from '../../articles/embargo.ts'
import { getPushed, mostPushed, pushArticles } from '../../articles/push.ts'
import { invalid, Refusal } from '../../base/errors.ts'
import { endpoint, intId, intIdParams, listOf, pageQuery } from '../endpoint.ts'
import { findShownArticle, listArticles, type ShownArticle } from '../reads/articles.ts'
import { matchCursor, pageBy } from './cursors.ts'
import { prose, slug, text, webAddress } from './texts.ts'

const at = z.iso.datetime().nullable()
const waitsUntil = at.meta({ description: 'dated ahead: until then it is on no page and in no mail' })
const article = z
  .object({
    id: z.int(),
    title: z.string(),
    link: z.string(),
    excerpt: z.string(),
    image: z.string().nullable(),
    imageAlt: z.string().nullable().meta({ description: 'what the picture shows, in the feed’s own words' }),
    author: z.string().nullable(),
    source: z.string().nullable(),
    feedId: z.int().nullable(),
    labels: z.array(z.string()).meta({ description: 'the item’s own categories, as its feed wrote them' }),
    categories: z.array(z.string()).meta({ description: 'ours' }),
    publishedAt: z.iso.datetime(),
    dateSource: z.enum(['feed', 'first-seen']),
    firstSeenAt: z.iso.datetime(),
    waitsUntil,
    heldAt: at,
    pinnedAt: at,
    withdrawnAt: at,
  })
  .meta({ id: 'Article' })

const pixels = z.int().min(1).max(100_000).nullable().optional()

const pushed = z
  .strictObject({
    id: prose(300).meta({ description: 'the publisher’s own id: the same one again is an update' }),
    title: prose(1000),
    link: webAddress(2000),
    categories: z.array(slug).max(50),
    excerpt: text(20_000).optional(),
    image: webAddress(2000).nullable().optional(),
    imageAlt: text(1000).nullable().optional().meta({ description: 'what the picture shows' }),
    imageWidth: pixels.meta({ description: 'of the picture, in pixels, together with imageHeight' }),
    imageHeight: pixels.meta({ description: 'mails leave room of this shape while the picture loads' }),
    author: text(300).nullable().optional(),
    source: text(300).nullable().optional(),
    publishedAt: z.iso.datetime({ offset: true }).optional(),
  })
  .meta({ id: 'PushedArticle' })

const pushAnswer = z.object({
  id: z.string(),
  articleId: z.int(),
  outcome: z.enum(['created', 'updated', 'unchanged']),
  waitsUntil,
})

function answerOf(one: ShownArticle, now: Date) {
  const {
    id,
    title,
    link,
    excerpt,
    imageUrl: image,
    imageAlt,
    author,
    source,
    feedId,
    labels,
    categories,
    dateSource,
  } = one
  const time = (date: Date | null) => date?.toISOString() ?? null
  return {
    id,
    title,
    link,
    excerpt,
    image,
    imageAlt,
    author,
    source,
    feedId,
    labels,
    categories,
    dateSource,
    publishedAt: one.publishedAt.toISOString(),
    firstSeenAt: one.firstSeenAt.toISOString(),
    waitsUntil: time(untilWhen(one, now)),
    heldAt: time(one.heldAt),
    pinnedAt: time(one.pinnedAt),
    withdrawnAt: time(one.withdrawnAt),
  }
}

/** The time in milliseconds, and the id. */
const articleCursor = /^([0-9]{1,13})-([0-9]{1,9})$/

export function readArticleCursor(cursor: string | undefined): { publishedAt: Date; id: number } | undefined {
  if (cursor === undefined) return undefined
  const [, time, id] = matchCursor(cursor, articleCursor)
  return { publishedAt: new Date(Number(time)), id: Number(id) }
}

export function articlePage(rows: readonly ShownArticle[], limit: number) {
  return pageBy(rows, limit, (last) => `${last.publishedAt.getTime()}-${last.id}`)
}

const shared = { tag: 'articles', scope: 'articles' } as const

export const articleEndpoints = [
  endpoint({
    ...shared,
    method: 'get',
    path: '/articles',
    summary: 'Articles, newest first',
    query: pageQuery.extend({
      cursor: z.string().regex(articleCursor).optional(),
      category: slug.optional(),
      feed: intId.optional(),
      q: text(200).optional(),
      state: z.enum(['held', 'pinned', 'withdrawn', 'waiting']).optional(),
    }),
    status: 200,
    answer: listOf(article),
    async handle(web, { query: { limit, cursor, category, feed, q, state } }) {
      const rows = await listArticles(web.db, {
        category,
        state,
        text: q,
        feedId: feed,
        after: readArticleCursor(cursor),
        limit: limit + 1,
      })
      const { items, next } = articlePage(rows, limit)
      return { items: items.map((one) => answerOf(one, web.clock.now())), next }
    },
  }),
  endpoint({
    ...shared,
    method: 'post',
    path: '/articles',
    summary: 'Push one article, or up to 500 as {"articles": […]}',
    description:
      'All are taken or none. One dated ahead waits until its date; more than 30 days ahead is refused. One article is answered with its own result, several with a list in their order.',
    body: z.union([z.strictObject({ articles: z.array(pushed).min(1).max(mostPushed) }), pushed]),
    bodyLimit: 5_000_000,
    status: 200,
    answer: z.union([listOf(pushAnswer), pushAnswer]),
    async handle(web, { body, actor }) {
      const given = 'articles' in body ? body.articles : [body]
      const results = await pushArticles(
        web,
        given.map(({ publishedAt, ...one }) => ({
          ...one,
          publishedAt: publishedAt ? new Date(publishedAt) : undefined,
        })),
      ).catch((error: unknown) => {
        throw 'articles' in body ? error : withoutIndex(error)
      })
      const changed = results.filter((result) => result.outcome !== 'unchanged').length
      if (changed)
        await noteAction(web, { actor: actor.name, action: 'article.pushed', subject: 'articles', detail: { changed } })
      const items = results.map((one) => ({ ...one, waitsUntil: one.waitsUntil?.toISOString() ?? null }))
      return 'articles' in body ? { items, next: null } : items[0]
    },
  }),
  endpoint({
    ...shared,
    method: 'post',
    path: '/articles/withdraw',
    summary: 'Withdraw by the publisher’s id: it leaves every mail not yet sent',
    body: z.strictObject({ id: prose(300) }),
    status: 200,
    answer: article,
    async handle(web, { body, actor }) {
      const { id } = await getPushed(web, body.id)
      await controlArticle(web, id, 'withdraw')
      await noteAction(web, { actor: actor.name, action: 'article.withdrawn', subject: `article:${id}` })
      return answerOf((await findShownArticle(web.db, id))!, web.clock.now())
    },
  }),
  endpoint({
    ...shared,
    method: 'get',
    path: '/articles/:id',
    summary: 'One article',
    params: intIdParams,
    status: 200,
    answer: article,
    async handle(web, { params }) {
      const found = await findShownArticle(web.db, params.id)
      if (!found) throw new Refusal('not_found', `There is no article ${params.id}.`)
      return answerOf(found, web.clock.now())
    },
  }),
  endpoint({
    ...shared,
    method: 'delete',
    path: '/articles/:id',
    summary: 'Withdraw: it leaves every mail not yet sent',
    params: intIdParams,
    status: 200,
    answer: article,
    async handle(web, { params, actor }) {
      await controlArticle(web, params.id, 'withdraw')
      await noteAction(web, { actor: actor.name, action: 'article.withdrawn', subject: `article:${params.id}` })
      return answerOf((await findShownArticle(web.db, params.id))!, web.clock.now())
    },
  }),
  endpoint({
    ...shared,
    method: 'post',
    path: '/articles/:id/:action',
    summary: 'hold, release, pin, unpin, withdraw or restore',
    params: intIdParams.extend({ action: z.enum(articleActions) }),
    status: 200,
    answer: article,
    async handle(web, { params: { id, action }, actor }) {
      await controlArticle(web, id, action)
      await noteAction(web, { actor: actor.name, action: `article.${action}`, subject: `article:${id}` })
      return answerOf((await findShownArticle(web.db, id))!, web.clock.now())
    },
  }),
]

/** The problems of a single article are named without a list index. */
function withoutIndex(error: unknown): unknown {
  const problem = error instanceof Refusal ? error.problems[0] : undefined
  return problem ? invalid(problem.field.replace(/^articles\.0\./, ''), problem.message) : error
}

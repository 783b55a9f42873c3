// Articles that a publisher pushes, identified by the publisher's own id: a repetition changes nothing, and a changed article is
// an edit. If a feed has brought the article already (the same link, and the same title or published time), that one is used, so
// it isn't stored twice. Two ids are two articles.

import { invalid, Refusal } from '../base/errors.ts'
import { Unreadable } from '../base/parser-thread.ts'
import type { Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { Article } from '../db/schema.ts'
import { eligibleDays, isAhead, isFarAhead, mostDaysAhead, takenFrom, waitsUntil } from './embargo.ts'
import { plausible } from './feed-date.ts'
import { isWebAddress } from './links.ts'
import { linkKeysOf } from './identity.ts'
import type { PlainTexts } from './parse-jobs.ts'
import { parser } from './parser.ts'
import { lockSeq, releaseSeqs, type Sendable } from './seq.ts'
import { listCategories } from './store.ts'

export interface PushedArticle {
  /** The publisher's own. */
  id: string
  title: string
  link: string
  /** Slugs. */
  categories: readonly string[]
  excerpt?: string | undefined
  image?: string | null | undefined
  /** What the picture shows. */
  imageAlt?: string | null | undefined
  /** In pixels, both or neither: mails leave room of this shape for the picture. */
  imageWidth?: number | null | undefined
  imageHeight?: number | null | undefined
  author?: string | null | undefined
  source?: string | null | undefined
  publishedAt?: Date | undefined
}

export interface Pushed {
  /** The publisher's id. */
  id: string
  articleId: number
  outcome: 'created' | 'updated' | 'unchanged'
  /** The future date until which it is on no page and in no mail. */
  waitsUntil: Date | null
}

export const mostPushed = 500

/**
 * All or none, in one transaction. Results are in the order of `articles`. If one of them is wrong, the whole request is refused,
 * and the refusal names it.
 */
export async function pushArticles(ctx: Context, articles: readonly PushedArticle[]): Promise<Pushed[]> {
  if (articles.length > mostPushed) throw invalid('articles', `At most ${mostPushed} articles in one request.`)
  const now = ctx.clock.now()
  const texts = await readTexts(articles)
  return ctx.db.transaction().execute(async (trx) => {
    const offered = new Map((await listCategories(trx)).map((category) => [category.slug, category.id]))
    const checked = articles.map((article, index) => check(article, texts[index]!, `articles.${index}`, offered, now))
    const ids = new Set<string>()
    for (const { given } of checked) {
      if (ids.has(given.id)) throw invalid('articles', `The id ${given.id} is in the request twice.`)
      ids.add(given.id)
    }
    await lockSeq(trx)
    const pairs: Sendable[] = []
    const pushed: Pushed[] = []
    for (const one of checked) pushed.push(await pushOne(trx, one, now, pairs))
    await releaseSeqs(trx, pairs, { isLocked: true })
    return pushed
  })
}

/** The article with this publisher's id. */
export async function findPushed(db: Trx | Context['db'], publisherId: string): Promise<Article | undefined> {
  return db
    .selectFrom('articles')
    .innerJoin('articleKeys', 'articleKeys.articleId', 'articles.id')
    .selectAll('articles')
    .where('articleKeys.kind', '=', 'publisher')
    .where('articleKeys.key', '=', publisherId)
    .executeTakeFirst()
}

/** Before the transaction, in the parser's thread. */
function readTexts(articles: readonly PushedArticle[]): Promise<PlainTexts[]> {
  return parser
    .texts(
      articles.map(({ title, link, excerpt, author, source }) => ({
        title,
        link,
        excerpt: excerpt ?? '',
        author: author ?? '',
        source: source ?? '',
      })),
    )
    .catch((error: unknown) => {
      throw error instanceof Unreadable ? invalid('articles', error.message) : error
    })
}

function check(
  given: PushedArticle,
  { title, excerpt, author, source }: PlainTexts,
  field: string,
  offered: ReadonlyMap<string, number>,
  now: Date,
) {
  if (!title) throw invalid(`${field}.title`, 'An article needs a title.')
  if (!isWebAddress(given.link) || given.link.length > 2000)
    throw invalid(`${field}.link`, 'Must be an http:// or https:// address.')
  if (given.image && !isWebAddress(given.image))
    throw invalid(`${field}.image`, 'Must be an http:// or https:// address.')
  if (!given.imageWidth !== !given.imageHeight)
    throw invalid(`${field}.${given.imageWidth ? 'imageHeight' : 'imageWidth'}`, 'Give width and height, or neither.')
  const categoryIds = given.categories.map((slug) => {
    const id = offered.get(slug)
    if (id === undefined) throw invalid(`${field}.categories`, `${slug} is not a category that is offered.`)
    return id
  })
  const publishedAt = plausible(given.publishedAt?.getTime() ?? null)
  if (publishedAt && isFarAhead(publishedAt, now))
    throw invalid(
      `${field}.publishedAt`,
      `Must be at most ${mostDaysAhead} days ahead. Push it again from ${takenFrom(publishedAt).toISOString()} on.`,
    )
  return {
    given,
    publishedAt,
    categoryIds: [...new Set(categoryIds)],
    values: {
      title,
      link: new URL(given.link).href,
      excerpt,
      imageUrl: given.image ? new URL(given.image).href : null,
      imageAlt: (given.image && given.imageAlt?.trim()) || null,
      imageRatio: given.image && given.imageWidth && given.imageHeight ? given.imageWidth / given.imageHeight : null,
      author,
      source,
    },
  }
}

async function pushOne(trx: Trx, one: ReturnType<typeof check>, now: Date, pairs: Sendable[]): Promise<Pushed> {
  const { given, values, publishedAt, categoryIds } = one
  const linkKeys = Object.entries(linkKeysOf(values.link, values.title, publishedAt)).flatMap(([kind, key]) =>
    key ? [{ kind: kind as 'link' | 'link-title' | 'link-time', key }] : [],
  )
  const found = (await findPushed(trx, given.id)) ?? (await findFed(trx, linkKeys))
  const sendableAt = sendableFrom(found, publishedAt, now)
  const id = found?.id ?? (await insertArticle(trx, values, { publishedAt, sendableAt }, now))
  const keys = [{ kind: 'publisher' as const, key: given.id }, ...linkKeys]
  await trx
    .insertInto('articleKeys')
    .values(keys.map((key) => ({ ...key, articleId: id })))
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const has = new Set(
    (await trx.selectFrom('articleCategories').select('categoryId').where('articleId', '=', id).execute()).map(
      (row) => row.categoryId,
    ),
  )
  const added = categoryIds.filter((categoryId) => !has.has(categoryId))
  if (sendableAt) for (const categoryId of added) pairs.push({ articleId: id, categoryId })
  else await addWaiting(trx, id, added)
  const until = waitsUntil({ sendableAt, publishedAt: publishedAt ?? found?.publishedAt ?? now }, now)
  const answer = { id: given.id, articleId: id, waitsUntil: until }
  if (!found) return { ...answer, outcome: 'created' }
  // The publisher's list is complete: a category that it doesn't contain is removed.
  const removed = [...has].filter((categoryId) => !categoryIds.includes(categoryId))
  if (removed.length)
    await trx.deleteFrom('articleCategories').where('articleId', '=', id).where('categoryId', 'in', removed).execute()
  const isSame =
    (Object.keys(values) as (keyof typeof values)[]).every((name) => values[name] === found[name]) &&
    (!publishedAt || publishedAt.getTime() === found.publishedAt.getTime()) &&
    (sendableAt === null) === (found.sendableAt === null)
  if (isSame && added.length + removed.length === 0) return { ...answer, outcome: 'unchanged' }
  await trx
    .updateTable('articles')
    .set({
      ...values,
      sendableAt,
      updatedAt: now,
      ...(publishedAt ? { publishedAt, dateSource: 'feed' as const } : {}),
    })
    .where('id', '=', id)
    .execute()
  return { ...answer, outcome: 'updated' }
}

/**
 * A story with a future date waits, even if it was sendable, as long as subscribers' `seen` keeps it. Only the tick releases a
 * waiting story.
 */
function sendableFrom(found: Article | undefined, publishedAt: Date | null, now: Date): Date | null {
  const isEmbargoed = publishedAt !== null && isAhead(publishedAt, now)
  if (!found) return isEmbargoed ? null : now
  if (!found.sendableAt || !isEmbargoed) return found.sendableAt
  return found.sendableAt.getTime() > now.getTime() - eligibleDays * 86_400_000 ? null : found.sendableAt
}

/** Its new categories, and those that had a seq before its date was moved into the future. */
async function addWaiting(trx: Trx, articleId: number, categoryIds: readonly number[]): Promise<void> {
  await trx
    .updateTable('articleCategories')
    .set({ seq: null })
    .where('articleId', '=', articleId)
    .where('seq', 'is not', null)
    .execute()
  if (categoryIds.length === 0) return
  await trx
    .insertInto('articleCategories')
    .values(categoryIds.map((categoryId) => ({ articleId, categoryId, seq: null })))
    .execute()
}

/** The same story from a feed. */
async function findFed(
  trx: Trx,
  keys: readonly { kind: 'link' | 'link-title' | 'link-time'; key: string }[],
): Promise<Article | undefined> {
  const telling = keys.filter(({ kind }) => kind !== 'link')
  if (telling.length === 0) return undefined
  return trx
    .selectFrom('articles')
    .innerJoin('articleKeys', 'articleKeys.articleId', 'articles.id')
    .selectAll('articles')
    .where((eb) => eb.or(telling.map(({ kind, key }) => eb.and([eb('kind', '=', kind), eb('key', '=', key)]))))
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('articleKeys as own')
            .select('own.kind')
            .whereRef('own.articleId', '=', 'articles.id')
            .where('own.kind', '=', 'publisher'),
        ),
      ),
    )
    .orderBy('articles.id')
    .executeTakeFirst()
}

async function insertArticle(
  trx: Trx,
  values: ReturnType<typeof check>['values'],
  { publishedAt, sendableAt }: { publishedAt: Date | null; sendableAt: Date | null },
  now: Date,
): Promise<number> {
  const { id } = await trx
    .insertInto('articles')
    .values({
      ...values,
      publishedAt: publishedAt ?? now,
      dateSource: publishedAt ? 'feed' : 'first-seen',
      firstSeenAt: now,
      sendableAt,
      updatedAt: now,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  return id
}

/** By the publisher's id. Refuses an unknown one. */
export async function getPushed(ctx: Context, publisherId: string): Promise<Article> {
  const article = await findPushed(ctx.db, publisherId)
  if (!article) throw new Refusal('not_found', `No article has the id ${publisherId}.`)
  return article
}

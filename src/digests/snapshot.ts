// One render per edition: every category head and story of it, in each form that a mail may need, escaped, quoted-printable encoded
// and stored, the same for every worker. The template's pieces are cut once from the MJML output (mails/templates.ts); here they
// are filled with the edition's data.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { sql } from 'kysely'
import { listCategoryPages } from '../articles/category-pages.ts'
import type { Config } from '../base/config.ts'
import { invalid } from '../base/errors.ts'
import { shareLinks } from '../base/share-links.ts'
import { siteLink } from '../base/link-parameters.ts'
import type { Db } from '../db/connect.ts'
import { systemClock } from '../base/clock.ts'
import type { Context } from '../db/context.ts'
import { frameValues, loadTemplate, siteValues, type MailTemplate } from '../mails/templates.ts'
import { cleanText, slotMarks, storeFragment, type StoredFragment } from './fragments.ts'
import { listEligible } from './eligible.ts'
import { addressOf } from '../base/addresses.ts'
import { type SnapshotArticle, storyValues } from './story-values.ts'
import type { SenderWords } from './sender-words.ts'
import type { EditionStory } from './waiting.ts'

export const storyForms = ['lead', 'story', 'short', 'headline', 'contents-row'] as const
export type StoryForm = (typeof storyForms)[number]

/** Of the shapes below. Raise it with any change to them: workers of two versions may run at once (compose.ts). */
export const snapshotVersion = 4

export interface Snapshot {
  version: number
  words: SenderWords
  html: Record<'open' | 'contents' | 'contents-end' | 'also' | 'close', StoredFragment>
  text: Record<'open' | 'contents' | 'also' | 'close', StoredFragment>
  categories: {
    id: number
    name: string
    position: number
    stories: EditionStory[]
    /** Eligible, counted, and without fragments: [article id, seq]. */
    others: [number, number][]
    html: Record<'contents-category' | 'category' | 'more' | 'less', StoredFragment>
    text: Record<'contents-category' | 'category' | 'more' | 'less', StoredFragment>
  }[]
  stories: Record<
    number,
    {
      title: string
      excerpt: string
      html: Record<StoryForm, StoredFragment>
      text: Record<'lead' | 'story' | 'headline', StoredFragment>
    }
  >
}

interface SourceCategory {
  id: number
  slug: string
  name: string
  position: number
  /** Its page on the site; null: none is known. */
  pageUrl: string | null
  stories: EditionStory[]
  others: [number, number][]
}

/** What a snapshot is made of: an edition's frozen choice, or what the next edition would choose. */
export interface SnapshotSource {
  /** Its page in the archive; null: it will have none. */
  editionId: number | null
  intro: string
  /** An editor's own subject and preheader. */
  words?: SenderWords
  categories: SourceCategory[]
  articles: ReadonlyMap<number, SnapshotArticle>
}

const mostBusyMs = 15

/** Enough that a reader who has seen the newest ones still finds the number that a digest shows, and some to like. */
export function renderedPerCategory(stories: number): number {
  return Math.min(stories * 3, stories + 20)
}

/** Renders and stores an edition's fragments. Safe to repeat: the last one counts, until the edition is being sent. */
export async function makeSnapshot(ctx: Context, editionId: number): Promise<void> {
  const source = await getEditionSource(ctx, editionId)
  const template = await loadTemplate('digest', ctx.config.site)
  const snapshot = JSON.stringify(await renderSnapshot(ctx.config, template, source))
  const madeAt = ctx.clock.now()
  await ctx.db
    .insertInto('editionSnapshots')
    .values({ editionId, snapshot, madeAt })
    .onConflict((conflict) => conflict.column('editionId').doUpdateSet({ snapshot, madeAt }))
    .execute()
}

const snapshotDays = 7
const dayMs = 86_400_000

/** Snapshots are megabytes each, and are made again when somebody needs one of an edition that closed a week ago (compose.ts). On the
 * system's clock, as a tick as of next year must not purge this year. Safe to repeat. */
export async function purgeSnapshots({ db }: Context): Promise<void> {
  const before = new Date(systemClock.now().getTime() - snapshotDays * dayMs)
  await sql`
    delete from edition_snapshots s using editions e where e.id = s.edition_id and e.closed_at < ${before}`.execute(db)
}

/** The same source and look give the same bytes. Lets others run every few milliseconds: thousands of stories take seconds, and in
 * this process mails may be on the wire and leases to renew. */
export async function renderSnapshot(
  config: Config,
  template: MailTemplate,
  source: SnapshotSource,
): Promise<Snapshot> {
  const site = siteValues(config, source.editionId)
  const slot = slotMarks
  const frame = frameValues('en', 'ltr')
  const intro = source.intro.split(/\n\s*\n/).flatMap((paragraph) => cleanText(paragraph) || [])
  const archiveUrl = addressOf(config, source.editionId ? `/archive/${source.editionId}` : '/archive')
  const edition = {
    intro: intro.length > 0 ? intro : null,
    archiveUrl,
    share: shareLinks(config.site.shareLinks, { title: config.site.name, url: archiveUrl }),
  }
  const html = (piece: string, values: object = {}) =>
    storeFragment(template.html.get(piece)!({ site, slot, edition, ...frame, ...values }))
  const text = (piece: string, values: object = {}) =>
    storeFragment(template.text.get(piece)!({ site, slot, edition, ...frame, ...values }))

  let restedAt = performance.now()
  const stories: Snapshot['stories'] = {}
  for (const category of source.categories)
    for (const { articleId } of category.stories) {
      const article = source.articles.get(articleId)
      if (!article || stories[articleId]) continue
      if (performance.now() - restedAt > mostBusyMs) {
        await nextTurn()
        restedAt = performance.now()
      }
      const story = storyValues(config, article, edition.archiveUrl, source.editionId)
      stories[articleId] = {
        title: story.title,
        excerpt: story.excerpt,
        html: Object.fromEntries(storyForms.map((form) => [form, html(form, { story })])) as Record<
          StoryForm,
          StoredFragment
        >,
        text: { lead: text('lead', { story }), story: text('story', { story }), headline: text('headline', { story }) },
      }
    }
  return {
    version: snapshotVersion,
    words: source.words ?? { subject: '', preheader: '' },
    html: {
      open: html('open'),
      contents: html('contents'),
      'contents-end': html('contents-end'),
      also: html('also'),
      close: html('close'),
    },
    text: { open: text('open'), contents: text('contents'), also: text('also'), close: text('close') },
    categories: source.categories.map(({ id, slug, name, position, pageUrl, stories, others }) => {
      const page = pageUrl ? siteLink(config, pageUrl, source.editionId) : edition.archiveUrl
      const category = { id, slug, name: cleanText(name), pageUrl: page }
      return {
        id,
        name: category.name,
        position,
        stories,
        others,
        html: {
          'contents-category': html('contents-category', { category }),
          category: html('category', { category }),
          more: html('more', { category }),
          less: html('less', { category }),
        },
        text: {
          'contents-category': text('contents-category', { category }),
          category: text('category', { category }),
          more: text('more', { category }),
          less: text('less', { category }),
        },
      }
    }),
    stories,
  }
}

async function getEditionSource(ctx: Context, editionId: number): Promise<SnapshotSource> {
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
  source: Omit<SnapshotSource, 'articles' | 'categories'> & { categories: Omit<SourceCategory, 'pageUrl' | 'slug'>[] },
): Promise<SnapshotSource> {
  const pages = await listCategoryPages(ctx)
  const slugs = new Map(
    (await ctx.db.selectFrom('categories').select(['id', 'slug']).execute()).map(({ id, slug }) => [id, slug]),
  )
  const categories = source.categories.map((category) => ({
    ...category,
    slug: slugs.get(category.id)!,
    pageUrl: pages.get(category.id) ?? null,
  }))
  const ids = categories.flatMap(({ stories }) => stories.map(({ articleId }) => articleId))
  return { ...source, categories, articles: await listSnapshotArticles(ctx.db, ids) }
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

// /archive: the editions of which anything was sent, with their stories. Public, and without any person: what is shown is what anybody
// who had chosen everything would have read.

import type { RequestHandler, Response } from 'express'
import { categoriesIn } from '../../articles/category-names.ts'
import { addressOf } from '../../base/addresses.ts'
import type { Config } from '../../base/config.ts'
import { directionOf } from '../../base/direction.ts'
import { Refusal } from '../../base/errors.ts'
import { countsByCategory, latestArticles, listCategories } from '../../articles/store.ts'
import type { Db } from '../../db/connect.ts'
import type { Article, Category } from '../../db/schema.ts'
import { cleanText } from '../../digests/fragments.ts'
import { safeImage } from '../../digests/story-values.ts'
import { clip } from '../../mails/text.ts'
import type { Say } from '../../messages/messages.ts'
import { html, type Html, to } from '../html.ts'
import { sayFor } from '../language.ts'
import { type Page, sendPage } from '../layout.ts'
import { readId } from '../path-id.ts'
import {
  findPublicEdition,
  listPublicEditions,
  listSections,
  neighboursOf,
  type Paged,
  type Section,
} from '../reads/archive.ts'
import type { PublicEdition } from '../reads/public-editions.ts'
import type { WebContext } from '../web-context.ts'
import { alsoLikeSection, pictureOf, shareRow, spoken, storySection } from './story.ts'

const perPage = 50
const alsoLikeStories = 4
const descriptionLength = 200

export function showArchive(web: WebContext): RequestHandler {
  const { config, db } = web
  return async (request, response) => {
    const say = sayFor(config, request)
    const at = { before: readId(request.query['before']), after: readId(request.query['after']) }
    const [editions, categories, counts] = await Promise.all([
      listPublicEditions(db, { ...at, limit: perPage }),
      listCategories(db),
      countsByCategory(db),
    ])
    const days = Map.groupBy(editions.items, (edition) => dayOf(config, say, edition.at))
    sendPage(response, config, {
      say,
      title: say('archive.title'),
      kind: 'page',
      dateLine: dayOf(config, say, web.clock.now()),
      face: {
        path: at.before ? `/archive?before=${at.before}` : '/archive',
        description: say('archive.description', { site: config.site.name }),
      },
      body: html`<h1>${say('archive.heading')}</h1>
        ${feedSentence(say, '/archive')}
        ${categoryNav(
          say,
          categories.map((category) => ({ ...category, count: counts.get(category.id) ?? 0 })),
        )}
        ${
          editions.items.length === 0 &&
          html`<p class="calm">${say('archive.none')}</p>
            <p class="calm"><a href="${to('/')}">${say('archive.subscribe')}</a></p>`
        }
        ${[...days].map(
          ([day, list]) =>
            html`<section class="archive-day">
              <h2>${day}</h2>
              <ul class="plain-list">
                ${list.map((edition) => row(config, say, edition))}
              </ul>
            </section>`,
        )}
        ${pager(say, '/archive', editions, { newest: editions.items[0]?.id, oldest: editions.items.at(-1)?.id })}`,
    })
  }
}

type ListedEdition = Awaited<ReturnType<typeof listPublicEditions>>['items'][number]

/** The day in the site's time zone, in the reader's language. */
const dayOf = (config: Config, say: Say, at: Date): string => say.date(at, 'day', config.digest.timezone)

const timeOf = (config: Config, say: Say, at: Date): string => say.date(at, 'time', config.digest.timezone)

function row(config: Config, say: Say, { id, at, lead }: ListedEdition): Html {
  const picture = safeImage(config, lead?.imageUrl ?? null)
  const title = lead?.title ?? say('archive.withdrawn')
  return html`<li class="${picture ? 'pictured' : ''}" dir="${directionOf(title, say.dir)}">
    <a href="${to(`/archive/${id}`)}" ${lead && spoken(config, say, title)}>${title}</a>
    <span class="byline" dir="${say.dir}">${timeOf(config, say, at)}</span>
    ${picture && html`<img src="${picture}" alt="" width="80" height="60" loading="lazy" />`}
  </li>`
}

/** For readers who would rather not leave an address. */
export function feedSentence(say: Say, folder: string): Html {
  const link = (file: string) => (within: (string | Html)[]) => html`<a href="${to(`${folder}/${file}`)}">${within}</a>`
  return html`<p class="hint feeds">
    ${say.rich('archive.feeds', { rss: link('feed.xml'), json: link('feed.json') })}
  </p>`
}

/** Each category with the number of its stories. */
export function categoryNav(say: Say, categories: readonly (Category & { count: number })[]): Html | null {
  if (categories.length === 0) return null
  return html`<nav class="sections" aria-label="${say('archive.categories')}">
    <ul>
      ${categoriesIn(categories, say.locale).map(
        ({ slug, name, count }) =>
          html`<li dir="${directionOf(name, say.dir)}">
            <a href="${to(`/archive/${slug}`)}">${name}</a>
            <span class="count" aria-hidden="true">${say.number(count)}</span>
            <span class="hush">${say('archive.storyCount', { count })}</span>
          </li>`,
      )}
    </ul>
  </nav>`
}

/** Links to the pages before and after this one. */
export function pager(
  say: Say,
  path: string,
  { hasNewer, hasOlder }: Paged<unknown>,
  ends: { newest: number | undefined; oldest: number | undefined },
): Html | null {
  if (!hasNewer && !hasOlder) return null
  return html`<nav class="pager" aria-label="${say('archive.pages')}">
    ${
      hasNewer
        ? html`<a href="${to(`${path}?after=${ends.newest}`)}" rel="prev">${say('archive.newer')}</a>`
        : html`<span></span>`
    }
    ${hasOlder && html`<a href="${to(`${path}?before=${ends.oldest}`)}" rel="next">${say('archive.older')}</a>`}
  </nav>`
}

export function showArchivedEdition(web: WebContext): RequestHandler {
  return async (request, response) => {
    const id = readId(request.params['edition'])
    const edition = id && (await findPublicEdition(web.db, id))
    if (!edition) throw new Refusal('not_found', sayFor(web.config, request)('archive.noEdition'))
    await sendEdition(web, response, sayFor(web.config, request), edition)
  }
}

/** `notice`: why a subscriber sees it instead of their own digest; then it isn't indexed. */
export async function sendEdition(
  web: WebContext,
  response: Response,
  say: Say,
  edition: PublicEdition,
  notice?: string,
): Promise<void> {
  const { config, db } = web
  const [sections, neighbours] = await Promise.all([
    listSections(db, edition.id, config.digest.stories),
    neighboursOf(db, edition.id),
  ])
  const stories = sections.flatMap((section) => section.stories)
  const page = {
    sections,
    alsoLike: await listAlsoLike(db, stories),
    notice,
    path: `/archive/${edition.id}`,
    after: editionNav(config, say, neighbours),
  }
  sendPage(response, config, {
    ...editionPage(config, say, edition, page),
    ...(notice ? { isIndexed: false } : { face: editionFace(config, say, edition, stories) }),
  })
}

/** The page of an edition, whole or as a subscriber got it. `path`: of the public edition, if there is one, to be shared. */
export function editionPage(
  config: Config,
  say: Say,
  edition: { at: Date; content: { intro?: string } },
  page: {
    sections: readonly Section[]
    alsoLike: readonly Article[]
    path: string | null
    notice?: string | undefined
    after?: Html
  },
): Page {
  const day = dayOf(config, say, edition.at)
  const title = say('archive.edition', { day })
  const intro = edition.content.intro?.split(/\n\s*\n/).flatMap((paragraph) => cleanText(paragraph) || []) ?? []
  return {
    say,
    title,
    kind: 'page',
    dateLine: day,
    body: html`<h1>${title}</h1>
      <p class="deck">${timeOf(config, say, edition.at)}</p>
      ${page.notice && html`<p class="notice">${page.notice}</p>`}
      ${intro.map((paragraph) => html`<p dir="${directionOf(paragraph, say.dir)}">${paragraph}</p>`)}
      ${page.sections.length === 0 && html`<p class="calm">${say('archive.withdrawn')}</p>`}
      ${page.sections.map((section) => storySection(config, say, section, { isShared: true }))}
      ${alsoLikeSection(config, say, page.alsoLike)}
      ${page.path !== null && shareRow(config, say, { title: say('archive.sharedTitle', { site: config.site.name, title }), url: addressOf(config, page.path) })}
      ${page.after}`,
  }
}

function editionFace(config: Config, say: Say, edition: PublicEdition, stories: readonly Article[]) {
  const titles = stories.map(({ title }) => cleanText(title)).join(' · ')
  return {
    path: `/archive/${edition.id}`,
    description: clip(titles, descriptionLength) || say('archive.newsletter', { site: config.site.name }),
    picture: pictureOf(config, stories),
    publishedAt: edition.at,
  }
}

/** The newest stories that aren't on the page. */
export async function listAlsoLike(db: Db, shown: readonly Article[]): Promise<Article[]> {
  const ids = new Set(shown.map(({ id }) => id))
  const newest = await latestArticles(db, { limit: shown.length + alsoLikeStories })
  return newest.filter(({ id }) => !ids.has(id)).slice(0, alsoLikeStories)
}

function editionNav(config: Config, say: Say, { previous, next }: Awaited<ReturnType<typeof neighboursOf>>): Html {
  const link = (edition: PublicEdition | undefined, key: 'archive.previous' | 'archive.next', rel: string) =>
    edition
      ? html`<a href="${to(`/archive/${edition.id}`)}" rel="${rel}"
          >${say(key, { day: dayOf(config, say, edition.at), time: timeOf(config, say, edition.at) })}</a
        >`
      : html`<span></span>`
  return html`<nav class="pager" aria-label="${say('archive.editions')}">
      ${link(previous, 'archive.previous', 'prev')} ${link(next, 'archive.next', 'next')}
    </nav>
    ${wayOn(say)}`
}

export function wayOn(say: Say): Html {
  return html`<p class="after">
    <a href="${to('/archive')}">${say('archive.all')}</a> · <a href="${to('/')}">${say('archive.subscribe')}</a>
  </p>`
}

// /archive: the editions of which anything was sent, with their stories. Public, and without any person: what is shown is what anybody
// who had chosen everything would have read.

import type { RequestHandler, Response } from 'express'
import { addressOf } from '../../base/addresses.ts'
import type { Config } from '../../base/config.ts'
import { Refusal } from '../../base/errors.ts'
import { countsByCategory, latestArticles, listCategories } from '../../articles/store.ts'
import type { Db } from '../../db/connect.ts'
import type { Article } from '../../db/schema.ts'
import { cleanText } from '../../digests/fragments.ts'
import { safeImage } from '../../digests/story-values.ts'
import { clip } from '../../mails/text.ts'
import { html, type Html, to } from '../html.ts'
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
import { alsoLikeSection, pictureOf, shareRow, storySection } from './story.ts'
import { fullDate, timeOfDay } from './words.ts'

const perPage = 50
const alsoLikeStories = 4
const descriptionLength = 200

export function showArchive(web: WebContext): RequestHandler {
  const { config, db } = web
  return async (request, response) => {
    const at = { before: readId(request.query['before']), after: readId(request.query['after']) }
    const [editions, categories, counts] = await Promise.all([
      listPublicEditions(db, { ...at, limit: perPage }),
      listCategories(db),
      countsByCategory(db),
    ])
    const days = Map.groupBy(editions.items, (edition) => fullDate(config, edition.at))
    sendPage(response, config, {
      title: 'Archive',
      kind: 'page',
      dateLine: fullDate(config, web.clock.now()),
      face: {
        path: at.before ? `/archive?before=${at.before}` : '/archive',
        description: `Every edition of the newsletter of ${config.site.name}, to read on the web.`,
      },
      body: html`<h1>The archive</h1>
        ${feedSentence('/archive')}
        ${categoryNav(categories.map((category) => ({ ...category, count: counts.get(category.id) ?? 0 })))}
        ${
          editions.items.length === 0 &&
          html`<p class="calm">No edition has been sent yet.</p>
            <p class="calm"><a href="${to('/')}">Subscribe</a></p>`
        }
        ${[...days].map(
          ([day, list]) =>
            html`<section class="archive-day">
              <h2>${day}</h2>
              <ul class="plain-list">
                ${list.map((edition) => row(config, edition))}
              </ul>
            </section>`,
        )}
        ${pager('/archive', editions, { newest: editions.items[0]?.id, oldest: editions.items.at(-1)?.id })}`,
    })
  }
}

type ListedEdition = Awaited<ReturnType<typeof listPublicEditions>>['items'][number]

function row(config: Config, { id, at, lead }: ListedEdition): Html {
  const picture = safeImage(config, lead?.imageUrl ?? null)
  return html`<li class="${picture ? 'pictured' : ''}">
    <a href="${to(`/archive/${id}`)}">${lead?.title ?? 'Its stories have been withdrawn'}</a>
    <span class="byline">${timeOfDay(config, at)}</span>
    ${picture && html`<img src="${picture}" alt="" width="80" height="60" loading="lazy" />`}
  </li>`
}

/** For readers who would rather not leave an address. */
export function feedSentence(folder: string): Html {
  return html`<p class="hint feeds">
    Read it without giving an address: <a href="${to(`${folder}/feed.xml`)}">RSS</a>
    <a href="${to(`${folder}/feed.json`)}">JSON Feed</a>
  </p>`
}

export function categoryNav(categories: readonly { slug: string; name: string; count: number }[]): Html | null {
  if (categories.length === 0) return null
  return html`<nav class="sections" aria-label="Categories">
    <ul>
      ${categories.map(
        ({ slug, name, count }) =>
          html`<li>
            <a href="${to(`/archive/${slug}`)}">${name}</a> <span class="count">${count}</span>
            <span class="hush">${count === 1 ? 'story' : 'stories'}</span>
          </li>`,
      )}
    </ul>
  </nav>`
}

/** Links to the pages before and after this one. */
export function pager(
  path: string,
  { hasNewer, hasOlder }: Paged<unknown>,
  ends: { newest: number | undefined; oldest: number | undefined },
): Html | null {
  if (!hasNewer && !hasOlder) return null
  return html`<nav class="pager" aria-label="Pages">
    ${hasNewer ? html`<a href="${to(`${path}?after=${ends.newest}`)}" rel="prev">Newer</a>` : html`<span></span>`}
    ${hasOlder && html`<a href="${to(`${path}?before=${ends.oldest}`)}" rel="next">Older</a>`}
  </nav>`
}

export function showArchivedEdition(web: WebContext): RequestHandler {
  return async (request, response) => {
    const id = readId(request.params['edition'])
    const edition = id && (await findPublicEdition(web.db, id))
    if (!edition) throw new Refusal('not_found', 'There is no such edition in the archive.')
    await sendEdition(web, response, edition)
  }
}

/** `notice`: why a subscriber sees it instead of their own digest; then it isn't indexed. */
export async function sendEdition(
  web: WebContext,
  response: Response,
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
    after: editionNav(config, neighbours),
  }
  sendPage(response, config, {
    ...editionPage(config, edition, page),
    ...(notice ? { isIndexed: false } : { face: editionFace(config, edition, stories) }),
  })
}

/** The page of an edition, whole or as a subscriber got it. `path`: of the public edition, if there is one, to be shared. */
export function editionPage(
  config: Config,
  edition: { at: Date; content: { intro?: string } },
  page: {
    sections: readonly Section[]
    alsoLike: readonly Article[]
    path: string | null
    notice?: string | undefined
    after?: Html
  },
): Page {
  const day = fullDate(config, edition.at)
  const title = `Edition of ${day}`
  const intro = edition.content.intro?.split(/\n\s*\n/).flatMap((paragraph) => cleanText(paragraph) || []) ?? []
  return {
    title,
    kind: 'page',
    dateLine: day,
    body: html`<h1>${title}</h1>
      <p class="deck">${timeOfDay(config, edition.at)}</p>
      ${page.notice && html`<p class="notice">${page.notice}</p>`}
      ${intro.map((paragraph) => html`<p>${paragraph}</p>`)}
      ${page.sections.length === 0 && html`<p class="calm">Its stories have been withdrawn.</p>`}
      ${page.sections.map((section) => storySection(config, section, { isShared: true }))}
      ${alsoLikeSection(config, page.alsoLike)}
      ${page.path !== null && shareRow(config, { title: `${config.site.name}: ${title}`, url: addressOf(config, page.path) })}
      ${page.after}`,
  }
}

function editionFace(config: Config, edition: PublicEdition, stories: readonly Article[]) {
  const titles = stories.map(({ title }) => cleanText(title)).join(' · ')
  return {
    path: `/archive/${edition.id}`,
    description: clip(titles, descriptionLength) || `The newsletter of ${config.site.name}.`,
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

function editionNav(config: Config, { previous, next }: Awaited<ReturnType<typeof neighboursOf>>): Html {
  const link = (edition: PublicEdition | undefined, word: string, rel: string) =>
    edition
      ? html`<a href="${to(`/archive/${edition.id}`)}" rel="${rel}"
          >${word}: ${fullDate(config, edition.at)}, ${timeOfDay(config, edition.at)}</a
        >`
      : html`<span></span>`
  return html`<nav class="pager" aria-label="Editions">
      ${link(previous, 'Previous', 'prev')} ${link(next, 'Next', 'next')}
    </nav>
    <p class="after"><a href="${to('/archive')}">All editions</a> · <a href="${to('/')}">Subscribe</a></p>`
}

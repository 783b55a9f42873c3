// /archive: the editions of which anything was sent, with their stories. Public, and without any person: what is shown is what anybody who
// had chosen everything would have read.

import type { RequestHandler } from 'express'
import { sql } from 'kysely'
import { Refusal } from '../../base/errors.ts'
import type { Db } from '../../db/connect.ts'
import type { Article } from '../../db/schema.ts'
import { html, type Html, to } from '../html.ts'
import { sendPage } from '../layout.ts'
import { readId } from '../path-id.ts'
import { publicEditions } from '../reads/public-editions.ts'
import type { WebContext } from '../web-context.ts'
import { teaser } from './front.ts'
import { fullDate, timeOfDay } from './words.ts'

const perPage = 100

export function showArchive(web: WebContext): RequestHandler {
  return async (request, response) => {
    const editions = await listPublic(web.db, readId(request.query['before']))
    const days = Map.groupBy(editions.slice(0, perPage), (edition) => fullDate(web.config, edition.at))
    sendPage(response, web.config, {
      title: 'Archive',
      kind: 'page',
      dateLine: fullDate(web.config, web.clock.now()),
      body: html`<h1>The archive</h1>
        ${
          editions.length === 0 &&
          html`<p class="calm">No edition has gone out yet. The first one will be here.</p>
            <p class="calm"><a href="${to('/')}">Subscribe</a></p>`
        }
        ${[...days].map(
          ([day, list]) =>
            html`<section class="archive-day">
              <h2>${day}</h2>
              <ul class="plain-list">
                ${list.map(
                  (edition) =>
                    html`<li>
                      <a href="${to(`/archive/${edition.id}`)}">${edition.lead ?? 'Its stories have been withdrawn'}</a>
                      <span class="byline">${timeOfDay(web.config, edition.at)}</span>
                    </li>`,
                )}
              </ul>
            </section>`,
        )}
        ${editions.length > perPage && html`<p><a href="${to(`/archive?before=${editions[perPage - 1]!.id}`)}">Older</a></p>`}`,
    })
  }
}

export function showArchivedEdition(web: WebContext): RequestHandler {
  return async (request, response) => {
    const id = readId(request.params['edition'])
    const edition = id && (await findPublic(web.db, id))
    if (!edition) throw new Refusal('not_found', 'There is no such edition in the archive.')
    const sections = await listStories(web.db, id, web.config.digest.stories)
    sendPage(response, web.config, {
      title: `Edition of ${fullDate(web.config, edition.at)}`,
      kind: 'page',
      dateLine: fullDate(web.config, edition.at),
      body: html`<h1>Edition of ${fullDate(web.config, edition.at)}</h1>
        <p class="deck">${timeOfDay(web.config, edition.at)}</p>
        ${sections.length === 0 && html`<p class="calm">Its stories have been withdrawn.</p>`}
        ${sections.map(
          ([name, stories]): Html =>
            html`<section class="latest">
              <h2 class="section-name">${name}</h2>
              ${stories.map((story, index) => teaser(web.config, story, index === 0))}
            </section>`,
        )}
        <p class="after"><a href="${to('/archive')}">All editions</a> · <a href="${to('/')}">Subscribe</a></p>`,
    })
  }
}

/** One more than a page, to know of the next. */
async function listPublic(db: Db, before: number | undefined) {
  return publicEditions(db)
    .select((eb) =>
      eb
        .selectFrom('editionArticles')
        .innerJoin('articles', 'articles.id', 'editionArticles.articleId')
        .innerJoin('categories', 'categories.id', 'editionArticles.categoryId')
        .select('title')
        .whereRef('editionArticles.editionId', '=', 'editions.id')
        .where('isDropped', '=', false)
        .where('withdrawnAt', 'is', null)
        .where('heldAt', 'is', null)
        .where('sendableAt', 'is not', null)
        .orderBy('editionArticles.position')
        .orderBy('categories.position')
        .limit(1)
        .as('lead'),
    )
    .$if(before !== undefined, (query) => query.where('id', '<', before!))
    .orderBy('createdAt', 'desc')
    .orderBy('id', 'desc')
    .limit(perPage + 1)
    .execute()
}

function findPublic(db: Db, id: number) {
  return publicEditions(db).where('id', '=', id).executeTakeFirst()
}

/** The first stories of each category, as a digest would show them; without what was withdrawn since. */
async function listStories(db: Db, editionId: number, perCategory: number): Promise<[string, Article[]][]> {
  const ranked = db
    .selectFrom('editionArticles')
    .innerJoin('articles', 'articles.id', 'editionArticles.articleId')
    .innerJoin('categories', 'categories.id', 'editionArticles.categoryId')
    .selectAll('articles')
    .select(['categories.name as categoryName', 'categories.position as categoryPosition', 'editionArticles.position'])
    .select(
      sql<number>`row_number() over (partition by edition_articles.category_id order by edition_articles.position)`.as(
        'place',
      ),
    )
    .where('editionId', '=', editionId)
    .where('isDropped', '=', false)
    .where('withdrawnAt', 'is', null)
    .where('heldAt', 'is', null)
    .where('sendableAt', 'is not', null)
  const rows = await db
    .selectFrom(ranked.as('ranked'))
    .selectAll()
    .where('place', '<=', perCategory)
    .orderBy('categoryPosition')
    .orderBy('categoryName')
    .orderBy('place')
    .execute()
  return [...Map.groupBy(rows, (row) => row.categoryName)]
}

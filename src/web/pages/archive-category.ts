// /archive/politics: all stories of a category that readers can see, newest first.

import type { RequestHandler } from 'express'
import { addressOf } from '../../base/addresses.ts'
import { directionOf } from '../../base/direction.ts'
import { Refusal } from '../../base/errors.ts'
import { categoryIn } from '../../articles/category-names.ts'
import { findCategory } from '../../articles/store.ts'
import { html } from '../html.ts'
import { sayFor } from '../language.ts'
import { sendPage } from '../layout.ts'
import { readId } from '../path-id.ts'
import { listCategoryStories } from '../reads/archive.ts'
import type { WebContext } from '../web-context.ts'
import { feedSentence, pager, wayOn } from './archive.ts'
import { pictureOf, shareRow, teaser } from './story.ts'

const perPage = 30

/** A number is an edition, so it goes on to the next route: no slug is without a letter (articles/slugs.ts). */
export function showCategory(web: WebContext): RequestHandler {
  const { config, db } = web
  return async (request, response, next) => {
    const slug = String(request.params['category'])
    if (/^\d*$/.test(slug)) return next('route')
    const say = sayFor(config, request)
    const found = await findCategory(db, slug)
    if (!found || found.retiredAt) throw new Refusal('not_found', say('archive.noCategory'))
    const category = categoryIn(found, say.locale)
    const at = { before: readId(request.query['before']), after: readId(request.query['after']) }
    const stories = await listCategoryStories(db, category.id, { ...at, limit: perPage })
    const path = `/archive/${slug}`
    sendPage(response, config, {
      say,
      title: category.name,
      kind: 'page',
      dateLine: say.date(web.clock.now(), 'day', config.digest.timezone),
      face: {
        path: at.before ? `${path}?before=${at.before}` : path,
        description:
          category.description ||
          say('archive.categoryDescription', { category: category.name, site: config.site.name }),
        picture: pictureOf(config, stories.items),
        category,
      },
      body: html`<h1 dir="${directionOf(category.name, say.dir)}">${category.name}</h1>
        ${
          category.description &&
          html`<p class="deck" dir="${directionOf(category.description, say.dir)}">${category.description}</p>`
        }
        ${feedSentence(say, path)}
        ${stories.items.length === 0 && html`<p class="calm">${say('archive.noStories')}</p>`}
        <section class="latest">
          <h2 class="hush">${say('archive.stories')}</h2>
          ${stories.items.map((story, index) => teaser(config, say, story, { isLead: index === 0 && !at.before, isShared: true }))}
        </section>
        ${pager(say, path, stories, { newest: stories.items[0]?.seq, oldest: stories.items.at(-1)?.seq })}
        ${shareRow(config, say, { title: say('archive.sharedTitle', { site: config.site.name, title: category.name }), url: addressOf(config, path) })}
        ${wayOn(say)}`,
    })
  }
}

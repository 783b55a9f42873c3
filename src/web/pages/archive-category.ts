// /archive/politics: all stories of a category that readers can see, newest first.

import type { RequestHandler } from 'express'
import { addressOf } from '../../base/addresses.ts'
import { Refusal } from '../../base/errors.ts'
import { findCategory } from '../../articles/store.ts'
import { html, to } from '../html.ts'
import { sendPage } from '../layout.ts'
import { readId } from '../path-id.ts'
import { listCategoryStories } from '../reads/archive.ts'
import type { WebContext } from '../web-context.ts'
import { feedSentence, pager } from './archive.ts'
import { pictureOf, shareRow, teaser } from './story.ts'
import { fullDate } from './words.ts'

const perPage = 30

/** A number is an edition, so it goes on to the next route: no slug is without a letter (articles/slugs.ts). */
export function showCategory(web: WebContext): RequestHandler {
  const { config, db } = web
  return async (request, response, next) => {
    const slug = String(request.params['category'])
    if (/^\d*$/.test(slug)) return next('route')
    const category = await findCategory(db, slug)
    if (!category || category.retiredAt)
      throw new Refusal('not_found', 'There is no such edition or category in the archive.')
    const at = { before: readId(request.query['before']), after: readId(request.query['after']) }
    const stories = await listCategoryStories(db, category.id, { ...at, limit: perPage })
    const path = `/archive/${slug}`
    sendPage(response, config, {
      title: category.name,
      kind: 'page',
      dateLine: fullDate(config, web.clock.now()),
      face: {
        path: at.before ? `${path}?before=${at.before}` : path,
        description: category.description || `Stories about ${category.name} in the newsletter of ${config.site.name}.`,
        picture: pictureOf(config, stories.items),
        category,
      },
      body: html`<h1>${category.name}</h1>
        ${category.description && html`<p class="deck">${category.description}</p>`} ${feedSentence(path)}
        ${stories.items.length === 0 && html`<p class="calm">No stories yet.</p>`}
        <section class="latest">
          <h2 class="hush">Stories</h2>
          ${stories.items.map((story, index) => teaser(config, story, { isLead: index === 0 && !at.before, isShared: true }))}
        </section>
        ${pager(path, stories, { newest: stories.items[0]?.seq, oldest: stories.items.at(-1)?.seq })}
        ${shareRow(config, { title: `${config.site.name}: ${category.name}`, url: addressOf(config, path) })}
        <p class="after"><a href="${to('/archive')}">All editions</a> · <a href="${to('/')}">Subscribe</a></p>`,
    })
  }
}

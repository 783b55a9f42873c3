// RSS 2.0 and JSON Feed 1.1 of the stories that readers can see: of all categories, and of each. For people who don't want to give an
// address. Each story is in a feed once, under the id that it keeps. A feed is in the site's language, or in the one of `?lang=`.

import type { Request, RequestHandler } from 'express'
import { Refusal } from '../../base/errors.ts'
import { categoryIn } from '../../articles/category-names.ts'
import { findCategory, latestArticles } from '../../articles/store.ts'
import type { Category } from '../../db/schema.ts'
import { messagesFor, type Say } from '../../messages/messages.ts'
import { askedLanguage } from '../language.ts'
import { listCategoryNames } from '../reads/archive.ts'
import { siteTextsOf } from '../site-texts.ts'
import type { WebContext } from '../web-context.ts'
import { type FeedContent, jsonFeed, rssFeed } from './feed-documents.ts'

const stories = 50

const formats = {
  'feed.xml': { type: 'application/rss+xml; charset=utf-8', write: rssFeed },
  'feed.json': { type: 'application/feed+json; charset=utf-8', write: jsonFeed },
}

/** `/archive/feed.xml`, and with a parameter `category` that category's. */
export function sendFeed(web: WebContext, file: keyof typeof formats): RequestHandler {
  const { type, write } = formats[file]
  const sightings = new Sightings()
  return async (request, response) => {
    const asked = askedLanguage(web.config, request)
    const say = messagesFor(web.config, asked)
    const { tagline } = siteTextsOf(web.config, request, say)
    const category = await categoryOf(web, say, request)
    const language = asked ?? web.config.site.locale
    const content = { ...(await readContent(web, say, category, tagline.text)), language }
    const text = write(web.config, content, `${content.folder}/${file}`)
    response.type(type).set({
      'Cache-Control': 'public, max-age=300',
      // Feed readers on the web are on other sites.
      'Access-Control-Allow-Origin': '*',
      'Cross-Origin-Resource-Policy': 'cross-origin',
      'Content-Language': language,
      'Last-Modified': sightings.since(`${content.folder} ${language}`, text, web.clock.now()).toUTCString(),
    })
    // Express adds the ETag, and answers 304 by either.
    response.send(text)
  }
}

async function categoryOf(web: WebContext, say: Say, request: Request): Promise<Category | null> {
  const slug = request.params['category']
  if (slug === undefined) return null
  const category = await findCategory(web.db, String(slug))
  if (!category || category.retiredAt) throw new Refusal('not_found', say('archive.noCategory'))
  return categoryIn(category, say.locale)
}

async function readContent(
  { config, db }: WebContext,
  say: Say,
  category: Category | null,
  tagline: string,
): Promise<Omit<FeedContent, 'language'>> {
  const items = await latestArticles(db, { limit: stories, ...(category ? { categoryId: category.id } : {}) })
  const names = await listCategoryNames(
    db,
    items.map(({ id }) => id),
    say.locale,
  )
  const { site } = config
  return {
    title: category ? `${category.name} – ${site.name}` : site.name,
    description: category?.description || tagline,
    folder: category ? `/archive/${category.slug}` : '/archive',
    items: items.map((story) => ({ story, categories: names.get(story.id) ?? [] })),
  }
}

/** Since when a feed has its present text, as far as this process has seen. A story that is withdrawn changes a feed without being in
 * it, so no date of its stories tells. Another process may name a later time, never one before the text became what it is. */
class Sightings {
  readonly #seen = new Map<string, { text: string; since: Date }>()

  since(feed: string, text: string, now: Date): Date {
    const before = this.#seen.get(feed)
    if (before?.text === text) return before.since
    this.#seen.set(feed, { text, since: now })
    return now
  }
}

// GET /click?token=…: from a link in a digest to the story, counted where CLICK_COUNTS is on. The token names an article, perhaps
// an edition, and no person, and only a stored article's own link is ever followed, so this can't be used to lead people elsewhere. Links of mails
// that were sent while counting was on keep working when it is off.

import type { RequestHandler } from 'express'
import { countClick } from '../../articles/clicks.ts'
import { refusal } from '../../messages/refusals.ts'
import { siteLink } from '../../base/link-parameters.ts'
import { readStoryLink } from '../../articles/story-url.ts'
import { largestInt } from '../path-id.ts'
import type { WebContext } from '../web-context.ts'

export function followStory(web: WebContext): RequestHandler {
  return async (request, response) => {
    const named = readStoryLink(web.config, request.query['token'], web.clock.now())
    const id = named && named.articleId <= largestInt ? named.articleId : null
    const article = id && (await web.db.selectFrom('articles').select('link').where('id', '=', id).executeTakeFirst())
    if (!article || !/^https?:\/\//i.test(article.link)) throw refusal('not_found', 'common.noStory')
    if (web.config.clickCounts) await countClick(web.db, id)
    response
      .set({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' })
      .redirect(302, siteLink(web.config, article.link, named!.edition))
  }
}

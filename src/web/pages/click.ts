// GET /click?token=…: from a link in a digest to the story, counted where CLICK_COUNTS is on. The token names an article and no
// person, and only a stored article's own link is ever followed, so this can't be used to lead people elsewhere. Links of mails
// that were sent while counting was on keep working when it is off.

import type { RequestHandler } from 'express'
import { countClick } from '../../articles/clicks.ts'
import { Refusal } from '../../base/errors.ts'
import { checkToken } from '../../base/tokens.ts'
import { largestInt, readId } from '../path-id.ts'
import type { WebContext } from '../web-context.ts'

export function followStory(web: WebContext): RequestHandler {
  return async (request, response) => {
    const check = checkToken(web.config.secretKeys, 'click', request.query['token'], web.clock.now())
    const id = check.outcome === 'valid' ? readId(check.id, largestInt) : undefined
    const article = id && (await web.db.selectFrom('articles').select('link').where('id', '=', id).executeTakeFirst())
    if (!article || !/^https?:\/\//i.test(article.link)) throw new Refusal('not_found', 'There is no such story.')
    if (web.config.clickCounts) await countClick(web.db, id)
    response.set({ 'Cache-Control': 'no-store', 'Referrer-Policy': 'no-referrer' }).redirect(302, article.link)
  }
}

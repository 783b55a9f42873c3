// The site's own sentences for the page that answers a request, read once before its route.

import type { Request, RequestHandler } from 'express'
import { type GivenSiteTexts, readSiteTexts, siteTextsIn, type SiteTexts } from '../articles/site-texts.ts'
import type { Config } from '../base/config.ts'
import type { Say } from '../messages/messages.ts'
import { sharedRead } from './pages/shared-read.ts'
import type { WebContext } from './web-context.ts'

const read = new WeakMap<Request, GivenSiteTexts>()
const readTogether = sharedRead(readSiteTexts)

/** To be mounted before the pages. Without a database, pages show the texts of the environment. */
export function readTextsFirst({ db }: Pick<WebContext, 'db'>): RequestHandler {
  return async (request, _response, next) => {
    read.set(request, await readTogether(db).catch(() => ({})))
    next()
  }
}

export function siteTextsOf(config: Config, request: Request, say: Say): SiteTexts {
  return siteTextsIn(config, read.get(request) ?? {}, say.locale)
}

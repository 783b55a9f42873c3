// Which other sites may send the sign-up form and read the answer (Fetch Standard, CORS protocol): those in EMBED_ORIGINS. No cookie
// is involved.

import type { Request, RequestHandler, Response } from 'express'
import type { Config } from '../base/config.ts'

type Site = { site: Pick<Config['site'], 'embedOrigins'> }

export function allowOrigins(config: Site): RequestHandler {
  return (request, response, next) => {
    allow(config, request, response)
    next()
  }
}

/** A browser's preflight request before it sends JSON from another site. A site that isn't listed gets no permission. */
export function answerPreflight(config: Site): RequestHandler {
  return (request, response) => {
    if (allow(config, request, response))
      response.set({
        'Access-Control-Allow-Methods': 'POST',
        'Access-Control-Allow-Headers': 'content-type',
        'Access-Control-Max-Age': '7200',
      })
    response.set('Allow', 'POST, GET, HEAD, OPTIONS').status(204).end()
  }
}

function allow({ site }: Site, request: Request, response: Response): boolean {
  const origin = request.get('Origin')
  response.vary('Origin')
  if (origin === undefined || !site.embedOrigins.includes(origin)) return false
  response.set('Access-Control-Allow-Origin', origin)
  return true
}

/** The page to which a reader returns, if its site is ours or in EMBED_ORIGINS; undefined: none, or another site's. */
export function allowedPage({ site }: Site, page: string | undefined): string | undefined {
  const url = page === undefined || page.length > 400 ? null : URL.parse(page)
  // `blob:https://paper.example/…` has that origin too.
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) return undefined
  return site.embedOrigins.includes(url.origin) ? url.href : undefined
}

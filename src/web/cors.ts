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

/** The browser's question before it sends JSON from another site. One that isn't named gets no permission. */
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

/** The page that a reader returns to, if its site is one of ours or of EMBED_ORIGINS; undefined: none, or another site's. */
export function allowedPage({ site }: Site, page: string | undefined): string | undefined {
  const url = page === undefined || page.length > 400 ? null : URL.parse(page)
  // `blob:https://paper.example/…` has that origin too.
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) return undefined
  return site.embedOrigins.includes(url.origin) ? url.href : undefined
}

// Where a request came in, and how its answer writes addresses. What comes before every route: the path of PUBLIC_URL is taken
// away, so that routes are written without it, and with ADMIN_URL each host answers only what is its own.

import type { Request, RequestHandler, Response } from 'express'
import {
  type Homes,
  homeOf,
  isConsoleApart,
  type Links,
  linksOn,
  ownerOf,
  routeOf,
  type Side,
  sideOf,
} from '../base/addresses.ts'
import type { Refusal } from '../base/errors.ts'
import type { SpeakingConfig } from '../messages/messages.ts'
import { refusal } from '../messages/refusals.ts'
import type { Html } from './html.ts'
import { askedLanguage, withLanguage } from './language.ts'

interface Place {
  side: Side
  links: Links
}

const places = new WeakMap<Request, Place>()

/** To be mounted before everything that answers. */
export function placeRequests(config: { web: Homes } & SpeakingConfig): RequestHandler {
  const sides: Record<Side, Place> = {
    public: { side: 'public', links: linksOn(config, 'public') },
    console: { side: 'console', links: linksOn(config, 'console') },
  }
  return (request, _response, next) => {
    const side = sideOf(config.web, request.host)
    request.url = routeOf(homeOf(config.web, side), request.url)
    const language = askedLanguage(config, request)
    const { links } = sides[side]
    places.set(request, language ? { side, links: (path) => links(withLanguage(path, language)) } : sides[side])
    next()
  }
}

export function sideOfRequest(request: Request): Side {
  return placeOf(request).side
}

/** With ADMIN_URL the console is nowhere but on its host, and that host has nothing else. Its root leads to the console. */
export function onlyOwnSide(config: { web: Homes }): RequestHandler {
  const isApart = isConsoleApart(config.web)
  return (request, response, next) => {
    const owner = ownerOf(request.path)
    const side = sideOfRequest(request)
    if (!isApart || owner === 'shared' || owner === side) return next()
    if (side === 'console' && request.path === '/' && request.method === 'GET') return seeOther(response, '/admin')
    throw nothingAt(request)
  }
}

/** For what no route has. */
export function nothingAt(request: Request): Refusal {
  return refusal('not_found', 'common.nothingAt', { path: request.path.slice(0, 200) })
}

/** How the page that answers this request writes the path of a route: with its `?lang=`, if it came with one. */
export function linksOf(response: Response): Links {
  return placeOf(response.req).links
}

export function sendHtml(response: Response, page: Html): void {
  response.type('html').send(page.text(linksOf(response)))
}

/** 303 to a route of ours, with its query. */
export function seeOther(response: Response, path: string): void {
  response.redirect(303, linksOf(response)(path))
}

function placeOf(request: Request): Place {
  const place = places.get(request)
  if (!place) throw new Error('placeRequests comes before every route.')
  return place
}

// Reading forms, and the guards that pages share.

import express, { type Request, type RequestHandler } from 'express'
import { type FieldProblem, Refusal } from '../base/errors.ts'
import { refusal } from '../messages/refusals.ts'
import { nulsIn } from './text-rules.ts'

const parse = express.urlencoded({ extended: true, limit: '64kb', parameterLimit: 400 })

/** application/x-www-form-urlencoded, at most 64 kB; anything else is refused. `frequency[politics]=daily` becomes an object. */
export const readForm: RequestHandler = (request, response, next) => {
  if (Number(request.headers['content-length'] ?? 0) > 65_536) throw refusal('too_large', 'common.formTooLarge')
  if (!request.is('application/x-www-form-urlencoded')) throw refusal('unsupported_type', 'common.sendAsForm')
  parse(request, response, (error?: unknown) => {
    request.body ??= {}
    const problems = nulsIn(request.body, 'form')
    next(error ?? (problems.length > 0 ? oddCharacter(problems) : undefined))
  })
}

const parseJson = express.json({ limit: '64kb', type: 'application/json' })

/** As readForm, or the same fields as JSON: `{"email": "…", "frequency": {"politics": "daily"}}`. */
export const readFormOrJson: RequestHandler = (request, response, next) => {
  if (!request.is('application/json')) return readForm(request, response, next)
  parseJson(request, response, (error?: unknown) => {
    if (error) return next(error)
    const { body } = request as { body: unknown }
    if (typeof body !== 'object' || body === null || Array.isArray(body))
      return next(new Refusal('invalid', 'Send one JSON object.', [{ field: 'body', message: 'must be one object' }]))
    const problems = nulsIn(body, 'form')
    next(problems.length > 0 ? oddCharacter(problems) : undefined)
  })
}

const oddCharacter = (problems: readonly FieldProblem[]) => refusal('invalid', 'common.oddCharacter', {}, problems)

/** A field's text; undefined if it is missing or repeated. */
export function field(request: Request, name: string): string | undefined {
  const value: unknown = (request.body as Record<string, unknown> | undefined)?.[name]
  return typeof value === 'string' ? value : undefined
}

/** The texts of a field that may be repeated (checkboxes). */
export function fieldList(request: Request, name: string): string[] {
  const value: unknown = (request.body as Record<string, unknown> | undefined)?.[name]
  const list: unknown[] = Array.isArray(value) ? value : [value]
  return list.filter((item): item is string => typeof item === 'string')
}

/** For pages with a token: no resources of other sites, no caching, no referrer. */
export const noForeignResources: RequestHandler = (_request, response, next) => {
  const policy = String(response.get('Content-Security-Policy')).replace(/img-src [^;]+/, "img-src 'self'")
  response.set({
    'Content-Security-Policy': policy,
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
    'X-Robots-Tag': 'noindex',
  })
  next()
}

/** Changes with a cookie must come from our own pages: checked by Fetch Metadata, otherwise by Origin. One of them is required. */
export function sameOriginOnly(home: string): RequestHandler {
  const own = new URL(home).origin
  return (request, _response, next) => {
    const site = request.get('Sec-Fetch-Site')
    const origin = request.get('Origin')
    // A page with no-referrer posts `Origin: null`, even to its own site: then only Sec-Fetch-Site decides.
    const isUnsaid = origin === undefined || (origin === 'null' && site === 'same-origin')
    const isForeignOrigin = !isUnsaid && origin !== own && origin !== `${request.protocol}://${request.get('Host')}`
    const isForeignSite = site !== undefined && site !== 'same-origin' && site !== 'none'
    if (isForeignOrigin || isForeignSite || (site === undefined && origin === undefined))
      throw new Refusal('forbidden', 'This didn’t come from a page of ours. Open the page here and try again.')
    next()
  }
}

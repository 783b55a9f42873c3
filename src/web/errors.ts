// Maps refusals to status codes, and the only error handler. The API answers application/problem+json (RFC 9457), pages a
// sentence. An error that isn't a Refusal is a bug: it is logged with its cause, and the answer is a plain 500 with the request's
// id.

import type { ErrorRequestHandler, Request, Response } from 'express'
import type { Config } from '../base/config.ts'
import { Refusal, type RefusalCode } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { isOutage } from '../db/outage.ts'
import { html, to } from './html.ts'
import { sendPage } from './layout.ts'

export const statusOf: Record<RefusalCode, number> = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  too_large: 413,
  unsupported_type: 415,
  rate_limited: 429,
  unavailable: 503,
}

const titles: Record<RefusalCode, string> = {
  invalid: 'That can’t be taken as it is',
  unauthorized: 'Please sign in',
  forbidden: 'Not allowed',
  not_found: 'Nothing here',
  method_not_allowed: 'Not done here',
  conflict: 'That doesn’t fit the present state',
  too_large: 'Too large',
  unsupported_type: 'Unknown kind of content',
  rate_limited: 'Too many requests',
  unavailable: 'Not now',
}

/** body-parser's and Express's own errors as refusals, and outages of the database. null: a bug of ours. */
export function asRefusal(error: unknown): Refusal | null {
  if (error instanceof Refusal) return error
  const { type, status } = error as { type?: string; status?: number }
  if (type === 'entity.too.large' || type === 'parameters.too.many')
    return new Refusal('too_large', 'The request is larger than this address takes.')
  if (type === 'entity.parse.failed')
    return new Refusal('invalid', 'The body is not valid JSON.', [{ field: 'body', message: 'is not valid JSON' }])
  if (type === 'encoding.unsupported' || type === 'charset.unsupported')
    return new Refusal('unsupported_type', 'Send UTF-8, uncompressed or gzip.')
  if (status === 404) return new Refusal('not_found', 'There is nothing at this address.')
  if (status !== undefined && status >= 400 && status < 500)
    return new Refusal('invalid', 'The request is not well formed.')
  if (isOutage(error))
    return new Refusal(
      'unavailable',
      'Nothing can be looked up or kept at the moment. Please try again in a few minutes.',
    )
  return null
}

/** What a page or the API says about an error, bugs included. */
export function sendProblem(response: Response, refusal: Refusal): void {
  const status = statusOf[refusal.code]
  response
    .status(status)
    .type('application/problem+json')
    .send(
      JSON.stringify({
        type: `urn:broadsheet:problem:${refusal.code}`,
        title: titles[refusal.code],
        status,
        detail: refusal.message,
        ...(refusal.problems.length ? { errors: refusal.problems } : {}),
      }),
    )
}

const wantsProblem = (request: Request): boolean =>
  request.path.startsWith('/api/') || request.accepts(['html', 'json']) === 'json'

export function handleErrors(config: Config, log: Log): ErrorRequestHandler {
  return (error: unknown, request, response, _next) => {
    const refusal = asRefusal(error)
    const isOut = refusal !== error && refusal?.code === 'unavailable'
    if (!refusal || isOut) log.error({ err: error, request: request.id }, 'a request failed')
    if (response.headersSent) {
      response.destroy()
      return
    }
    const isForNow = refusal?.code === 'rate_limited' || refusal?.code === 'unavailable'
    if (isForNow && !response.get('Retry-After')) response.set('Retry-After', '60')
    if (refusal && wantsProblem(request)) return sendProblem(response, refusal)
    const sorry = `Something went wrong on our side. If it lasts, tell us this number: ${String(request.id)}.`
    if (wantsProblem(request)) {
      const problem = { type: 'about:blank', title: 'Internal error', status: 500, detail: sorry }
      response.status(500).type('application/problem+json').send(JSON.stringify(problem))
      return
    }
    const title = refusal ? titles[refusal.code] : 'Something went wrong'
    sendPage(response, config, {
      status: refusal ? statusOf[refusal.code] : 500,
      title,
      isIndexed: false,
      kind: 'quiet',
      body: html`<h1>${title}</h1>
        <p>${refusal?.message ?? sorry}</p>
        ${
          refusal !== null &&
          refusal.problems.length > 0 &&
          html`<ul>
            ${refusal.problems.map((problem) => html`<li><strong>${problem.field}</strong>: ${problem.message}</li>`)}
          </ul>`
        }
        <p><a href="${to('/')}">Back to the front page</a></p>`,
    })
  }
}

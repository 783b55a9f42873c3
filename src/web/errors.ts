// Maps refusals to status codes, and the only error handler. The API answers application/problem+json (RFC 9457), pages a
// sentence. An error that isn't a Refusal is a bug: it is logged with its cause, and the answer is a plain 500 with the request's
// id.

import type { ErrorRequestHandler, Request, Response } from 'express'
import type { Config } from '../base/config.ts'
import { Refusal, type RefusalCode } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { isOutage } from '../db/outage.ts'
import type { Key } from '../messages/english.ts'
import { messagesFor, type Say } from '../messages/messages.ts'
import { refusal as refuse, wordsOf } from '../messages/refusals.ts'
import { sayFor, setLanguage } from './language.ts'
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

const titles: Record<RefusalCode, Key> = {
  invalid: 'common.titleInvalid',
  unauthorized: 'common.titleUnauthorized',
  forbidden: 'common.titleForbidden',
  not_found: 'common.titleNotFound',
  method_not_allowed: 'common.titleMethod',
  conflict: 'common.titleConflict',
  too_large: 'common.titleTooLarge',
  unsupported_type: 'common.titleUnsupported',
  rate_limited: 'common.titleRateLimited',
  unavailable: 'common.titleUnavailable',
}

/** body-parser's and Express's own errors as refusals, and outages of the database. null: a bug of ours. */
export function asRefusal(error: unknown): Refusal | null {
  if (error instanceof Refusal) return error
  const { type, status } = error as { type?: string; status?: number }
  if (type === 'entity.too.large' || type === 'parameters.too.many')
    return refuse('too_large', 'common.requestTooLarge')
  if (type === 'entity.parse.failed')
    return new Refusal('invalid', 'The body is not valid JSON.', [{ field: 'body', message: 'is not valid JSON' }])
  if (type === 'encoding.unsupported' || type === 'charset.unsupported')
    return new Refusal('unsupported_type', 'Send UTF-8, uncompressed or gzip.')
  if (status === 404) return refuse('not_found', 'common.nothingAtAddress')
  if (status !== undefined && status >= 400 && status < 500) return refuse('invalid', 'common.notWellFormed')
  if (isOutage(error)) return refuse('unavailable', 'common.outage')
  return null
}

/** RFC 9457. The API says it in English; a form that answers in place says it in the reader's language. */
export function sendProblem(response: Response, refusal: Refusal, say: Say): void {
  const status = statusOf[refusal.code]
  response
    .status(status)
    .type('application/problem+json')
    .send(
      JSON.stringify({
        type: `urn:broadsheet:problem:${refusal.code}`,
        title: say(titles[refusal.code]),
        status,
        detail: wordsOf(say, refusal),
        ...(refusal.problems.length > 0 && {
          errors: refusal.problems.map((problem) => ({ field: problem.field, message: wordsOf(say, problem) })),
        }),
      }),
    )
}

const wantsProblem = (request: Request): boolean =>
  request.path.startsWith('/api/') || request.accepts(['html', 'json']) === 'json'

/** The console and the API are in English. */
const isForReaders = (request: Request): boolean => !/^\/(?:api|admin|inbound|websub)(?:\/|$)/.test(request.path)

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
    const say = isForReaders(request) ? sayFor(config, request) : messagesFor(config, 'en')
    if (isForReaders(request)) setLanguage(response, say)
    if (refusal && wantsProblem(request)) return sendProblem(response, refusal, say)
    const sorry = say('common.bug', { id: String(request.id) })
    if (wantsProblem(request)) {
      const problem = { type: 'about:blank', title: 'Internal error', status: 500, detail: sorry }
      response.status(500).type('application/problem+json').send(JSON.stringify(problem))
      return
    }
    const title = say(refusal ? titles[refusal.code] : 'common.titleBug')
    sendPage(response, config, {
      status: refusal ? statusOf[refusal.code] : 500,
      say,
      title,
      isIndexed: false,
      kind: 'quiet',
      body: html`<h1>${title}</h1>
        <p>${refusal ? wordsOf(say, refusal) : sorry}</p>
        ${
          refusal !== null &&
          refusal.problems.length > 0 &&
          html`<ul>
            ${refusal.problems.map((problem) => html`<li><strong>${problem.field}</strong>: ${wordsOf(say, problem)}</li>`)}
          </ul>`
        }
        <p><a href="${to('/')}">${say('common.backToFrontPage')}</a></p>`,
    })
  }
}

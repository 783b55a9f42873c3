// /unsubscribe: GET shows one button. POST unsubscribes at once, whether a person pressed it or a mail program did (RFC 8058): no
// cookie, no redirect, and for a mail program 200 even when the token is unknown, as it can do nothing with a refusal. The answer
// offers the undo, and asks for a reason (after-unsubscribe.ts).

import express, { type Request, type RequestHandler, type Response } from 'express'
import type { Subscriber } from '../../db/schema.ts'
import { maskAddress } from '../../base/email-address.ts'
import { editionOfLink, readLink, unsubscribeReasonToken, unsubscribeToken } from '../../subscribers/links.ts'
import { findSubscriber } from '../../subscribers/store.ts'
import { unsuppressedStatus } from '../../subscribers/standing.ts'
import { canReturn, isLinkOf, resubscribeByLink, unsubscribe } from '../../subscribers/unsubscribe.ts'
import { html, type Html, to } from '../html.ts'
import type { Say } from '../../messages/messages.ts'
import { sayFor } from '../language.ts'
import { sendPage, type Page } from '../layout.ts'
import type { WebContext } from '../web-context.ts'
import { nextDigest } from './confirm.ts'
import { askReason, undo } from './after-unsubscribe.ts'
import { linkByAddress, message, oneButton, originOf, sendForged, sendOver, toFrontPage, tokenOf } from './links.ts'

export function showUnsubscribe(web: WebContext): RequestHandler {
  return async (request, response) => {
    const token = tokenOf(request)
    const link = readLink(web.config, 'unsubscribe', token, web.clock.now())
    if (link.outcome === 'forged') return sendForged(response, web.config)
    const subscriber = await findSubscriber(web.db, link.id)
    const say = sayFor(web.config, request, subscriber)
    // A suppressed subscriber may still unsubscribe: it counts when the suppression ends.
    if (!subscriber || !['active', 'pending'].includes(await unsuppressedStatus(web.db, subscriber)))
      return sendPage(response, web.config, farewell(say, subscriber, offerMail(web, say, subscriber, token!)))
    sendPage(
      response,
      web.config,
      message(
        say,
        say('preferences.unsubscribeAsk'),
        say('preferences.noMore', { email: maskAddress(subscriber.email) }),
        html`${oneButton('/unsubscribe', token!, say('preferences.unsubscribe'), { edition: editionOfLink(request.query['e']) })}
          <p class="hint">
            ${say.rich('preferences.fewerEnough', {
              a: (within) => html`<a href="${to('/preferences')}">${within}</a>`,
            })}
          </p>`,
      ),
    )
  }
}

/** Any body up to 16 kB: what mail programs send is urlencoded or multipart. */
export const readOneClick = express.raw({ type: () => true, limit: '16kb' })

export function takeUnsubscribe(web: WebContext): RequestHandler {
  return async (request, response) => {
    const body = await readFields(request)
    const isOneClick = body.get('list-unsubscribe')?.toLowerCase() === 'one-click'
    const token = body.get('token') ?? tokenOf(request)
    const link = readLink(web.config, 'unsubscribe', token, web.clock.now())
    const way = isOneClick ? 'one-click' : 'page'
    const editionId = editionOfLink(body.get('e') ?? request.query['e'])
    const how = { way, origin: originOf(request), editionId } as const
    const subscriber = link.outcome === 'forged' ? undefined : await unsubscribe(web, link.id, how)
    if (isOneClick) {
      response.set('Cache-Control', 'no-store').type('text').send('This address gets no more digests.\n')
      return
    }
    if (link.outcome === 'forged') return sendForged(response, web.config)
    const say = sayFor(web.config, request, subscriber)
    // The undo is offered by this one answer. Later ones are read by anyone who has the link, years after it was mailed.
    const wayOn = subscriber?.isNow
      ? html`${undo(web, say, subscriber)}
        ${askReason(say, unsubscribeReasonToken(web.config, subscriber.unsubscribeId!, web.clock.now()))}`
      : offerMail(web, say, subscriber, token!)
    sendPage(response, web.config, {
      ...farewell(say, subscriber, wayOn),
      here: `/unsubscribe?token=${encodeURIComponent(String(token))}`,
    })
  }
}

/** The button of the goodbye mail. */
export function showUndo(web: WebContext): RequestHandler {
  return async (request, response) => {
    const token = tokenOf(request)
    const link = readLink(web.config, 'resubscribe', token, web.clock.now())
    if (link.outcome === 'forged') return sendForged(response, web.config)
    const subscriber = link.outcome === 'valid' ? await findSubscriber(web.db, link.id) : undefined
    if (!subscriber || !isLinkOf(link, subscriber) || !canReturn(subscriber, web.clock.now()))
      return sendNotUndone(web, response)
    const say = sayFor(web.config, request, subscriber)
    sendPage(
      response,
      web.config,
      message(
        say,
        say('preferences.againTitle'),
        say('preferences.againWhat', { email: maskAddress(subscriber.email) }),
        oneButton('/unsubscribe/undo', token!, say('preferences.againYes')),
      ),
    )
  }
}

export function takeUndo(web: WebContext): RequestHandler {
  return async (request, response) => {
    const link = readLink(web.config, 'resubscribe', tokenOf(request), web.clock.now())
    if (link.outcome === 'forged') return sendForged(response, web.config)
    const subscriber = link.outcome === 'valid' ? await resubscribeByLink(web, link, originOf(request)) : undefined
    const say = sayFor(web.config, request, subscriber)
    if (subscriber?.status === 'suppressed') return sendPage(response, web.config, suppressedPage(say, subscriber))
    if (subscriber?.status !== 'active') return sendNotUndone(web, response)
    sendPage(
      response,
      web.config,
      message(
        say,
        say('preferences.againDone'),
        say('preferences.againChoices'),
        html`${nextDigest(web.config, say, subscriber)}
        ${oneButton('/unsubscribe', unsubscribeToken(web.config, subscriber.id), say('preferences.afterAll'), { isQuiet: true })}`,
      ),
    )
  }
}

function sendNotUndone(web: WebContext, response: Response): void {
  const say = sayFor(web.config, response.req)
  sendOver(response, web.config, { what: say('preferences.undoOver'), wayOn: linkByAddress(say) })
}

/** For anyone who undoes an unsubscribe while the address must not be mailed. */
function suppressedPage(say: Say, subscriber: Subscriber): Page {
  return message(
    say,
    say('preferences.suppressedTitle'),
    say('preferences.suppressed', { email: maskAddress(subscriber.email) }),
    html`<p>${say('preferences.suppressedKept')}</p>
      <p><a href="${to('/')}">${say('preferences.anotherAddress')}</a></p>`,
  )
}

function farewell(say: Say, subscriber: Subscriber | undefined, wayBack: Html): Page {
  const text = subscriber
    ? say('preferences.noMore', { email: maskAddress(subscriber.email) })
    : say('preferences.noMoreThis')
  return message(say, say('preferences.unsubscribedTitle'), text, html`${wayBack} ${toFrontPage(say)}`)
}

/** The link is in every mail that was ever forwarded, so it only causes a mail to its subscriber. */
function offerMail(web: WebContext, say: Say, subscriber: Subscriber | undefined, token: string): Html {
  if (!subscriber || !canReturn(subscriber, web.clock.now())) return html``
  return html`<p>${say('preferences.mistakeMail')}</p>
    ${oneButton('/preferences/link', token, say('preferences.mailALink'), { isQuiet: true })}`
}

/** Names in lower case. What can't be read counts as empty: the token of a one-click is in the address. */
async function readFields(request: Request): Promise<Map<string, string>> {
  const bytes: unknown = request.body
  if (!Buffer.isBuffer(bytes)) return new Map()
  try {
    const type = request.get('Content-Type') ?? 'application/x-www-form-urlencoded'
    const form = await new globalThis.Response(new Uint8Array(bytes), { headers: { 'Content-Type': type } }).formData()
    return new Map(
      [...form].flatMap(([name, value]) => (typeof value === 'string' ? [[name.toLowerCase(), value.trim()]] : [])),
    )
  } catch {
    const isOneClick = /list-unsubscribe[^]{0,40}one-click/i.test(bytes.toString('latin1'))
    return new Map(isOneClick ? [['list-unsubscribe', 'One-Click']] : [])
  }
}

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
    // A suppressed subscriber may still unsubscribe: it counts when the suppression ends.
    if (!subscriber || !['active', 'pending'].includes(await unsuppressedStatus(web.db, subscriber)))
      return sendPage(response, web.config, farewell(subscriber, offerMail(web, subscriber, token!)))
    sendPage(
      response,
      web.config,
      message(
        'Unsubscribe?',
        `${maskAddress(subscriber.email)} won’t receive any more digests.`,
        html`${oneButton('/unsubscribe', token!, 'Unsubscribe', { edition: editionOfLink(request.query['e']) })}
          <p class="hint">
            Would fewer mails be enough? <a href="${to('/preferences')}">Manage preferences</a>: fewer categories,
            weekly instead of daily, or a pause.
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
    // The undo is offered by this one answer. Later ones are read by anyone who has the link, years after it was mailed.
    const wayOn = subscriber?.isNow
      ? html`${undo(web, subscriber)}
        ${askReason(unsubscribeReasonToken(web.config, subscriber.unsubscribeId!, web.clock.now()))}`
      : offerMail(web, subscriber, token!)
    sendPage(response, web.config, farewell(subscriber, wayOn))
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
    sendPage(
      response,
      web.config,
      message(
        'Subscribe again?',
        `${maskAddress(subscriber.email)} would receive digests again, with all choices as they were.`,
        oneButton('/unsubscribe/undo', token!, 'Yes, undo the unsubscribe'),
      ),
    )
  }
}

export function takeUndo(web: WebContext): RequestHandler {
  return async (request, response) => {
    const link = readLink(web.config, 'resubscribe', tokenOf(request), web.clock.now())
    if (link.outcome === 'forged') return sendForged(response, web.config)
    const subscriber = link.outcome === 'valid' ? await resubscribeByLink(web, link, originOf(request)) : undefined
    if (subscriber?.status === 'suppressed') return sendPage(response, web.config, suppressedPage(subscriber))
    if (subscriber?.status !== 'active') return sendNotUndone(web, response)
    sendPage(
      response,
      web.config,
      message(
        'You are subscribed again',
        'All your choices are as they were.',
        html`${nextDigest(web.config, subscriber)}
        ${oneButton('/unsubscribe', unsubscribeToken(web.config, subscriber.id), 'Undo: unsubscribe after all', { isQuiet: true })}`,
      ),
    )
  }
}

function sendNotUndone(web: WebContext, response: Response): void {
  sendOver(response, web.config, {
    what: 'An unsubscribe can be undone once, for thirty days.',
    wayOn: linkByAddress(),
  })
}

/** For anyone who undoes an unsubscribe while the address must not be mailed. */
function suppressedPage(subscriber: Subscriber): Page {
  return message(
    'We can’t send mail to this address',
    `The unsubscribe is undone. But ${maskAddress(subscriber.email)} is on our suppression list: its mail server refused our mail permanently, or we were asked not to write to it.`,
    html`<p>Your choices are kept. You won’t receive digests until the address is removed from that list.</p>
      <p><a href="${to('/')}">Sign up with another address</a></p>`,
  )
}

function farewell(subscriber: Subscriber | undefined, wayBack: Html): Page {
  const who = subscriber ? maskAddress(subscriber.email) : 'This address'
  return message('You are unsubscribed', `${who} won’t receive any more digests.`, html`${wayBack} ${toFrontPage}`)
}

/** The link is in every mail that was ever forwarded, so it only causes a mail to its subscriber. */
function offerMail(web: WebContext, subscriber: Subscriber | undefined, token: string): Html {
  if (!subscriber || !canReturn(subscriber, web.clock.now())) return html``
  return html`<p>Was that a mistake? We can mail you a link that undoes it.</p>
    ${oneButton('/preferences/link', token, 'Mail me a link', { isQuiet: true })}`
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

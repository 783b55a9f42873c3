// /unsubscribe: GET shows one button. POST leaves, at once, whether a person pressed it or a mail program did (RFC 8058): no
// cookie, no redirect, and for a mail program 200 even when the token is unknown, as it can do nothing with a refusal.

import express, { type Request, type RequestHandler } from 'express'
import type { Subscriber } from '../../db/schema.ts'
import { maskAddress } from '../../base/email-address.ts'
import { readLink, resubscribeToken } from '../../subscribers/links.ts'
import { findSubscriber } from '../../subscribers/store.ts'
import { standingOf } from '../../subscribers/standing.ts'
import { canReturn, resubscribeByLink, unsubscribe } from '../../subscribers/unsubscribe.ts'
import { html, type Html, to } from '../html.ts'
import { sendPage, type Page } from '../layout.ts'
import type { WebContext } from '../web-context.ts'
import { nextDigest } from './confirm.ts'
import { linkByAddress, message, oneButton, originOf, sendForged, sendOver, toFrontPage, tokenOf } from './links.ts'

export function showUnsubscribe(web: WebContext): RequestHandler {
  return async (request, response) => {
    const token = tokenOf(request)
    const link = readLink(web.config, 'unsubscribe', token, web.clock.now())
    if (link.outcome === 'forged') return sendForged(response, web.config)
    const subscriber = await findSubscriber(web.db, link.id)
    // Who is on the suppression list may still unsubscribe: it counts when the list lets them go.
    if (!subscriber || !['active', 'pending'].includes(await standingOf(web.db, subscriber)))
      return sendPage(response, web.config, farewell(subscriber, offerMail(web, subscriber, token!)))
    sendPage(
      response,
      web.config,
      message(
        'Unsubscribe?',
        `${maskAddress(subscriber.email)} gets no more digests from the moment you press this.`,
        oneButton('/unsubscribe', token!, 'Unsubscribe'),
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
    const subscriber =
      link.outcome === 'forged' ? undefined : await unsubscribe(web, link.id, { way, origin: originOf(request) })
    if (isOneClick) {
      response.set('Cache-Control', 'no-store').type('text').send('This address gets no more digests.\n')
      return
    }
    if (link.outcome === 'forged') return sendForged(response, web.config)
    // The undo is offered by this one answer. Later ones are read by whoever has the link, years after it was mailed.
    const wayBack = subscriber?.isNow ? undo(web, subscriber) : offerMail(web, subscriber, token!)
    sendPage(response, web.config, farewell(subscriber, wayBack))
  }
}

export function takeReturn(web: WebContext): RequestHandler {
  return async (request, response) => {
    const link = readLink(web.config, 'resubscribe', tokenOf(request), web.clock.now())
    if (link.outcome === 'forged') return sendForged(response, web.config)
    const subscriber = link.outcome === 'valid' ? await resubscribeByLink(web, link, originOf(request)) : undefined
    if (subscriber?.status === 'suppressed') return sendPage(response, web.config, suppressedPage(subscriber))
    if (subscriber?.status !== 'active')
      return sendOver(response, web.config, {
        what: 'An unsubscribe can be taken back once, for thirty days.',
        wayOn: linkByAddress(),
      })
    sendPage(response, web.config, message('As if nothing had happened', '', nextDigest(web.config, subscriber)))
  }
}

/** For who takes back an unsubscribe while the address must not be mailed. */
function suppressedPage(subscriber: Subscriber): Page {
  return message(
    'No mail comes to this address',
    `Your wish to get the newsletter again is noted. But ${maskAddress(subscriber.email)} is on our list of addresses that get no mail: its mail server refused ours for good, or somebody asked us not to write to it.`,
    html`<p>Your choices are kept. Digests come again once the address is off that list; until then nothing is sent.</p>
      <p><a href="${to('/')}">Sign up with another address</a></p>`,
  )
}

function farewell(subscriber: Subscriber | undefined, wayBack: Html): Page {
  const text = `No more digests come${subscriber ? ` to ${maskAddress(subscriber.email)}` : ''}.`
  return message('Unsubscribed', text, html`${wayBack} ${toFrontPage}`)
}

function undo(web: WebContext, subscriber: Subscriber): Html {
  if (!canReturn(subscriber, web.clock.now())) return html``
  const token = resubscribeToken(web.config, subscriber, subscriber.unsubscribedAt!)
  return html`<p>By mistake? You can take it back for thirty days, with everything as it was.</p>
    ${oneButton('/unsubscribe/undo', token, 'Undo', { isQuiet: true })}`
}

/** The link is in every mail that was ever forwarded, so it only gets its subscriber a mail. */
function offerMail(web: WebContext, subscriber: Subscriber | undefined, token: string): Html {
  if (!subscriber || !canReturn(subscriber, web.clock.now())) return html``
  return html`<p>By mistake? Then we mail you a link by which you can take it back.</p>
    ${oneButton('/preferences/link', token, 'Mail me a link', { isQuiet: true })}`
}

/** Names in lower case. What can't be read counts as empty: the token of a one-click is in the address. */
async function readFields(request: Request): Promise<Map<string, string>> {
  const bytes: unknown = request.body
  if (!Buffer.isBuffer(bytes)) return new Map()
  try {
    const type = request.get('Content-Type') ?? 'application/x-www-form-urlencoded'
    const form = await new Response(new Uint8Array(bytes), { headers: { 'Content-Type': type } }).formData()
    return new Map(
      [...form].flatMap(([name, value]) => (typeof value === 'string' ? [[name.toLowerCase(), value.trim()]] : [])),
    )
  } catch {
    const isOneClick = /list-unsubscribe[^]{0,40}one-click/i.test(bytes.toString('latin1'))
    return new Map(isOneClick ? [['list-unsubscribe', 'One-Click']] : [])
  }
}

// /preferences and what hangs on it: the choice, the hour, a pause, another address, my data, erasure. The signed link is the
// only key; without one the page asks for an address and mails it there. GET shows; every change is a POST that comes back here by redirect, so that reloading repeats nothing.

import type { Request, RequestHandler, Response } from 'express'
import { Refusal } from '../../base/errors.ts'
import { takePlace } from '../../db/rate-limits.ts'
import type { Subscriber } from '../../db/schema.ts'
import { listCategories } from '../../articles/store.ts'
import { readChoices, readTimezone } from '../../subscribers/choices.ts'
import { requestAddressChange } from '../../subscribers/address-change.ts'
import { eraseSubscriber } from '../../subscribers/erase.ts'
import { endOlderLinks } from '../../subscribers/generation.ts'
import { readLink } from '../../subscribers/links.ts'
import { personalData } from '../../subscribers/personal-data.ts'
import { changePreferences, readLocale, readNumber, type PreferenceChanges } from '../../subscribers/preferences.ts'
import { findSubscriber, listSubscriptions } from '../../subscribers/store.ts'
import { readPause } from '../../subscribers/subscriptions.ts'
import { statusOf } from '../errors.ts'
import { html, to } from '../html.ts'
import { sendPage } from '../layout.ts'
import type { WebContext } from '../web-context.ts'
import { message, oneButton, originOf, sendEnded, sendForged, sendOver, tokenOf } from './links.ts'
import { preferencesPage, type Notice } from './preferences-form.ts'
import { mailLinkByAddress, sendAskForLink } from './preferences-link.ts'
import { seeOther } from '../place.ts'

const notices: Record<string, Notice> = {
  saved: 'Saved.',
  address: 'A mail is on its way to the new address. Press its button to finish the move.',
}

export function showPreferences(web: WebContext): RequestHandler {
  return async (request, response) => {
    if (request.query['token'] === undefined) return sendAskForLink(web, response)
    const opened = await open(web, request, response)
    if (!opened) return
    const done = request.query['done']
    await sendPreferences(web, response, opened, { notice: typeof done === 'string' ? notices[done] : undefined })
  }
}

export function savePreferences(web: WebContext): RequestHandler {
  return async (request, response) => {
    if (tokenOf(request) === undefined && Object.hasOwn(request.body as object, 'email'))
      return mailLinkByAddress(web, request, response)
    const opened = await open(web, request, response)
    if (!opened) return
    const { token, subscriber } = opened
    await orShowAgain(web, request, response, opened, async () => {
      const changes = await readChanges(web, request, subscriber)
      await changePreferences(web, subscriber.id, changes, originOf(request))
      seeOther(response, `/preferences?token=${token}&done=saved`)
    })
  }
}

/** What a form says, and nothing about what it doesn't have. */
async function readChanges(web: WebContext, request: Request, subscriber: Subscriber): Promise<PreferenceChanges> {
  const body = request.body as Record<string, unknown>
  const has = (name: string) => Object.hasOwn(body, name)
  const changes: PreferenceChanges = {}
  if (has('frequency')) changes.choices = readChoices(body['frequency'], await listCategories(web.db))
  if (has('order')) changes.order = readOrder(body['order'])
  if (has('hour')) changes.sendHour = readNumber('hour', body['hour'], 0, 23)
  if (has('weekday')) changes.weeklyDay = readNumber('weekday', body['weekday'], 1, 7)
  if (has('monthday')) changes.monthlyDay = readNumber('monthday', body['monthday'], 1, 31)
  if (has('timezone')) changes.timezone = readTimezone(body['timezone'])
  if (has('language')) changes.locale = readLocale(body['language'])
  if (has('paused_until')) {
    const timezone = (changes.timezone === undefined ? subscriber.timezone : changes.timezone) ?? null
    changes.pausedUntil = readPause(web.config, body['paused_until'], timezone, web.clock.now())
  }
  return changes
}

/** {slug: place} → slugs. The form lists them in the order that holds, so a place that differs from its line was chosen just now:
 * where two claim one place, the one that moved gets it. */
function readOrder(given: unknown): string[] {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new Refusal('invalid', 'Say a place for each category.', [{ field: 'order', message: 'must be places.' }])
  return Object.entries(given)
    .map(([slug, place], index) => {
      const wanted = readNumber(`order[${slug.slice(0, 60)}]`, place, 1, 1000) ?? index + 1
      return { slug, place: wanted + Math.sign(wanted - index - 1) / 2 }
    })
    .toSorted((a, b) => a.place - b.place)
    .map(({ slug }) => slug)
}

export function takeAddress(web: WebContext): RequestHandler {
  return async (request, response) => {
    const opened = await open(web, request, response)
    if (!opened) return
    await orShowAgain(web, request, response, opened, async () => {
      await takePlace(web, 'link', request.ip ?? null)
      await requestAddressChange(web, opened.subscriber.id, (request.body as Record<string, unknown>)['new_email'])
      seeOther(response, `/preferences?token=${opened.token}&done=address`)
    })
  }
}

export function takeErasure(web: WebContext): RequestHandler {
  return async (request, response) => {
    const opened = await open(web, request, response)
    if (!opened) return
    await orShowAgain(web, request, response, opened, async () => {
      if ((request.body as Record<string, unknown>)['erase'] !== 'yes')
        throw new Refusal('invalid', 'Erasing needs your confirmation.', [
          { field: 'erase', message: 'Tick the box to confirm; it can’t be taken back.' },
        ])
      await eraseSubscriber(web, opened.subscriber.id)
      sendPage(response, web.config, {
        title: 'Erased',
        kind: 'quiet',
        isIndexed: false,
        body: html`<h1>Everything is erased</h1>
          <p class="deck">Your address, your choices and what you were sent are gone.</p>
          <p>
            Only a keyed fingerprint of the address stays, from which nobody can read it, so that no old list brings you
            back. You can sign up again whenever you like.
          </p>
          <p><a href="${to('/')}">To the front page</a></p>`,
      })
    })
  }
}

export function sendMyData(web: WebContext): RequestHandler {
  return async (request, response) => {
    const opened = await open(web, request, response)
    if (!opened) return
    response
      .attachment('my-newsletter-data.json')
      .type('json')
      .send(JSON.stringify(await personalData(web.db, opened.subscriber.id), null, 2))
  }
}

/** Ends this link too: the new one goes to the mailbox, not to whoever has this page. */
export function endLinks(web: WebContext): RequestHandler {
  return async (request, response) => {
    const opened = await open(web, request, response)
    if (!opened) return
    await endOlderLinks(web, opened.subscriber.id, { isMailed: true })
    sendPage(
      response,
      web.config,
      message(
        'All older links have ended',
        `A new link is on its way to ${opened.subscriber.email}. By the old ones you can only unsubscribe.`,
      ),
    )
  }
}

interface Opened {
  token: string
  subscriber: Subscriber
}

/** Who the link belongs to; otherwise answers with a page, and undefined. */
async function open(web: WebContext, request: Request, response: Response): Promise<Opened | undefined> {
  const token = tokenOf(request)
  const link = readLink(web.config, 'preferences', token, web.clock.now())
  const subscriber = link.outcome === 'forged' ? undefined : await findSubscriber(web.db, link.id)
  if (link.outcome === 'forged') sendForged(response, web.config)
  else if (!subscriber) sendOver(response, web.config, { what: 'There is no subscription behind it any more.' })
  else if (subscriber.generation !== link.generation) sendEnded(response, web.config)
  else if (link.outcome === 'expired')
    sendOver(response, web.config, {
      what: 'It worked for ninety days.',
      wayOn: oneButton('/preferences/link', token!, 'Mail me a new link'),
    })
  else if (subscriber.status === 'suppressed')
    sendOver(response, web.config, { what: 'No mail goes to the address of this subscription.' })
  else return { token: token!, subscriber }
  return undefined
}

async function orShowAgain(
  web: WebContext,
  request: Request,
  response: Response,
  opened: Opened,
  act: () => Promise<void>,
): Promise<void> {
  try {
    await act()
  } catch (refusal) {
    if (!(refusal instanceof Refusal) || refusal.code !== 'invalid') throw refusal
    if (request.accepts(['html', 'json']) === 'json') throw refusal
    await sendPreferences(web, response, opened, { refusal })
  }
}

async function sendPreferences(
  web: WebContext,
  response: Response,
  opened: Opened,
  options: { notice?: Notice | undefined; refusal?: Refusal },
): Promise<void> {
  const [categories, lines] = await Promise.all([
    listCategories(web.db),
    listSubscriptions(web.db, opened.subscriber.id),
  ])
  sendPage(
    response,
    web.config,
    preferencesPage(
      web,
      { ...opened, ...options, categories, lines, now: web.clock.now() },
      options.refusal && statusOf.invalid,
    ),
  )
}

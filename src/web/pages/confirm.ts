// /confirm: GET shows one button, POST does it. A used link shows what holds today.

import type { RequestHandler } from 'express'
import type { Config } from '../../base/config.ts'
import type { Context } from '../../db/context.ts'
import type { Subscriber } from '../../db/schema.ts'
import { confirm, lookAtConfirmation } from '../../subscribers/confirm.ts'
import { preferencesToken } from '../../subscribers/links.ts'
import { listSubscriptions } from '../../subscribers/store.ts'
import { html, type Html } from '../html.ts'
import { sendPage } from '../layout.ts'
import type { WebContext } from '../web-context.ts'
import { oneButton, originOf, sendDeadLink, tokenOf } from './links.ts'
import { dateAndTime, frequencyNames } from './words.ts'

const tooOld = {
  what: 'A confirmation works for seven days.',
  wayOn: html`<p><a class="main" href="/">Sign up again</a></p>
    <p>It takes a minute, and a new mail comes at once.</p>`,
}

export function showConfirmation(web: WebContext): RequestHandler {
  return async (request, response) => {
    const token = tokenOf(request)
    const look = await lookAtConfirmation(web, token)
    if (look.outcome === 'used') return sendPage(response, web.config, await today(web, look.subscriber, 'Used before'))
    if (look.outcome !== 'open') return sendDeadLink(response, web.config, look.outcome, tooOld)
    sendPage(response, web.config, {
      title: 'Confirm your subscription',
      kind: 'quiet',
      isIndexed: false,
      body: html`<h1>One press and it’s yours</h1>
        <p class="deck">${look.subscriber.email} asked for the newsletter of ${web.config.site.name}.</p>
        ${oneButton('/confirm', token!, 'Confirm my subscription')}
        <p class="hint">It wasn’t you? Then close this page: nothing will come.</p>`,
    })
  }
}

export function takeConfirmation(web: WebContext): RequestHandler {
  return async (request, response) => {
    const result = await confirm(web, tokenOf(request), originOf(request))
    if (result.outcome === 'forged' || result.outcome === 'expired')
      return sendDeadLink(response, web.config, result.outcome, tooOld)
    const title = result.outcome === 'confirmed' ? 'Welcome' : 'Used before'
    sendPage(response, web.config, await today(web, result.subscriber, title))
  }
}

async function today(web: Context, subscriber: Subscriber, title: string) {
  const lines = await listSubscriptions(web.db, subscriber.id)
  const isActive = subscriber.status === 'active'
  return {
    title,
    kind: 'quiet',
    isIndexed: false,
    body: html`<h1>${title === 'Welcome' ? 'You’re in' : 'This link has been used'}</h1>
      ${
        isActive
          ? html`${nextDigest(web.config, subscriber)}
              <ul class="plain-list">
                ${lines.map(
                  (line) =>
                    html`<li>
                      <span class="caps">${line.name}</span> ${frequencyNames[line.frequency].toLowerCase()}
                    </li>`,
                )}
              </ul>
              ${preferencesLink(web, subscriber)}`
          : html`<p class="deck">This subscription isn’t active any more, so nothing comes.</p>
              <p><a class="main" href="/">Sign up again</a></p>`
      }`,
  }
}

/** When mail comes next, or why none does. */
export function nextDigest(config: Config, subscriber: Subscriber): Html {
  if (!subscriber.nextDueAt)
    return html`<p class="deck">All your categories are off, so no digest comes until you switch one on.</p>`
  return html`<p class="deck">
    Your next digest comes <strong>${dateAndTime(config, subscriber.nextDueAt, subscriber)}</strong>, if there is
    anything new in it.
  </p>`
}

function preferencesLink(web: Context, subscriber: Subscriber): Html {
  const token = preferencesToken(web.config, subscriber.id, web.clock.now())
  return html`<p><a href="/preferences?token=${token}">Change what comes, and when</a></p>`
}

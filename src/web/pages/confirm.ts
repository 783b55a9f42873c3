// /confirm: GET shows one button, POST confirms. A used link shows what is true today, and an expired one what became of it. Either
// offers to mail a new link, and never has one in its page.

import type { Request, RequestHandler, Response } from 'express'
import type { Config } from '../../base/config.ts'
import type { Context } from '../../db/context.ts'
import type { Subscriber } from '../../db/schema.ts'
import { confirm, lookAtConfirmation, mailConfirmationAgain, type Confirmation } from '../../subscribers/confirm.ts'
import { signupPageOf } from '../../subscribers/consent.ts'
import { preferencesToken } from '../../subscribers/links.ts'
import { listSubscriptions } from '../../subscribers/store.ts'
import { allowedPage } from '../cors.ts'
import { html, type Html, to } from '../html.ts'
import { sendPage } from '../layout.ts'
import type { WebContext } from '../web-context.ts'
import { answerEvenly } from '../even-time.ts'
import {
  message,
  oneButton,
  orByAddress,
  originOf,
  sendCheckMail,
  sendEnded,
  sendForged,
  sendOver,
  tokenOf,
} from './links.ts'
import { dateAndTime, frequencyNames, longDate } from './words.ts'

export function showConfirmation(web: WebContext): RequestHandler {
  return async (request, response) => {
    const token = tokenOf(request)
    const look = await lookAtConfirmation(web, token)
    if (look.outcome !== 'open') return sendNotOpen(web, request, response, look)
    sendPage(
      response,
      web.config,
      message(
        'Confirm your subscription',
        `${look.subscriber.email} asked for the newsletter of ${web.config.site.name}.`,
        html`${oneButton('/confirm', token!, 'Confirm my subscription')}
          <p class="hint">Wasn’t it you? Close this page, and you won’t receive anything.</p>`,
      ),
    )
  }
}

export function takeConfirmation(web: WebContext): RequestHandler {
  return async (request, response) => {
    const result = await confirm(web, tokenOf(request), originOf(request))
    if (result.outcome !== 'confirmed') return sendNotOpen(web, request, response, result)
    const { subscriber } = result
    const token = preferencesToken(web.config, subscriber, web.clock.now())
    const page = allowedPage(web.config, (await signupPageOf(web.db, subscriber.id)) ?? undefined)
    sendPage(response, web.config, {
      ...message(
        'You’re subscribed',
        '',
        html`${await today(web, subscriber)}
          <p><a href="${to(`/preferences?token=${token}`)}">Manage preferences</a></p>
          ${page && html`<p><a href="${page}">Back to ${new URL(page).host}</a></p>`}`,
      ),
      title: 'Welcome',
    })
  }
}

/** A new mail, as signing up again would cause it: a confirmation, or for an active subscriber a preferences link. */
export function mailConfirmation(web: WebContext): RequestHandler {
  return async (request, response) => {
    if (!(await mailConfirmationAgain(web, tokenOf(request), originOf(request))))
      return sendForged(response, web.config)
    await answerEvenly(web, request)
    sendCheckMail(
      response,
      web.config,
      'If we still have this sign-up, a new link is there or on its way. We send at most one a day, so look in your spam folder first.',
    )
  }
}

type NotOpen = Exclude<Confirmation, { outcome: 'confirmed' }>

async function sendNotOpen(web: WebContext, request: Request, response: Response, look: NotOpen): Promise<void> {
  const { config } = web
  const again = html`<p><a class="main" href="${to('/')}">Sign up again</a></p>`
  switch (look.outcome) {
    case 'forged':
      return sendForged(response, config)
    case 'ended':
      return sendEnded(response, config)
    case 'gone':
      return sendOver(response, config, {
        what: 'A confirmation link works for seven days. We delete sign-ups that aren’t confirmed by then.',
        wayOn: again,
      })
    case 'expired':
      return sendOver(response, config, {
        what: 'A confirmation link works for seven days, and nobody confirmed by this one.',
        wayOn: oneButton('/confirm/link', tokenOf(request)!, 'Mail me a new link'),
      })
    case 'suppressed':
      return sendOver(response, config, {
        title: 'This can’t be confirmed',
        what: 'We don’t send mail to this address: its owner reported our mail as spam, or asked us to stop.',
      })
    case 'used': {
      const { subscriber, usedAt, isExpired } = look
      const isActive = subscriber.status === 'active'
      const wayOn = isActive
        ? html`${!isExpired && (await today(web, subscriber))}
          ${oneButton('/confirm/link', tokenOf(request)!, 'Mail me a link to my preferences', { isQuiet: isExpired === false })}`
        : html`${oneButton('/confirm/link', tokenOf(request)!, 'Mail me a new link')} ${orByAddress}`
      const state = isActive ? 'It is active.' : 'It is no longer active, so no digests are sent.'
      const text = `This subscription was confirmed on ${longDate(config, usedAt)}. ${state}`
      return sendPage(response, config, message('This link has been used', text, wayOn))
    }
  }
}

/** What the subscriber chose, and when the next digest comes. */
async function today(web: Context, subscriber: Subscriber): Promise<Html> {
  const lines = await listSubscriptions(web.db, subscriber.id)
  return html`${nextDigest(web.config, subscriber)}
    <ul class="plain-list">
      ${lines.map(
        (line) => html`<li><span class="caps">${line.name}</span> ${frequencyNames[line.frequency].toLowerCase()}</li>`,
      )}
    </ul>`
}

/** When the next digest comes, or why none does. */
export function nextDigest(config: Config, subscriber: Subscriber): Html {
  if (!subscriber.nextDueAt)
    return html`<p class="deck">All your categories are off. You won’t get a digest until you turn one on.</p>`
  return html`<p class="deck">
    Your next digest comes <strong>${dateAndTime(config, subscriber.nextDueAt, subscriber)}</strong>, if there is
    anything new in it.
  </p>`
}

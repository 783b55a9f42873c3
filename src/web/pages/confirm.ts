// /confirm: GET shows one button, POST confirms. A used link shows what is true today, and an expired one what became of it. Either
// offers to mail a new link, and never has one in its page.

import type { Request, RequestHandler, Response } from 'express'
import { domainToUnicode } from 'node:url'
import { categoryName } from '../../articles/category-names.ts'
import { listCategories } from '../../articles/store.ts'
import type { Config } from '../../base/config.ts'
import { readableAddress } from '../../base/email-address.ts'
import type { Context } from '../../db/context.ts'
import type { Subscriber } from '../../db/schema.ts'
import type { Say } from '../../messages/messages.ts'
import { frequencyWords } from '../../messages/words.ts'
import { confirm, lookAtConfirmation, mailConfirmationAgain, type Confirmation } from '../../subscribers/confirm.ts'
import { signupPageOf } from '../../subscribers/consent.ts'
import { preferencesToken } from '../../subscribers/links.ts'
import { listSubscriptions } from '../../subscribers/store.ts'
import { allowedPage } from '../cors.ts'
import { html, type Html, to } from '../html.ts'
import { sayFor } from '../language.ts'
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
import { dateAndTime } from './words.ts'

export function showConfirmation(web: WebContext): RequestHandler {
  return async (request, response) => {
    const token = tokenOf(request)
    const look = await lookAtConfirmation(web, token)
    if (look.outcome !== 'open') return sendNotOpen(web, request, response, look)
    const say = sayFor(web.config, request, look.subscriber)
    sendPage(
      response,
      web.config,
      message(
        say,
        say('form.confirmTitle'),
        say('form.askedFor', { email: readableAddress(look.subscriber.email), site: web.config.site.name }),
        html`${oneButton('/confirm', token!, say('form.confirm'))}
          <p class="hint">${say('common.notYou')}</p>`,
      ),
    )
  }
}

export function takeConfirmation(web: WebContext): RequestHandler {
  return async (request, response) => {
    const result = await confirm(web, tokenOf(request), originOf(request))
    if (result.outcome !== 'confirmed') return sendNotOpen(web, request, response, result)
    const { subscriber } = result
    const say = sayFor(web.config, request, subscriber)
    const token = preferencesToken(web.config, subscriber, web.clock.now())
    const page = allowedPage(web.config, (await signupPageOf(web.db, subscriber.id)) ?? undefined)
    sendPage(response, web.config, {
      ...message(
        say,
        say('form.subscribed'),
        '',
        html`${await today(web, say, subscriber)}
          <p><a href="${to(`/preferences?token=${token}`)}">${say('common.managePreferences')}</a></p>
          ${page && html`<p><a href="${page}">${say('form.backTo', { host: domainToUnicode(new URL(page).hostname) })}</a></p>`}`,
      ),
      title: say('form.welcome'),
      here: `/preferences?token=${token}`,
    })
  }
}

/** A new mail, as signing up again would cause it: a confirmation, or for an active subscriber a preferences link. */
export function mailConfirmation(web: WebContext): RequestHandler {
  return async (request, response) => {
    if (!(await mailConfirmationAgain(web, tokenOf(request), originOf(request))))
      return sendForged(response, web.config)
    await answerEvenly(web, request)
    await sendCheckMail(web, response, sayFor(web.config, request)('form.newLinkSent'))
  }
}

type NotOpen = Exclude<Confirmation, { outcome: 'confirmed' }>

async function sendNotOpen(web: WebContext, request: Request, response: Response, look: NotOpen): Promise<void> {
  const { config } = web
  const say = sayFor(config, request, 'subscriber' in look && look.outcome !== 'ended' ? look.subscriber : undefined)
  const again = html`<p><a class="main" href="${to('/')}">${say('form.signUpAgain')}</a></p>`
  switch (look.outcome) {
    case 'forged':
      return sendForged(response, config)
    case 'ended':
      return sendEnded(response, config)
    case 'gone':
      return sendOver(response, config, {
        what: say('form.confirmGone'),
        wayOn: again,
      })
    case 'expired':
      return sendOver(response, config, {
        what: say('form.confirmExpired'),
        wayOn: oneButton('/confirm/link', tokenOf(request)!, say('common.mailNewLink')),
      })
    case 'suppressed':
      return sendOver(response, config, {
        title: say('form.cantConfirm'),
        what: say('form.cantConfirmWhy'),
      })
    case 'used': {
      const { subscriber, usedAt, isExpired } = look
      const isActive = subscriber.status === 'active'
      const wayOn = isActive
        ? html`${!isExpired && (await today(web, say, subscriber))}
          ${oneButton('/confirm/link', tokenOf(request)!, say('form.mailPreferencesLink'), { isQuiet: isExpired === false })}`
        : html`${oneButton('/confirm/link', tokenOf(request)!, say('common.mailNewLink'))} ${orByAddress(say)}`
      const date = say.date(usedAt, 'date', subscriber.timezone ?? config.digest.timezone)
      const text = say(isActive ? 'form.confirmedActive' : 'form.confirmedEnded', { date })
      return sendPage(response, config, message(say, say('common.linkUsed'), text, wayOn))
    }
  }
}

/** What the subscriber chose, and when the next digest comes. */
async function today(web: Context, say: Say, subscriber: Subscriber): Promise<Html> {
  const lines = await listSubscriptions(web.db, subscriber.id)
  const offered = await listCategories(web.db)
  const nameIn = ({ slug, name }: (typeof lines)[number]) => {
    const category = offered.find((one) => one.slug === slug)
    return category ? categoryName(category, say.locale) : name
  }
  return html`${nextDigest(web.config, say, subscriber)}
    <ul class="plain-list">
      ${lines.map(
        (line) =>
          html`<li>
            <span class="caps">${nameIn(line)}</span>
            ${say(frequencyWords[line.frequency]).toLocaleLowerCase(say.locale)}
          </li>`,
      )}
    </ul>`
}

/** When the next digest comes, or why none does. */
export function nextDigest(config: Config, say: Say, subscriber: Subscriber): Html {
  if (!subscriber.nextDueAt) return html`<p class="deck">${say('common.allOff')}</p>`
  return html`<p class="deck">
    ${say.rich('common.nextDigest', {
      when: dateAndTime(say, config, subscriber.nextDueAt, subscriber),
      strong: (within) => html`<strong>${within}</strong>`,
    })}
  </p>`
}

// /less?token=…&c=politics: "Less Politics", from a section of a digest. GET shows what would change and one button; POST lowers. Both
// say nothing about whose mail it is: it may have been forwarded.

import type { Request, RequestHandler, Response } from 'express'
import { listCategories } from '../../articles/store.ts'
import type { Category, Subscriber } from '../../db/schema.ts'
import { isFrequency } from '../../subscribers/choices.ts'
import { type Less, lower, nextLess, takeBackLower } from '../../subscribers/less.ts'
import { lessUndoToken, type LinkCheck, readLessUndo, readLink } from '../../subscribers/links.ts'
import { findSubscriber, listSubscriptions } from '../../subscribers/store.ts'
import { field } from '../forms.ts'
import { categoryIn, categoryName } from '../../articles/category-names.ts'
import type { Say } from '../../messages/messages.ts'
import { html, to } from '../html.ts'
import { sayFor } from '../language.ts'
import { sendPage, type Page } from '../layout.ts'
import type { WebContext } from '../web-context.ts'
import {
  linkByAddress,
  message,
  oneButton,
  originOf,
  sendEnded,
  sendForged,
  sendOver,
  toFrontPage,
  tokenOf,
} from './links.ts'

export function showLess(web: WebContext): RequestHandler {
  return async (request, response) => {
    const opened = await open(web, request, response)
    if (!opened) return
    const { say, subscriber, category, token } = opened
    const line = (await listSubscriptions(web.db, subscriber.id)).find(({ slug }) => slug === category.slug)
    if (!line) return sendPage(response, web.config, nothingToLower(say, category))
    const next = nextLess(line.frequency)
    const button = (goal: Less, label: string, isQuiet: boolean) =>
      html`<form method="post" action="${to('/less')}">
        <input type="hidden" name="token" value="${token}" />
        <input type="hidden" name="c" value="${category.slug}" />
        <input type="hidden" name="to" value="${goal}" />
        <p><button type="submit" class="${isQuiet ? 'quiet' : 'main'}">${label}</button></p>
      </form>`
    const values = { category: category.name, frequency: line.frequency, next }
    const stop = say('preferences.lessStop', values)
    sendPage(
      response,
      web.config,
      message(
        say,
        say('preferences.lessTitle', values),
        say(next === 'off' ? 'preferences.lessOff' : 'preferences.lessTo', values),
        next === 'off'
          ? button('off', stop, false)
          : html`${button(next, say('preferences.lessMake', values), false)} ${button('off', stop, true)}`,
      ),
    )
  }
}

export function takeLess(web: WebContext): RequestHandler {
  return async (request, response) => {
    const opened = await open(web, request, response)
    if (!opened) return
    const { say, subscriber, category, asked } = opened
    const lowered = await lower(web, subscriber, { slug: category.slug, to: asked }, originOf(request))
    if (!lowered) return sendPage(response, web.config, nothingToLower(say, category))
    const { nextDueAt } = lowered.subscriber
    const undo = lessUndoToken(web.config, subscriber, lowered.consentId, web.clock.now())
    sendPage(
      response,
      web.config,
      message(
        say,
        say(lowered.to === 'off' ? 'preferences.lessStopped' : 'preferences.lessDone', {
          category: category.name,
          frequency: lowered.to,
        }),
        say(nextDueAt ? 'preferences.othersStay' : 'preferences.noneLeft'),
        html`<p>${say('preferences.byMistake')}</p>
          ${oneButton('/less/undo', undo, say('common.undo'), { isQuiet: true })} ${toFrontPage(say)}`,
      ),
    )
  }
}

export function undoLess(web: WebContext): RequestHandler {
  return async (request, response) => {
    const undo = readLessUndo(web.config, tokenOf(request), web.clock.now())
    const back = undo && (await takeBackLower(web, undo, originOf(request)))
    const say = sayFor(web.config, request, undo ? await findSubscriber(web.db, undo.id) : undefined)
    if (!back)
      return sendOver(response, web.config, {
        what: say('preferences.lessUndoOver'),
        wayOn: linkByAddress(say),
      })
    const category = (await listCategories(web.db)).find(({ slug }) => slug === back.slug)
    const values = {
      category: category ? categoryName(category, say.locale) : back.slug,
      frequency: back.frequency,
    }
    sendPage(response, web.config, message(say, say('preferences.takenBack'), say('preferences.comesAgain', values)))
  }
}

interface Opened {
  say: Say
  token: string
  subscriber: Subscriber
  category: Category
  asked: Less | undefined
}

/** Who and which category the link is about; otherwise answers with a page, and undefined. */
async function open(web: WebContext, request: Request, response: Response): Promise<Opened | undefined> {
  const token = tokenOf(request)
  const link: LinkCheck = readLink(web.config, 'less', token, web.clock.now())
  if (link.outcome === 'forged') {
    sendForged(response, web.config)
    return undefined
  }
  const subscriber = await findSubscriber(web.db, link.id)
  const say = sayFor(web.config, request, subscriber?.generation === link.generation ? subscriber : undefined)
  const category = (await listCategories(web.db)).find(({ slug }) => slug === categoryOf(request))
  const wayOn = html`${linkByAddress(say)} ${toFrontPage(say)}`
  const wanted = field(request, 'to')
  const asked = wanted === 'off' || isFrequency(wanted) ? wanted : undefined
  if (!subscriber) sendOver(response, web.config, { what: say('preferences.noneBehind') })
  else if (subscriber.generation !== link.generation) sendEnded(response, web.config)
  else if (subscriber.status !== 'active')
    sendPage(response, web.config, message(say, say('preferences.nothingComes'), say('preferences.hasEnded'), wayOn))
  else if (!category)
    sendPage(response, web.config, {
      ...message(say, say('preferences.noCategory'), say('preferences.noCategoryWhat'), wayOn),
      status: 404,
    })
  else if (wanted !== undefined && !asked)
    sendPage(response, web.config, {
      ...message(
        say,
        say('preferences.noChoice'),
        html`${say.rich('preferences.noChoiceWhat', { code: (within) => html`<code>${within}</code>` })}`,
        wayOn,
      ),
      status: 400,
    })
  else return { say, token: token!, subscriber, category: categoryIn(category, say.locale), asked }
  return undefined
}

/** In the form or the address; without what was copied along behind it. */
function categoryOf(request: Request): string | undefined {
  const given = field(request, 'c') ?? request.query['c']
  return typeof given === 'string' ? /^[a-z0-9-]+/.exec(given.trim().toLowerCase())?.[0] : undefined
}

function nothingToLower(say: Say, { name }: Category): Page {
  const wayOn = html`${linkByAddress(say)} ${toFrontPage(say)}`
  return message(say, say('preferences.nothingToChange'), say('preferences.seldomAlready', { category: name }), wayOn)
}

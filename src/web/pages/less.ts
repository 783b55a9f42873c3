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
import { html, type Html, to } from '../html.ts'
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
    const { subscriber, category, token } = opened
    const line = (await listSubscriptions(web.db, subscriber.id)).find(({ slug }) => slug === category.slug)
    if (!line) return sendPage(response, web.config, nothingToLower(category))
    const next = nextLess(line.frequency)
    const button = (goal: Less, label: string, isQuiet: boolean) =>
      html`<form method="post" action="${to('/less')}">
        <input type="hidden" name="token" value="${token}" />
        <input type="hidden" name="c" value="${category.slug}" />
        <input type="hidden" name="to" value="${goal}" />
        <p><button type="submit" class="${isQuiet ? 'quiet' : 'main'}">${label}</button></p>
      </form>`
    const stop = `Stop ${category.name}`
    sendPage(
      response,
      web.config,
      message(
        `Less ${category.name}?`,
        next === 'off'
          ? `${category.name} comes ${line.frequency} now. After this it won’t come any more. Your other categories stay as they are.`
          : `${category.name} comes ${line.frequency} now. Make it ${next}, or stop it. Your other categories stay as they are.`,
        next === 'off'
          ? button('off', stop, false)
          : html`${button(next, `Make ${category.name} ${next}`, false)} ${button('off', stop, true)}`,
      ),
    )
  }
}

export function takeLess(web: WebContext): RequestHandler {
  return async (request, response) => {
    const opened = await open(web, request, response)
    if (!opened) return
    const { subscriber, category, asked } = opened
    const lowered = await lower(web, subscriber, { slug: category.slug, to: asked }, originOf(request))
    if (!lowered) return sendPage(response, web.config, nothingToLower(category))
    const { nextDueAt } = lowered.subscriber
    const undo = lessUndoToken(web.config, subscriber, lowered.consentId, web.clock.now())
    sendPage(
      response,
      web.config,
      message(
        lowered.to === 'off' ? `${category.name} is stopped` : `${category.name} comes ${lowered.to} now`,
        nextDueAt ? 'Your other categories stay as they were.' : 'No category is left, so no digest comes.',
        html`<p>By mistake? You can take it back.</p>
          ${oneButton('/less/undo', undo, 'Undo', { isQuiet: true })} ${toFrontPage}`,
      ),
    )
  }
}

export function undoLess(web: WebContext): RequestHandler {
  return async (request, response) => {
    const undo = readLessUndo(web.config, tokenOf(request), web.clock.now())
    const back = undo && (await takeBackLower(web, undo, originOf(request)))
    if (!back)
      return sendOver(response, web.config, {
        what: 'It takes back the last change once, for thirty days, as long as nothing else has changed since.',
        wayOn: linkByAddress(),
      })
    const category = (await listCategories(web.db)).find(({ slug }) => slug === back.slug)
    sendPage(
      response,
      web.config,
      message('Taken back', `${category?.name ?? back.slug} comes ${back.frequency} again.`),
    )
  }
}

interface Opened {
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
  const category = (await listCategories(web.db)).find(({ slug }) => slug === categoryOf(request))
  const wanted = field(request, 'to')
  const asked = wanted === 'off' || isFrequency(wanted) ? wanted : undefined
  if (!subscriber) sendOver(response, web.config, { what: 'There is no subscription behind it any more.' })
  else if (subscriber.generation !== link.generation) sendEnded(response, web.config)
  else if (subscriber.status !== 'active')
    sendPage(response, web.config, message('Nothing comes', 'This subscription has ended, so no digest comes.', wayOn))
  else if (!category)
    sendPage(response, web.config, {
      ...message(
        'There is no such category',
        'The newsletter doesn’t have the category that this link names. It may have ended.',
        wayOn,
      ),
      status: 404,
    })
  else if (wanted !== undefined && !asked)
    sendPage(response, web.config, {
      ...message('That isn’t a choice', html`<code>to</code> can be weekly, monthly or off.`, wayOn),
      status: 400,
    })
  else return { token: token!, subscriber, category, asked }
  return undefined
}

/** In the form or the address; without what was copied along behind it. */
function categoryOf(request: Request): string | undefined {
  const given = field(request, 'c') ?? request.query['c']
  return typeof given === 'string' ? /^[a-z0-9-]+/.exec(given.trim().toLowerCase())?.[0] : undefined
}

function nothingToLower(category: Category): Page {
  return message('Nothing to change', `${category.name} comes as seldom as that already, or not at all.`, wayOn)
}

const wayOn: Html = html`${linkByAddress()} ${toFrontPage}`

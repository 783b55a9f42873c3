// Who a preferences link belongs to, and the answer to a link that opens nothing (any more).

import type { Request, Response } from 'express'
import type { Subscriber } from '../../db/schema.ts'
import { isFresh, readLink } from '../../subscribers/links.ts'
import { findSubscriber } from '../../subscribers/store.ts'
import type { Say } from '../../messages/messages.ts'
import { sayFor } from '../language.ts'
import { sendPage } from '../layout.ts'
import type { WebContext } from '../web-context.ts'
import { message, oneButton, sendEnded, sendForged, sendOver, tokenOf } from './links.ts'

export interface Opened {
  say: Say
  token: string
  subscriber: Subscriber
  /** Whether the link was made within the last day. */
  isFresh: boolean
}

/** Otherwise answers with a page, and undefined. */
export async function openPreferences(
  web: WebContext,
  request: Request,
  response: Response,
): Promise<Opened | undefined> {
  const token = tokenOf(request)
  const now = web.clock.now()
  const link = readLink(web.config, 'preferences', token, now)
  const subscriber = link.outcome === 'forged' ? undefined : await findSubscriber(web.db, link.id)
  const isTheirs = link.outcome !== 'forged' && subscriber?.generation === link.generation
  // A link that has ended tells nothing of the subscriber, not even their language.
  const say = sayFor(web.config, request, isTheirs ? subscriber : undefined)
  if (link.outcome === 'forged') sendForged(response, web.config)
  else if (!subscriber) sendOver(response, web.config, { what: say('preferences.noneBehind') })
  else if (subscriber.generation !== link.generation) sendEnded(response, web.config)
  else if (link.outcome === 'expired')
    sendOver(response, web.config, {
      what: say('preferences.ninetyDays'),
      wayOn: oneButton('/preferences/link', token!, say('common.mailNewLink')),
    })
  else if (subscriber.status === 'suppressed') sendOver(response, web.config, { what: say('preferences.cantMail') })
  else return { say, token: token!, subscriber, isFresh: isFresh(link, now) }
  return undefined
}

/** The same for what asks for a link of the last day: an older one gets a page that mails a new one. 403. */
export async function openFresh(web: WebContext, request: Request, response: Response): Promise<Opened | undefined> {
  const opened = await openPreferences(web, request, response)
  if (!opened || opened.isFresh) return opened
  const { say } = opened
  sendPage(response, web.config, {
    ...message(
      say,
      say('preferences.useNewLink'),
      say('preferences.needsFreshLink'),
      oneButton('/preferences/link', opened.token, say('common.mailNewLink')),
    ),
    status: 403,
  })
  return undefined
}

// Who a preferences link belongs to, and the answer to a link that opens nothing (any more).

import type { Request, Response } from 'express'
import type { Subscriber } from '../../db/schema.ts'
import { isFresh, readLink } from '../../subscribers/links.ts'
import { findSubscriber } from '../../subscribers/store.ts'
import { sendPage } from '../layout.ts'
import type { WebContext } from '../web-context.ts'
import { message, oneButton, sendEnded, sendForged, sendOver, tokenOf } from './links.ts'
import { needsFreshLink } from './preferences-once.ts'

export interface Opened {
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
  if (link.outcome === 'forged') sendForged(response, web.config)
  else if (!subscriber) sendOver(response, web.config, { what: 'There is no subscription behind it any more.' })
  else if (subscriber.generation !== link.generation) sendEnded(response, web.config)
  else if (link.outcome === 'expired')
    sendOver(response, web.config, {
      what: 'It worked for ninety days.',
      wayOn: oneButton('/preferences/link', token!, 'Mail me a new link'),
    })
  else if (subscriber.status === 'suppressed')
    sendOver(response, web.config, { what: 'We can’t send mail to the address of this subscription.' })
  else return { token: token!, subscriber, isFresh: isFresh(link, now) }
  return undefined
}

/** The same for what asks for a link of the last day: an older one gets a page that mails a new one. 403. */
export async function openFresh(web: WebContext, request: Request, response: Response): Promise<Opened | undefined> {
  const opened = await openPreferences(web, request, response)
  if (!opened || opened.isFresh) return opened
  sendPage(response, web.config, {
    ...message(
      'Please use a new link',
      needsFreshLink,
      oneButton('/preferences/link', opened.token, 'Mail me a new link'),
    ),
    status: 403,
  })
  return undefined
}

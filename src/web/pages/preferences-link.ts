// A link to the preferences, mailed to the address that it is for: asked for by address, or by an older link.

import type { Request, RequestHandler, Response } from 'express'
import { Refusal } from '../../base/errors.ts'
import { takePlace } from '../../db/rate-limits.ts'
import { readLink } from '../../subscribers/links.ts'
import { mailPreferencesLink, mailPreferencesLinkTo } from '../../subscribers/preferences.ts'
import { readAddress } from '../../subscribers/subscribe.ts'
import { canReturn } from '../../subscribers/unsubscribe.ts'
import { statusOf } from '../errors.ts'
import { field } from '../forms.ts'
import { sayFor } from '../language.ts'
import { sendPage } from '../layout.ts'
import type { WebContext } from '../web-context.ts'
import { answerEvenly } from '../even-time.ts'
import { linkByAddress, message, sendCheckMail, sendForged, tokenOf } from './links.ts'

/** A new link for an expired preferences link, or for a subscriber who unsubscribed and has only that link. The page says the same
 * whatever became of the subscriber. */
export function mailFreshLink(web: WebContext): RequestHandler {
  return async (request, response) => {
    const token = tokenOf(request)
    const now = web.clock.now()
    const preferences = readLink(web.config, 'preferences', token, now)
    const unsubscribe = readLink(web.config, 'unsubscribe', token, now)
    if (preferences.outcome === 'forged' && unsubscribe.outcome === 'forged') return sendForged(response, web.config)
    await takePlace(web, 'link', request.ip ?? null)
    if (preferences.outcome !== 'forged')
      await mailPreferencesLink(web, preferences.id, ({ generation }) => generation === preferences.generation)
    else if (unsubscribe.outcome !== 'forged')
      await mailPreferencesLink(web, unsubscribe.id, (subscriber) => canReturn(subscriber, now))
    await answerEvenly(web, request)
    await sendCheckMail(web, response, sayFor(web.config, request)('preferences.linkIsMailed'))
  }
}

/** Without a token: by address. The answer is the same, and takes the same time, whatever the address is. */
export async function mailLinkByAddress(web: WebContext, request: Request, response: Response): Promise<void> {
  const email = (request.body as Record<string, unknown>)['email']
  try {
    readAddress(email)
    await takePlace(web, 'link', request.ip ?? null)
    await mailPreferencesLinkTo(web, email)
    await answerEvenly(web, request)
  } catch (refusal) {
    if (!(refusal instanceof Refusal) || refusal.code !== 'invalid' || request.accepts(['html', 'json']) === 'json')
      throw refusal
    return sendAskForLink(web, response, field(request, 'email')?.slice(0, 400), refusal)
  }
  await sendCheckMail(web, response, sayFor(web.config, request)('preferences.linkIsMailed'))
}

export function sendAskForLink(web: WebContext, response: Response, typed?: string, refusal?: Refusal): void {
  const say = sayFor(web.config, response.req)
  sendPage(response, web.config, {
    ...message(
      say,
      say('common.managePreferences'),
      say('preferences.askForLink'),
      linkByAddress(say, typed, refusal?.problems[0]),
    ),
    here: '/preferences',
    status: refusal ? statusOf[refusal.code] : 200,
  })
}

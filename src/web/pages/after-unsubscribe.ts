// What the page that acknowledges an unsubscribe offers: the undo, and a question for the reason, which nobody has to answer.

import type { RequestHandler } from 'express'
import { Refusal } from '../../base/errors.ts'
import { type Subscriber, type UnsubscribeReason, unsubscribeReasons } from '../../db/schema.ts'
import { readLink, resubscribeToken } from '../../subscribers/links.ts'
import { canReturn } from '../../subscribers/unsubscribe.ts'
import { findUnsubscriber, giveReason, longestReasonText, readReason } from '../../subscribers/unsubscribes.ts'
import { statusOf } from '../errors.ts'
import { html, type Html, to } from '../html.ts'
import { sendPage } from '../layout.ts'
import type { WebContext } from '../web-context.ts'
import type { Key } from '../../messages/english.ts'
import type { Say } from '../../messages/messages.ts'
import { sayFor } from '../language.ts'
import { note, problemSummary } from './fields.ts'
import { message, oneButton, sendForged, sendOver, toFrontPage, tokenOf } from './links.ts'

/** Empty where there is nothing to undo. */
export function undo(web: WebContext, say: Say, subscriber: Subscriber): Html {
  if (!canReturn(subscriber, web.clock.now())) return html``
  const token = resubscribeToken(web.config, subscriber, subscriber.unsubscribedAt!)
  return html`<p>${say('preferences.mistakeUndo')}</p>
    ${oneButton('/unsubscribe/undo', token, say('common.undo'), { isQuiet: true })}`
}

export const reasonWords: Record<UnsubscribeReason, Key> = {
  too_many: 'preferences.reasonTooMany',
  not_interesting: 'preferences.reasonNotInteresting',
  not_asked: 'preferences.reasonNotAsked',
  reads_elsewhere: 'preferences.reasonReadsElsewhere',
  looks_wrong: 'preferences.reasonLooksWrong',
  other: 'preferences.reasonOther',
}

/** `typed`: what was sent, when it was refused. */
export function askReason(say: Say, token: string, again?: { refusal: Refusal; typed: Record<string, unknown> }): Html {
  const problems = again?.refusal.problems ?? []
  const problemOf = (name: string) => problems.find((one) => one.field === name)
  const textProblem = problemOf('reason_text')
  const reasonProblem = problemOf('reason')
  const words = again?.typed['reason_text']
  return html`<section>
    <h2 class="section-name">${say('preferences.whyTitle')}</h2>
    ${again && problemSummary(say, again.refusal)}
    <form method="post" action="${to('/unsubscribe/reason')}">
      <input type="hidden" name="token" value="${token}" />
      <fieldset
        class="reasons"
        id="reason"
        role="radiogroup"
        ${reasonProblem && html`aria-invalid="true" aria-describedby="reason-problem"`}
      >
        <legend>${say('preferences.whyOptional')}</legend>
        ${unsubscribeReasons.map(
          (reason) =>
            html`<label
              ><input
                type="radio"
                name="reason"
                value="${reason}"
                ${again?.typed['reason'] === reason && html`checked`}
              />
              ${say(reasonWords[reason])}</label
            >`,
        )}
        ${reasonProblem && note(say, reasonProblem, 'reason-problem')}
      </fieldset>
      <div class="field">
        <label for="reason_text">${say('preferences.ownWords')}</label>
        <input
          id="reason_text"
          name="reason_text"
          type="text"
          autocomplete="off"
          maxlength="${longestReasonText}"
          value="${typeof words === 'string' ? words : ''}"
          ${textProblem && html`aria-invalid="true" aria-describedby="reason_text-problem"`}
        />
        ${textProblem && note(say, textProblem, 'reason_text-problem')}
      </div>
      <p><button type="submit" class="quiet">${say('preferences.send')}</button></p>
    </form>
  </section>`
}

/** The reason may be given again, for as long as the unsubscribe stands; the last one counts. */
export function takeReason(web: WebContext): RequestHandler {
  return async (request, response) => {
    const token = tokenOf(request)
    const link = readLink(web.config, 'unsubscribe-reason', token, web.clock.now())
    if (link.outcome === 'forged') return sendForged(response, web.config)
    const say = sayFor(web.config, request, await findUnsubscriber(web.db, link.id))
    try {
      const why = readReason(request.body as Record<string, unknown>)
      const subscriber = link.outcome === 'valid' ? await giveReason(web, link.id, why) : undefined
      if (!subscriber) return sendOver(response, web.config, { what: say('preferences.reasonOver') })
      sendPage(response, web.config, {
        ...message(
          say,
          say('preferences.thankYou'),
          say('preferences.reasonHelps'),
          html`${undo(web, say, subscriber)} ${toFrontPage(say)}`,
        ),
      })
    } catch (refusal) {
      if (!(refusal instanceof Refusal) || refusal.code !== 'invalid') throw refusal
      if (request.accepts(['html', 'json']) === 'json') throw refusal
      sendPage(response, web.config, {
        ...message(
          say,
          say('preferences.unsubscribedTitle'),
          '',
          askReason(say, token!, { refusal, typed: request.body as Record<string, unknown> }),
        ),
        status: statusOf.invalid,
      })
    }
  }
}

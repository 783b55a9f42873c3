// What the page that acknowledges an unsubscribe offers: the undo, and a question for the reason, which nobody has to answer.

import type { RequestHandler } from 'express'
import { Refusal } from '../../base/errors.ts'
import { type Subscriber, type UnsubscribeReason, unsubscribeReasons } from '../../db/schema.ts'
import { readLink, resubscribeToken } from '../../subscribers/links.ts'
import { canReturn } from '../../subscribers/unsubscribe.ts'
import { giveReason, longestReasonText, readReason } from '../../subscribers/unsubscribes.ts'
import { statusOf } from '../errors.ts'
import { html, type Html, to } from '../html.ts'
import { sendPage } from '../layout.ts'
import type { WebContext } from '../web-context.ts'
import { note, problemSummary } from './fields.ts'
import { message, oneButton, sendForged, sendOver, toFrontPage, tokenOf } from './links.ts'

/** Empty where there is nothing to undo. */
export function undo(web: WebContext, subscriber: Subscriber): Html {
  if (!canReturn(subscriber, web.clock.now())) return html``
  const token = resubscribeToken(web.config, subscriber, subscriber.unsubscribedAt!)
  return html`<p>Was that a mistake? You can undo it for thirty days, with all your choices as they were.</p>
    ${oneButton('/unsubscribe/undo', token, 'Undo', { isQuiet: true })}`
}

export const reasonWords: Record<UnsubscribeReason, string> = {
  too_many: 'Too many mails',
  not_interesting: 'The stories don’t interest me',
  not_asked: 'I didn’t sign up for this',
  reads_elsewhere: 'I read the news somewhere else',
  looks_wrong: 'The mails don’t display well',
  other: 'Another reason',
}

/** `typed`: what was sent, when it was refused. */
export function askReason(token: string, again?: { refusal: Refusal; typed: Record<string, unknown> }): Html {
  const problems = again?.refusal.problems ?? []
  const problemOf = (name: string) => problems.find((one) => one.field === name)
  const textProblem = problemOf('reason_text')
  const reasonProblem = problemOf('reason')
  const words = again?.typed['reason_text']
  return html`<section>
    <h2 class="section-name">Why did you unsubscribe?</h2>
    ${again && problemSummary(again.refusal.message, problems)}
    <form method="post" action="${to('/unsubscribe/reason')}">
      <input type="hidden" name="token" value="${token}" />
      <fieldset
        class="reasons"
        id="reason"
        role="radiogroup"
        ${reasonProblem && html`aria-invalid="true" aria-describedby="reason-problem"`}
      >
        <legend>You don’t have to answer.</legend>
        ${unsubscribeReasons.map(
          (reason) =>
            html`<label
              ><input
                type="radio"
                name="reason"
                value="${reason}"
                ${again?.typed['reason'] === reason && html`checked`}
              />
              ${reasonWords[reason]}</label
            >`,
        )}
        ${reasonProblem && note(reasonProblem, 'reason-problem')}
      </fieldset>
      <div class="field">
        <label for="reason_text">In your own words (optional)</label>
        <input
          id="reason_text"
          name="reason_text"
          type="text"
          autocomplete="off"
          maxlength="${longestReasonText}"
          value="${typeof words === 'string' ? words : ''}"
          ${textProblem && html`aria-invalid="true" aria-describedby="reason_text-problem"`}
        />
        ${textProblem && note(textProblem, 'reason_text-problem')}
      </div>
      <p><button type="submit" class="quiet">Send</button></p>
    </form>
  </section>`
}

/** The reason may be given again, for as long as the unsubscribe stands; the last one counts. */
export function takeReason(web: WebContext): RequestHandler {
  return async (request, response) => {
    const token = tokenOf(request)
    const link = readLink(web.config, 'unsubscribe-reason', token, web.clock.now())
    if (link.outcome === 'forged') return sendForged(response, web.config)
    try {
      const why = readReason(request.body as Record<string, unknown>)
      const subscriber = link.outcome === 'valid' ? await giveReason(web, link.id, why) : undefined
      if (!subscriber)
        return sendOver(response, web.config, {
          what: 'A reason can be given for thirty days, unless the unsubscribe was undone.',
        })
      sendPage(response, web.config, {
        ...message(
          'Thank you',
          'Your answer helps us. You stay unsubscribed.',
          html`${undo(web, subscriber)} ${toFrontPage}`,
        ),
      })
    } catch (refusal) {
      if (!(refusal instanceof Refusal) || refusal.code !== 'invalid') throw refusal
      if (request.accepts(['html', 'json']) === 'json') throw refusal
      sendPage(response, web.config, {
        ...message(
          'You are unsubscribed',
          '',
          askReason(token!, { refusal, typed: request.body as Record<string, unknown> }),
        ),
        status: statusOf.invalid,
      })
    }
  }
}

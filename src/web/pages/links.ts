// What the pages behind signed links share: where the token is, where a request came from, and the friendly answer to a link
// that is incomplete, forged, too old, or meant for another door.

import type { Request, Response } from 'express'
import type { Config } from '../../base/config.ts'
import type { FieldProblem } from '../../base/errors.ts'
import { trimToken } from '../../base/tokens.ts'
import type { Origin } from '../../subscribers/consent.ts'
import { html, type Html, to } from '../html.ts'
import { sendPage, type Page } from '../layout.ts'
import { field } from '../forms.ts'

/** From the form, else from the address; without what was copied along behind it. */
export function tokenOf(request: Request): string | undefined {
  const inQuery = request.query['token']
  const given = field(request, 'token') ?? (typeof inQuery === 'string' ? inQuery : undefined)
  return given === undefined ? undefined : trimToken(given)
}

export function originOf(request: Request): Origin {
  return { ip: request.ip ?? null, formUrl: request.path }
}

/** 400: the token is missing, cut off, or for another page. */
export function sendForged(response: Response, config: Config): void {
  sendPage(response, config, {
    ...message(
      'This link doesn’t work',
      html`The <code>token</code> in its address is missing, cut off or not for this page. Open the link from your mail
        once more, whole.`,
      html`<p>
        <a href="${to('/')}">To the front page</a>, where you can sign up, or
        <a href="${to('/preferences')}">ask for a link</a> to your preferences.
      </p>`,
    ),
    status: 400,
  })
}

/** 410: a token that was good once. `what` happened to it, and the way on. */
export function sendOver(
  response: Response,
  config: Config,
  page: { title?: string; what: string | Html; wayOn?: Html },
): void {
  const { title = 'This link is too old', what, wayOn = toFrontPage } = page
  sendPage(response, config, {
    ...message(title, html`The <code>token</code> in its address isn’t good any more. ${what}`, wayOn),
    status: 410,
  })
}

/** For links of an earlier generation. */
export function sendEnded(response: Response, config: Config): void {
  sendOver(response, config, {
    title: 'This link has ended',
    what: 'Since it was mailed, the address of the subscription has changed, or all older links were ended.',
    wayOn: linkByAddress(),
  })
}

export const toFrontPage: Html = html`<p><a href="${to('/')}">To the front page</a></p>`

/** A heading, a sentence, and the way on. */
export function message(title: string, text: string | Html, wayOn: Html = toFrontPage): Page {
  return {
    title,
    kind: 'quiet',
    isIndexed: false,
    body: html`<h1>${title}</h1>
      ${text !== '' && html`<p class="deck">${text}</p>`} ${wayOn}`,
  }
}

/** Whoever asked, and whatever is known of them: the same page. */
export function sendCheckMail(response: Response, config: Config, text: string): void {
  sendPage(
    response,
    config,
    message(
      'Check your mail',
      text,
      html`${config.trial && html`<p>This is the trial: the mail is in <a href="${to('/mailbox')}">the mailbox</a>.</p>`}
      ${toFrontPage}`,
    ),
  )
}

/** A link is mailed to whoever's address it is. */
export function linkByAddress(typed = '', problem?: FieldProblem): Html {
  return html`<form method="post" action="${to('/preferences')}" novalidate>
    <div class="field">
      <label for="email">Your e-mail address</label>
      <input
        id="email"
        name="email"
        type="email"
        autocomplete="email"
        maxlength="254"
        value="${typed}"
        required
        ${problem ? html`aria-invalid="true" aria-describedby="email-problem"` : ''}
      />
      ${problem && html`<p class="problem" id="email-problem">${problem.message}</p>`}
      <p class="hint">If it has a subscription, a link to its preferences is mailed there.</p>
    </div>
    <p><button type="submit" class="main">Mail me a link</button></p>
  </form>`
}

/** A form that is one obvious button. */
export function oneButton(action: string, token: string, label: string, options: { isQuiet?: boolean } = {}): Html {
  return html`<form method="post" action="${to(action)}">
    <input type="hidden" name="token" value="${token}" />
    <p><button type="submit" class="${options.isQuiet ? 'quiet' : 'main'}">${label}</button></p>
  </form>`
}

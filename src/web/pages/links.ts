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
      html`The <code>token</code> in its address is missing, incomplete or meant for another page. Open the link in your
        mail again, or have a new one mailed to you.`,
      html`${linkByAddress()} ${toFrontPage}`,
    ),
    status: 400,
  })
}

/** 410: a token that was good once. `what` happened to it, and the way on: a button, or else the field that mails a link. */
export function sendOver(
  response: Response,
  config: Config,
  page: { title?: string; what: string | Html; wayOn?: Html },
): void {
  const { title = 'This link has expired', what, wayOn } = page
  sendPage(response, config, {
    ...message(title, what, wayOn ? html`${wayOn} ${orByAddress}` : html`${linkByAddress()} ${toFrontPage}`),
    status: 410,
  })
}

/** For links of an earlier generation. */
export function sendEnded(response: Response, config: Config): void {
  sendOver(response, config, {
    title: 'This link no longer works',
    what: 'The address of the subscription has changed since it was mailed, or all older links were ended.',
  })
}

export const toFrontPage: Html = html`<p><a href="${to('/')}">To the front page</a></p>`

/** Below a button that a token gave: the same field as everywhere, for those whose address is another one now. */
export const orByAddress: Html = html`<p>
  <a href="${to('/preferences')}">Get a link to your preferences by e-mail</a>
</p>`

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

/** One field that mails a link to the preferences to the address typed into it. The answer is the same for everybody. */
export function linkByAddress(typed = '', problem?: FieldProblem): Html {
  return html`<form method="post" action="${to('/preferences')}" novalidate>
    <div class="field">
      <label for="email">Your e-mail address</label>
      <input
        id="email"
        name="email"
        type="email"
        autocomplete="email"
        inputmode="email"
        maxlength="320"
        value="${typed}"
        required
        ${problem ? html`aria-invalid="true" aria-describedby="email-problem"` : ''}
      />
      ${problem && html`<p class="problem" id="email-problem">${problem.message}</p>`}
      <p class="hint">If this address is subscribed, we mail a link to its preferences.</p>
    </div>
    <p><button type="submit" class="main">Mail me the link</button></p>
  </form>`
}

/** A form that is one obvious button. */
export function oneButton(
  action: string,
  token: string,
  label: string,
  options: { isQuiet?: boolean; edition?: number | null } = {},
): Html {
  return html`<form method="post" action="${to(action)}">
    <input type="hidden" name="token" value="${token}" />
    ${options.edition && html`<input type="hidden" name="e" value="${options.edition}" />`}
    <p><button type="submit" class="${options.isQuiet ? 'quiet' : 'main'}">${label}</button></p>
  </form>`
}

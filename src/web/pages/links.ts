// What the pages behind signed links share: where the token is, where a request came from, and the friendly answer to a link
// that is incomplete, forged, too old, or meant for another door.

import type { Request, Response } from 'express'
import type { Config } from '../../base/config.ts'
import type { FieldProblem } from '../../base/errors.ts'
import { trimToken } from '../../base/tokens.ts'
import type { Db } from '../../db/connect.ts'
import { findSendingHold } from '../../delivery/sending-hold.ts'
import type { Say } from '../../messages/messages.ts'
import { wordsOf } from '../../messages/refusals.ts'
import type { Origin } from '../../subscribers/consent.ts'
import { html, type Html, type HtmlValue, to } from '../html.ts'
import { sendPage, type Page } from '../layout.ts'
import { sayFor } from '../language.ts'
import { field } from '../forms.ts'
import type { WebContext } from '../web-context.ts'

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
  const say = sayFor(config, response.req)
  sendPage(response, config, {
    ...message(
      say,
      say('preferences.forgedTitle'),
      html`${say.rich('preferences.forged', { code: (within) => html`<code>${within}</code>` })}`,
      html`${linkByAddress(say)} ${toFrontPage(say)}`,
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
  const say = sayFor(config, response.req)
  const { title = say('preferences.expiredTitle'), what, wayOn } = page
  const orAddress = wayOn ? html`${wayOn} ${orByAddress(say)}` : html`${linkByAddress(say)} ${toFrontPage(say)}`
  sendPage(response, config, { ...message(say, title, what, orAddress), status: 410 })
}

/** For links of an earlier generation. */
export function sendEnded(response: Response, config: Config): void {
  const say = sayFor(config, response.req)
  sendOver(response, config, { title: say('preferences.endedTitle'), what: say('preferences.ended') })
}

export function toFrontPage(say: Say): Html {
  return html`<p><a href="${to('/')}">${say('common.toFrontPage')}</a></p>`
}

/** Below a button that a token gave: the same field as everywhere, for those whose address is another one now. */
export function orByAddress(say: Say): Html {
  return html`<p><a href="${to('/preferences')}">${say('preferences.linkByMail')}</a></p>`
}

/** A heading, a sentence, and the way on. */
export function message(say: Say, title: string, text: string | Html, wayOn: Html = toFrontPage(say)): Page {
  return {
    title,
    kind: 'quiet',
    isIndexed: false,
    body: html`<h1>${title}</h1>
      ${text !== '' && html`<p class="deck">${text}</p>`} ${wayOn}`,
  }
}

/** Whoever asked, and whatever is known of them: the same page. */
export async function sendCheckMail({ db, config }: WebContext, response: Response, text: string): Promise<void> {
  const say = sayFor(config, response.req)
  const wayOn = html`${trialNote(say, config)} ${toFrontPage(say)}`
  sendPage(response, config, message(say, say('common.checkMail'), await withHold(db, say, text), wayOn))
}

/** A sentence that promises a mail. While sending is held (after a restore), another one says that the mail waits. */
export async function withHold(db: Db, say: Say, text: string): Promise<string> {
  return (await findSendingHold(db)) ? `${text} ${say('common.mailIsHeld')}` : text
}

/** Empty outside the trial. */
export function trialNote(say: Say, { trial }: Pick<Config, 'trial'>): Html {
  const link = (within: HtmlValue) => html`<a href="${to('/mailbox')}">${within}</a>`
  return html`${trial && html`<p>${say.rich('common.trialMailbox', { a: link })}</p>`}`
}

/** One field that mails a link to the preferences to the address typed into it. The answer is the same for everybody. */
export function linkByAddress(say: Say, typed = '', problem?: FieldProblem): Html {
  return html`<form method="post" action="${to('/preferences')}" novalidate>
    <div class="field">
      <label for="email">${say('form.email')}</label>
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
      ${problem && html`<p class="problem" id="email-problem">${wordsOf(say, problem)}</p>`}
      <p class="hint">${say('preferences.linkHint')}</p>
    </div>
    <p><button type="submit" class="main">${say('preferences.mailLink')}</button></p>
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

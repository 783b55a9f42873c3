// What the pages behind signed links share: where the token is, where a request came from, and the friendly answer to a link
// that is incomplete, forged, too old, or meant for another door.

import type { Request, Response } from 'express'
import type { Config } from '../../base/config.ts'
import type { Origin } from '../../subscribers/consent.ts'
import { html, type Html } from '../html.ts'
import { sendPage } from '../layout.ts'
import { field } from '../forms.ts'

/** From the form, else from the address. */
export function tokenOf(request: Request): string | undefined {
  const inQuery = request.query['token']
  return field(request, 'token') ?? (typeof inQuery === 'string' ? inQuery : undefined)
}

export function originOf(request: Request): Origin {
  return { ip: request.ip ?? null, formUrl: request.path }
}

/** 400 for a token that isn't ours, 410 for one that is too old; both say so by the field's name and offer a way on. */
export function sendDeadLink(
  response: Response,
  config: Config,
  outcome: 'forged' | 'expired',
  options: { wayOn?: Html; what?: string } = {},
): void {
  const isForged = outcome === 'forged'
  const title = isForged ? 'This link doesn’t work' : 'This link is too old'
  sendPage(response, config, {
    status: isForged ? 400 : 410,
    title,
    kind: 'quiet',
    isIndexed: false,
    body: html`<h1>${title}</h1>
      <p class="deck">
        ${
          isForged
            ? html`The <code>token</code> in its address is missing, cut off or not for this page. Open the link from
                your mail once more, whole.`
            : html`The <code>token</code> in its address has expired. ${options.what ?? ''}`
        }
      </p>
      ${options.wayOn ?? html`<p><a href="/">To the front page</a>, where you can sign up.</p>`}`,
  })
}

/** A form that is one obvious button. */
export function oneButton(action: string, token: string, label: string, options: { isQuiet?: boolean } = {}): Html {
  return html`<form method="post" action="${action}">
    <input type="hidden" name="token" value="${token}" />
    <p><button type="submit" class="${options.isQuiet ? 'quiet' : 'main'}">${label}</button></p>
  </form>`
}

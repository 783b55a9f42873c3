// The confirmation page: it says what will happen, and has one button that does it. Its GET changes nothing; the POST has the same
// address.

import type { Request, Response } from 'express'
import { html, type Html, to } from '../html.ts'
import type { WebContext } from '../web-context.ts'
import { sendConsole, type Section } from './layout.ts'

export interface Confirmation {
  section: Section
  title: string
  /** What will and won't happen. */
  explanation: Html
  /** The label of the button: the action, not "OK". */
  button: string
  back: readonly [label: string, href: string]
  /** Hidden or visible fields of the form. */
  fields?: Html
  /** The address of the POST; default: the address of the request. */
  post?: string
  /** An action that can't be undone gets the warning colour. */
  isFinal?: boolean
}

export function sendConfirmation(request: Request, response: Response, web: WebContext, ask: Confirmation): void {
  sendConsole(request, response, web, {
    section: ask.section,
    title: ask.title,
    back: ask.back,
    body: html`<div class="confirmation">
      ${ask.explanation}
      <form method="post" ${ask.post && html`action="${to(ask.post)}"`}>
        ${ask.fields}
        <p class="buttons">
          <button class="${ask.isFinal ? 'final' : 'main'}">${ask.button}</button>
          <a href="${to(ask.back[1])}">Leave it</a>
        </p>
      </form>
    </div>`,
  })
}

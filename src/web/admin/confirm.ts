// The step between wanting and doing: a page that says what will happen, with one button that does it. Its GET changes nothing;
// the POST goes to the same address.

import type { Request, Response } from 'express'
import { html, type Html, to } from '../html.ts'
import type { WebContext } from '../web-context.ts'
import { sendConsole, type Section } from './layout.ts'

export interface Confirmation {
  section: Section
  title: string
  /** What will happen, and what won't. */
  explanation: Html
  /** The words on the button: what it does, not "OK". */
  button: string
  back: readonly [label: string, href: string]
  /** Hidden or visible fields of the form. */
  fields?: Html
  /** Where the button posts to; default: the address of the request. */
  post?: string
  /** What can't be taken back gets the warning colour. */
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

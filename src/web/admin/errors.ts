// The console's error pages, in its own frame, with a link back. Bugs are passed on to the server's own handler.

import type { ErrorRequestHandler } from 'express'
import { asRefusal, statusOf } from '../errors.ts'
import { html, to } from '../html.ts'
import type { WebContext } from '../web-context.ts'
import { isSignedIn } from './guard.ts'
import { type Section, sections, sendConsole } from './layout.ts'

export function consoleErrors(web: WebContext): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    const refusal = asRefusal(error)
    // Its frame needs the database too.
    const isOut = refusal?.code === 'unavailable'
    if (!refusal || isOut || !isSignedIn(request) || response.headersSent) return next(error)
    const name = request.path.split('/')[1] ?? ''
    const section = sections.find(([each]) => each === name)
    const fields = refusal.problems.filter((problem) => problem.message !== refusal.message)
    sendConsole(request, response, web, {
      status: statusOf[refusal.code],
      section: (section?.[0] ?? 'overview') as Section,
      title: titles[refusal.code] ?? 'That can’t be done as it is',
      body: html`<p class="notice warn">${refusal.message}</p>
        ${
          fields.length > 0 &&
          html`<ul>
            ${fields.map((problem) => html`<li><b>${problem.field}</b>: ${problem.message}</li>`)}
          </ul>`
        }
        <p><a href="${to(section?.[2] ?? '/admin')}">Back to ${section?.[1].toLowerCase() ?? 'the overview'}</a></p>`,
    })
  }
}

const titles: Partial<Record<keyof typeof statusOf, string>> = {
  not_found: 'Nothing here',
  method_not_allowed: 'Not done here',
  conflict: 'Not in this state',
  forbidden: 'Not allowed',
}

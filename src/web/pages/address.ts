// /preferences/address: the button that a new mailbox presses to take a subscription over.

import type { RequestHandler } from 'express'
import { confirmAddressChange, lookAtAddressChange } from '../../subscribers/address-change.ts'
import { html } from '../html.ts'
import { sendPage } from '../layout.ts'
import type { WebContext } from '../web-context.ts'
import { oneButton, originOf, sendDeadLink, tokenOf } from './links.ts'

const tooOld = { what: 'Ask for the move once more on your preferences page.' }

export function showAddressChange(web: WebContext): RequestHandler {
  return async (request, response) => {
    const token = tokenOf(request)
    const look = await lookAtAddressChange(web, token)
    if (look.outcome === 'used') return sendPage(response, web.config, message('This link has been used', ''))
    if (look.outcome !== 'open') return sendDeadLink(response, web.config, look.outcome, tooOld)
    sendPage(response, web.config, {
      title: 'Move the newsletter here',
      kind: 'quiet',
      isIndexed: false,
      body: html`<h1>Move the newsletter here?</h1>
        <p class="deck">From now on it would come to ${look.email}.</p>
        ${oneButton('/preferences/address/confirm', token!, 'Yes, send it here')}
        <p class="hint">It wasn’t you? Then close this page: nothing will come.</p>`,
    })
  }
}

export function takeAddressChange(web: WebContext): RequestHandler {
  return async (request, response) => {
    const result = await confirmAddressChange(web, tokenOf(request), originOf(request))
    if (result.outcome === 'forged' || result.outcome === 'expired')
      return sendDeadLink(response, web.config, result.outcome, tooOld)
    if (result.outcome === 'taken')
      return sendPage(
        response,
        web.config,
        message('Already subscribed', 'This address has a subscription of its own, so nothing was moved.'),
      )
    const title = result.outcome === 'changed' ? 'It comes here now' : 'This link has been used'
    sendPage(response, web.config, message(title, 'Your choices, and what you have read, moved along.'))
  }
}

function message(title: string, text: string) {
  return {
    title,
    kind: 'quiet',
    isIndexed: false,
    body: html`<h1>${title}</h1>
      ${text && html`<p class="deck">${text}</p>`}
      <p><a href="/">To the front page</a></p>`,
  }
}

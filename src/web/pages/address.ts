// /preferences/address: the button that a new mailbox presses to take a subscription over. /preferences/address/undo: the button by
// which the former one takes it back.

import type { Request, RequestHandler, Response } from 'express'
import { confirmAddressChange, lookAtAddressChange, mailAddressChangeAgain } from '../../subscribers/address-change.ts'
import { lookAtAddressUndo, undoAddressChange } from '../../subscribers/address-undo.ts'
import { html } from '../html.ts'
import { sendPage } from '../layout.ts'
import type { WebContext } from '../web-context.ts'
import {
  linkByAddress,
  message,
  oneButton,
  originOf,
  sendCheckMail,
  sendEnded,
  sendForged,
  sendOver,
  tokenOf,
} from './links.ts'

export function showAddressChange(web: WebContext): RequestHandler {
  return async (request, response) => {
    const token = tokenOf(request)
    const look = await lookAtAddressChange(web, token)
    if (look.outcome !== 'open') return sendNotMoved(web, request, response, look.outcome)
    sendPage(
      response,
      web.config,
      message(
        'Move the newsletter here?',
        `From now on it would come to ${look.email}.`,
        html`${oneButton('/preferences/address/confirm', token!, 'Yes, send it here')}
          <p class="hint">It wasn’t you? Then close this page: nothing will come.</p>`,
      ),
    )
  }
}

export function takeAddressChange(web: WebContext): RequestHandler {
  return async (request, response) => {
    const { outcome } = await confirmAddressChange(web, tokenOf(request), originOf(request))
    if (outcome !== 'changed') return sendNotMoved(web, request, response, outcome)
    sendPage(
      response,
      web.config,
      message(
        'It comes here now',
        'Your choices, and what you have read, moved along. Links in earlier mails have ended; the next digest brings new ones.',
      ),
    )
  }
}

type NotMoved = Exclude<Awaited<ReturnType<typeof confirmAddressChange>>['outcome'], 'changed'>

function sendNotMoved(web: WebContext, request: Request, response: Response, outcome: NotMoved): void {
  const { config } = web
  switch (outcome) {
    case 'forged':
      return sendForged(response, config)
    case 'ended':
      return sendEnded(response, config)
    case 'used':
      return sendPage(
        response,
        config,
        message('This link has been used', 'The newsletter was moved by it.', linkByAddress()),
      )
    case 'expired':
      return sendOver(response, config, {
        what: 'It worked for seven days, and nothing was moved.',
        wayOn: oneButton('/preferences/address/link', tokenOf(request)!, 'Mail me a new link'),
      })
    case 'inactive':
      return sendOver(response, config, {
        title: 'Nothing to move',
        what: 'The subscription behind it isn’t active any more.',
      })
    case 'gone':
      return sendOver(response, config, { what: 'There is no subscription behind it any more.' })
    case 'taken':
      return sendPage(
        response,
        config,
        message(
          'Already subscribed',
          'This address has a subscription of its own, so nothing was moved.',
          linkByAddress(),
        ),
      )
    case 'suppressed':
      return sendPage(response, config, message('Nothing was moved', 'No mail may go to this address.'))
  }
}

export function mailAddressLink(web: WebContext): RequestHandler {
  return async (request, response) => {
    if (!(await mailAddressChangeAgain(web, tokenOf(request), request.ip ?? null)))
      return sendForged(response, web.config)
    sendCheckMail(
      response,
      web.config,
      'If the move is still wanted, a new link is on its way, unless one was mailed within the last hour.',
    )
  }
}

export function showAddressUndo(web: WebContext): RequestHandler {
  return async (request, response) => {
    const token = tokenOf(request)
    const look = await lookAtAddressUndo(web, token)
    if (look.outcome !== 'open') return sendNotUndone(web, response, look.outcome)
    sendPage(
      response,
      web.config,
      message(
        'Take the newsletter back?',
        `It would come to ${look.email} again, as before.`,
        oneButton('/preferences/address/undo', token!, 'Yes, send it here again'),
      ),
    )
  }
}

export function takeAddressUndo(web: WebContext): RequestHandler {
  return async (request, response) => {
    const result = await undoAddressChange(web, tokenOf(request), originOf(request))
    if (result.outcome !== 'undone') return sendNotUndone(web, response, result.outcome)
    sendPage(
      response,
      web.config,
      message(
        'It comes here again',
        `The newsletter goes to ${result.email}${result.isActive ? '' : ', though it is unsubscribed at present'}. A new link to your preferences is on its way there; older ones have ended.`,
      ),
    )
  }
}

type NotUndone = Exclude<Awaited<ReturnType<typeof undoAddressChange>>['outcome'], 'undone'>

function sendNotUndone(web: WebContext, response: Response, outcome: NotUndone): void {
  const { config } = web
  switch (outcome) {
    case 'forged':
      return sendForged(response, config)
    case 'used':
      return sendPage(
        response,
        config,
        message('This link has been used', 'The change was taken back by it.', linkByAddress()),
      )
    case 'expired':
      return sendOver(response, config, {
        what: 'A change of address can be taken back for seven days, unless the former address has been erased meanwhile.',
      })
    case 'ended':
      return sendOver(response, config, {
        title: 'This link has ended',
        what: 'There was another change after the one that it would take back.',
        wayOn: linkByAddress(),
      })
    case 'gone':
      return sendOver(response, config, { what: 'There is no subscription behind it any more.' })
    case 'taken':
      return sendPage(
        response,
        config,
        message(
          'Already subscribed',
          'Your address has a subscription of its own by now, so nothing was moved.',
          linkByAddress(),
        ),
      )
    case 'suppressed':
      return sendPage(response, config, message('Nothing was moved', 'No mail may go to this address.'))
  }
}

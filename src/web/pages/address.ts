// /preferences/address: the button by which the new address takes over a subscription. /preferences/address/undo: the button by
// which the former address takes it back.

import type { Request, RequestHandler, Response } from 'express'
import { confirmAddressChange, lookAtAddressChange, mailAddressChangeAgain } from '../../subscribers/address-change.ts'
import { lookAtAddressUndo, undoAddressChange } from '../../subscribers/address-undo.ts'
import { addressUndoToken, readLink } from '../../subscribers/links.ts'
import { maskAddress } from '../../base/email-address.ts'
import { answerEvenly } from '../even-time.ts'
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
  toFrontPage,
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
        `Your digests will be sent to ${look.email}.`,
        html`${oneButton('/preferences/address/confirm', token!, 'Yes, send it here')}
          <p class="hint">Wasn’t it you? Close this page, and you won’t receive anything.</p>`,
      ),
    )
  }
}

export function takeAddressChange(web: WebContext): RequestHandler {
  return async (request, response) => {
    const { outcome } = await confirmAddressChange(web, tokenOf(request), originOf(request))
    if (outcome !== 'changed') return sendNotMoved(web, request, response, outcome)
    const now = web.clock.now()
    const link = readLink(web.config, 'address-change', tokenOf(request), now)
    const undo = link.outcome === 'forged' ? null : addressUndoToken(web.config, link.id, now)
    sendPage(
      response,
      web.config,
      message(
        'Your newsletter has moved here',
        'Your choices have moved too, and no story comes twice. Links in earlier mails no longer work. The next digest has new ones.',
        html`${undo && oneButton('/preferences/address/undo', undo, 'Undo', { isQuiet: true })} ${toFrontPage}`,
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
        message('This link has been used', 'It moved the newsletter to another address.', linkByAddress()),
      )
    case 'expired':
      return sendOver(response, config, {
        what: 'It worked for seven days, and nothing was moved.',
        wayOn: oneButton('/preferences/address/link', tokenOf(request)!, 'Mail me a new link'),
      })
    case 'inactive':
      return sendOver(response, config, {
        title: 'Nothing to move',
        what: 'This subscription is no longer active.',
      })
    case 'gone':
      return sendOver(response, config, { what: 'This subscription no longer exists.' })
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
      return sendPage(
        response,
        config,
        message('Nothing was moved', 'We don’t send mail to this address.', html`${linkByAddress()} ${toFrontPage}`),
      )
  }
}

export function mailAddressLink(web: WebContext): RequestHandler {
  return async (request, response) => {
    if (!(await mailAddressChangeAgain(web, tokenOf(request), request.ip ?? null)))
      return sendForged(response, web.config)
    await answerEvenly(web, request)
    sendCheckMail(
      response,
      web.config,
      'If this change is still open, a new link is there or on its way. We send at most one an hour, so look in your spam folder first.',
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
        `Your digests will be sent to ${maskAddress(look.email)} again.`,
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
        'Your newsletter is back here',
        `The subscription belongs to ${maskAddress(result.email)} again${result.isActive ? '' : ', and it is unsubscribed at present'}. A new link to your preferences is on its way there. Older links no longer work.`,
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
        message('This link has been used', 'It undid the change of address.', linkByAddress()),
      )
    case 'expired':
      return sendOver(response, config, {
        what: 'A change of address can be undone for seven days, unless the former address was erased.',
      })
    case 'ended':
      return sendOver(response, config, {
        title: 'This link no longer works',
        what: 'The address was changed again after the change that this link undoes.',
      })
    case 'gone':
      return sendOver(response, config, { what: 'This subscription no longer exists.' })
    case 'taken':
      return sendPage(
        response,
        config,
        message(
          'Already subscribed',
          'Your address now has a subscription of its own, so nothing was moved.',
          linkByAddress(),
        ),
      )
    case 'suppressed':
      return sendPage(
        response,
        config,
        message('Nothing was moved', 'We don’t send mail to this address.', html`${linkByAddress()} ${toFrontPage}`),
      )
  }
}

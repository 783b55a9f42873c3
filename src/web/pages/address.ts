// /preferences/address: the button by which the new address takes over a subscription. /preferences/address/undo: the button by
// which the former address takes it back.

import type { Request, RequestHandler, Response } from 'express'
import { confirmAddressChange, lookAtAddressChange, mailAddressChangeAgain } from '../../subscribers/address-change.ts'
import { lookAtAddressUndo, undoAddressChange } from '../../subscribers/address-undo.ts'
import { addressUndoToken, readLink } from '../../subscribers/links.ts'
import { maskAddress, readableAddress } from '../../base/email-address.ts'
import { answerEvenly } from '../even-time.ts'
import { html } from '../html.ts'
import { sayFor } from '../language.ts'
import { sendPage } from '../layout.ts'
import type { WebContext } from '../web-context.ts'
import {
  linkByAddress,
  message,
  oneButton,
  originOf,
  sendCheckMail,
  withHold,
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
    const say = sayFor(web.config, request, look.subscriber)
    sendPage(
      response,
      web.config,
      message(
        say,
        say('preferences.moveHere'),
        say('preferences.moveHereWhat', { email: readableAddress(look.email) }),
        html`${oneButton('/preferences/address/confirm', token!, say('preferences.moveHereYes'))}
          <p class="hint">${say('common.notYou')}</p>`,
      ),
    )
  }
}

export function takeAddressChange(web: WebContext): RequestHandler {
  return async (request, response) => {
    const { outcome } = await confirmAddressChange(web, tokenOf(request), originOf(request))
    if (outcome !== 'changed') return sendNotMoved(web, request, response, outcome)
    const now = web.clock.now()
    const say = sayFor(web.config, request)
    const link = readLink(web.config, 'address-change', tokenOf(request), now)
    const undo = link.outcome === 'forged' ? null : addressUndoToken(web.config, link.id, now)
    sendPage(
      response,
      web.config,
      message(
        say,
        say('preferences.movedTitle'),
        say('preferences.moved'),
        html`${undo && oneButton('/preferences/address/undo', undo, say('common.undo'), { isQuiet: true })}
        ${toFrontPage(say)}`,
      ),
    )
  }
}

type NotMoved = Exclude<Awaited<ReturnType<typeof confirmAddressChange>>['outcome'], 'changed'>

function sendNotMoved(web: WebContext, request: Request, response: Response, outcome: NotMoved): void {
  const { config } = web
  const say = sayFor(config, response.req)
  switch (outcome) {
    case 'forged':
      return sendForged(response, config)
    case 'ended':
      return sendEnded(response, config)
    case 'used':
      return sendPage(
        response,
        config,
        message(say, say('common.linkUsed'), say('preferences.moveUsed'), linkByAddress(say)),
      )
    case 'expired':
      return sendOver(response, config, {
        what: say('preferences.moveExpired'),
        wayOn: oneButton('/preferences/address/link', tokenOf(request)!, say('common.mailNewLink')),
      })
    case 'inactive':
      return sendOver(response, config, {
        title: say('preferences.nothingToMove'),
        what: say('preferences.noLongerActive'),
      })
    case 'gone':
      return sendOver(response, config, { what: say('preferences.noLongerExists') })
    case 'taken':
      return sendPage(
        response,
        config,
        message(say, say('preferences.takenTitle'), say('preferences.taken'), linkByAddress(say)),
      )
    case 'suppressed':
      return sendPage(
        response,
        config,
        message(
          say,
          say('preferences.notMoved'),
          say('preferences.weDontMail'),
          html`${linkByAddress(say)} ${toFrontPage(say)}`,
        ),
      )
  }
}

export function mailAddressLink(web: WebContext): RequestHandler {
  return async (request, response) => {
    if (!(await mailAddressChangeAgain(web, tokenOf(request), request.ip ?? null)))
      return sendForged(response, web.config)
    await answerEvenly(web, request)
    await sendCheckMail(web, response, sayFor(web.config, request)('preferences.moveLinkSent'))
  }
}

export function showAddressUndo(web: WebContext): RequestHandler {
  return async (request, response) => {
    const token = tokenOf(request)
    const look = await lookAtAddressUndo(web, token)
    if (look.outcome !== 'open') return sendNotUndone(web, response, look.outcome)
    const say = sayFor(web.config, request, look.subscriber)
    sendPage(
      response,
      web.config,
      message(
        say,
        say('preferences.takeBack'),
        say('preferences.takeBackWhat', { email: maskAddress(look.email) }),
        oneButton('/preferences/address/undo', token!, say('preferences.takeBackYes')),
      ),
    )
  }
}

export function takeAddressUndo(web: WebContext): RequestHandler {
  return async (request, response) => {
    const result = await undoAddressChange(web, tokenOf(request), originOf(request))
    if (result.outcome !== 'undone') return sendNotUndone(web, response, result.outcome)
    const say = sayFor(web.config, request)
    sendPage(
      response,
      web.config,
      message(
        say,
        say('preferences.isBack'),
        await withHold(
          web.db,
          say,
          say(result.isActive ? 'preferences.isBackActive' : 'preferences.isBackEnded', {
            email: maskAddress(result.email),
          }),
        ),
      ),
    )
  }
}

type NotUndone = Exclude<Awaited<ReturnType<typeof undoAddressChange>>['outcome'], 'undone'>

function sendNotUndone(web: WebContext, response: Response, outcome: NotUndone): void {
  const { config } = web
  const say = sayFor(config, response.req)
  switch (outcome) {
    case 'forged':
      return sendForged(response, config)
    case 'used':
      return sendPage(
        response,
        config,
        message(say, say('common.linkUsed'), say('preferences.addressUndoUsed'), linkByAddress(say)),
      )
    case 'expired':
      return sendOver(response, config, {
        what: say('preferences.addressUndoExpired'),
      })
    case 'ended':
      return sendOver(response, config, {
        title: say('preferences.endedTitle'),
        what: say('preferences.addressUndoEnded'),
      })
    case 'gone':
      return sendOver(response, config, { what: say('preferences.noLongerExists') })
    case 'taken':
      return sendPage(
        response,
        config,
        message(say, say('preferences.takenTitle'), say('preferences.takenNow'), linkByAddress(say)),
      )
    case 'suppressed':
      return sendPage(
        response,
        config,
        message(
          say,
          say('preferences.notMoved'),
          say('preferences.weDontMail'),
          html`${linkByAddress(say)} ${toFrontPage(say)}`,
        ),
      )
  }
}

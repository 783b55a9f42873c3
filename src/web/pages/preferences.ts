// /preferences: what a subscriber gets, how often and when. The signed link is the only key; without one the page asks for an
// address and mails it there. GET shows; every change is a POST that comes back here by redirect, so that reloading repeats nothing.
// The page that acknowledges a change takes it back by one button.

import type { Request, RequestHandler, Response } from 'express'
import { Refusal } from '../../base/errors.ts'
import { categoriesIn } from '../../articles/category-names.ts'
import { listCategories } from '../../articles/store.ts'
import { comingSections } from '../../digests/coming.ts'
import { preferencesUndoToken, readLink } from '../../subscribers/links.ts'
import { changePreferences, findLastChange, undoPreferences } from '../../subscribers/preferences.ts'
import { listSubscriptions } from '../../subscribers/store.ts'
import type { Key } from '../../messages/english.ts'
import { messagesFor } from '../../messages/messages.ts'
import { statusOf } from '../errors.ts'
import { askedLanguage } from '../language.ts'
import { field } from '../forms.ts'
import { sendPage } from '../layout.ts'
import { seeOther } from '../place.ts'
import type { WebContext } from '../web-context.ts'
import { originOf, sendForged, tokenOf, withHold } from './links.ts'
import { preferencesPage } from './preferences-form.ts'
import { type Fields, readChanges, readMove, typedOf, typedOver } from './preferences-input.ts'
import { mailLinkByAddress, sendAskForLink } from './preferences-link.ts'
import { type Opened, openPreferences } from './preferences-open.ts'
import type { Notice, PreferencesView } from './preferences-view.ts'

export function showPreferences(web: WebContext): RequestHandler {
  return async (request, response) => {
    if (request.query['token'] === undefined) return sendAskForLink(web, response)
    const opened = await openPreferences(web, request, response)
    if (opened) await sendPreferences(web, response, opened, { notice: await noticeOf(web, request, opened) })
  }
}

export function savePreferences(web: WebContext): RequestHandler {
  return async (request, response) => {
    const fields = request.body as Fields
    if (tokenOf(request) === undefined && Object.hasOwn(fields, 'email'))
      return mailLinkByAddress(web, request, response)
    const opened = await openPreferences(web, request, response)
    if (!opened) return
    const { subscriber } = opened
    if (fields['move'] !== undefined) return showMoved(web, request, response, opened)
    await orShowAgain(web, request, response, opened, async () => {
      const categories = await listCategories(web.db)
      const shown = typedOf(web, subscriber, await listSubscriptions(web.db, subscriber.id), categories)
      const changes = readChanges(web, fields, subscriber, shown, categories)
      const result = await changePreferences(web, subscriber.id, changes, originOf(request))
      // Unsubscribed since the page was opened: it says so.
      if (result.outcome !== 'changed') return seeOther(response, `/preferences?token=${opened.token}`)
      const isOther = changes.locale !== undefined && changes.locale !== subscriber.locale
      redirectDone(web, response, opened, 'saved', result.changeId, isOther ? changes.locale : undefined)
    })
  }
}

/** An up or down button without script: nothing is saved, every edit is kept. */
async function showMoved(web: WebContext, request: Request, response: Response, opened: Opened): Promise<void> {
  const fields = request.body as Fields
  const { typed } = await viewOf(web, opened, { fields })
  const move = readMove(fields['move'], typed.order)
  if (!move) return sendPreferences(web, response, opened, { fields })
  await sendPreferences(web, response, opened, {
    fields,
    order: move.order,
    moved: { slug: move.slug, way: String(fields['move']).split(':')[0]! },
    notice: { text: opened.say('preferences.orderChanged') },
  })
}

/** Takes back the change that the token names, unless something was changed later. */
export function undoSaved(web: WebContext): RequestHandler {
  return async (request, response) => {
    const opened = await openPreferences(web, request, response)
    if (!opened) return
    const link = readLink(web.config, 'preferences-undo', field(request, 'undo'), web.clock.now())
    if (link.outcome === 'forged') return sendForged(response, web.config)
    const result =
      link.outcome === 'valid'
        ? await undoPreferences(web, opened.subscriber.id, link.id, originOf(request))
        : { outcome: 'expired' as const }
    if (result.outcome === 'changed') return redirectDone(web, response, opened, 'undone', result.changeId)
    if (result.outcome === 'undone') return redirectDone(web, response, opened, 'undone', null)
    const text = opened.say(result.outcome === 'expired' ? 'preferences.undoTooLate' : 'preferences.undoNotLast')
    await sendPreferences(web, response, opened, { notice: { text }, status: statusOf.conflict })
  }
}

export type Done = 'saved' | 'undone' | 'address' | 'cancelled'

/** `changeId`: what the page that follows can take back. */
export function redirectDone(
  web: WebContext,
  response: Response,
  { token }: Opened,
  done: Done,
  changeId: number | null = null,
  /** The language that was just chosen: it replaces the `?lang=` of the page. null: the site's. */
  locale?: string | null,
): void {
  const undo = changeId === null ? '' : `&undo=${preferencesUndoToken(web.config, changeId, web.clock.now())}`
  const isAsked = locale !== undefined && askedLanguage(web.config, response.req) !== null
  const lang = isAsked ? `&lang=${messagesFor(web.config, locale).language}` : ''
  seeOther(response, `/preferences?token=${token}&done=${done}${undo}${lang}`)
}

const doneWords: Record<Done, Key> = {
  saved: 'preferences.saved',
  undone: 'preferences.undone',
  address: 'preferences.addressMailed',
  cancelled: 'preferences.addressCancelled',
}

/** What the redirect says was done, with the undo for as long as that holds. */
async function noticeOf(web: WebContext, request: Request, { say, subscriber }: Opened): Promise<Notice | undefined> {
  const { done, undo } = request.query
  if (typeof done !== 'string' || !Object.hasOwn(doneWords, done)) return undefined
  const text = say(doneWords[done as Done])
  if (done === 'address')
    return {
      text: await withHold(web.db, say, text),
      undo: { action: '/preferences/address/cancel', label: say('preferences.cancelChange') },
    }
  const link = readLink(web.config, 'preferences-undo', undo, web.clock.now())
  if (link.outcome !== 'valid' || typeof undo !== 'string') return { text }
  const last = await findLastChange(web.db, subscriber.id)
  const isLast = last?.id === link.id && last.before !== null && subscriber.status === 'active'
  return isLast ? { text, undo: { action: '/preferences/undo', token: undo, label: say('common.undo') } } : { text }
}

/** Shows the form again, with what was typed and what is wrong with it. */
export async function orShowAgain(
  web: WebContext,
  request: Request,
  response: Response,
  opened: Opened,
  act: () => Promise<void>,
): Promise<void> {
  try {
    await act()
  } catch (refusal) {
    if (!(refusal instanceof Refusal) || refusal.code !== 'invalid') throw refusal
    if (request.accepts(['html', 'json']) === 'json') throw refusal
    const fields = request.body as Fields
    await sendPreferences(web, response, opened, { refusal, fields, status: statusOf.invalid })
  }
}

interface Shown extends Pick<Partial<PreferencesView>, 'notice' | 'moved' | 'refusal'> {
  /** A form that isn't saved. */
  fields?: Fields
  order?: string[]
  status?: number
}

async function sendPreferences(web: WebContext, response: Response, opened: Opened, shown: Shown): Promise<void> {
  sendPage(response, web.config, preferencesPage(web, await viewOf(web, opened, shown), shown.status))
}

async function viewOf(web: WebContext, opened: Opened, shown: Shown): Promise<PreferencesView> {
  const { subscriber } = opened
  const { fields, order, notice, moved, refusal } = shown
  const [offered, lines, coming] = await Promise.all([
    listCategories(web.db),
    listSubscriptions(web.db, subscriber.id),
    comingSections(web, subscriber),
  ])
  const categories = categoriesIn(offered, opened.say.locale)
  const typed = typedOf(web, subscriber, lines, categories)
  const edited = fields ? typedOver(typed, fields) : typed
  return {
    ...opened,
    categories,
    coming,
    notice,
    moved,
    refusal,
    typed: order ? { ...edited, order } : edited,
    now: web.clock.now(),
  }
}

// Shared by digests and announcements that are sent by hand: pressing a button twice sends once, the retry window, and the
// question whether to continue if another edition was sent minutes ago.

import type { Request, Response } from 'express'
import type { Actor } from '../../access/audit.ts'
import { listCategories } from '../../articles/store.ts'
import { randomSecret } from '../../base/tokens.ts'
import type { Edition } from '../../db/schema.ts'
import { TriggeredJustNow } from '../../planning/trigger.ts'
import { field } from '../forms.ts'
import { html, type Html, to } from '../html.ts'
import { readId } from '../path-id.ts'
import { wakeTick } from '../../editions/wake.ts'
import type { WebContext } from '../web-context.ts'
import { sendConfirmation } from './confirm.ts'
import { editionName, editionState, progressWords } from './edition-parts.ts'
import { actorOf } from './guard.ts'
import { actorNames, moment } from './parts.ts'
import { seeOther } from '../place.ts'
import { accountsOf } from '../../editions/account.ts'

interface ByHand {
  send(how: { retryHours?: number; requestKey?: string; seenUpTo: number; actor: Actor }): Promise<Edition>
  /** The form's address. */
  path: string
  /** In the question. */
  what: string
  /** The form's fields, to be sent again. */
  fields: Html
  back: readonly [label: string, href: string]
}

/**
 * Sends it and opens its page. Or shows what was sent minutes ago, and asks. The field `seen` is the newest edition that the
 * editor has seen.
 */
export async function sendByHand(request: Request, response: Response, web: WebContext, wish: ByHand): Promise<void> {
  try {
    const { id } = await wish.send({
      retryHours: retryHoursOf(request),
      requestKey: requestKeyOf(request),
      seenUpTo: readId(field(request, 'seen')) ?? 0,
      actor: actorOf(request),
    })
    await wakeTick(web)
    seeOther(response, `/admin/editions/${id}?done=triggered`)
  } catch (error) {
    if (!(error instanceof TriggeredJustNow)) throw error
    sendConfirmation(request, response, web, {
      section: 'editions',
      title: 'Send another one?',
      explanation: html`<p class="large">Started in the last few minutes:</p>
        <ul>
          ${await recentLines(web, request, error.editions)}
        </ul>
        <p>Your own has not been sent. Send ${wish.what} as well?</p>`,
      fields: html`${wish.fields}
        ${(['once', 'retryHours'] as const).map((name) => html`<input type="hidden" name="${name}" value="${field(request, name)}" />`)}
        <input type="hidden" name="seen" value="${error.editions[0]!.id}" />`,
      post: wish.path,
      button: 'Send it as well',
      back: wish.back,
    })
  }
}

async function recentLines(web: WebContext, request: Request, editions: readonly Edition[]): Promise<Html[]> {
  const categories = await listCategories(web.db, { withRetired: true })
  const names = await actorNames(web.db)
  const accounts = await accountsOf(web.db, editions)
  const now = web.clock.now()
  return editions.map((edition) => {
    const account = accounts.get(edition.id)!
    const who =
      edition.requestedBy === actorOf(request) ? 'you' : (names.get(edition.requestedBy) ?? edition.requestedBy)
    return html`<li>
      <a href="${to(`/admin/editions/${edition.id}`)}">${editionName(edition, categories)}</a>, by ${who},
      ${moment(web.config, edition.createdAt)}:
      ${editionState(edition)}${account.audience > 0 && `, ${progressWords(account, now)}`}
    </li>`
  })
}

/** Identifies this page, so that pressing its button twice sends once. */
export const hiddenOnce = (): Html => html`<input type="hidden" name="once" value="${randomSecret()}" />`

function requestKeyOf(request: Request): string | undefined {
  const once = field(request, 'once')
  return once ? `${actorOf(request)} ${once.slice(0, 100)}` : undefined
}

/** Empty: the site's window. */
function retryHoursOf(request: Request): number | undefined {
  const text = (field(request, 'retryHours') ?? '').trim()
  return text === '' ? undefined : Number(text)
}

export const retryWindow = ({ config }: WebContext): Html =>
  html`<label for="retryHours">Hours to try again where a mail is put off</label>
    <input
      id="retryHours"
      name="retryHours"
      type="number"
      min="1"
      max="${config.mail.retryHours}"
      placeholder="${config.mail.retryHours}"
    />
    <p class="hint">After that it is given up. Blank: ${config.mail.retryHours}, as everywhere.</p>`

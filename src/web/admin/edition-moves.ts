// What an editor can do to an edition. Each button has a confirmation page that says how many mails it affects, and a sentence
// that is shown afterwards while it is true.

import type { Request, Router } from 'express'
import type { AuditLine } from '../../access/audit.ts'
import { listCategories } from '../../articles/store.ts'
import type { EditionState } from '../../db/schema.ts'
import { decideUncertain, moveEdition, retryFailed } from '../../desk/control.ts'
import { html, type Html, type HtmlValue, to } from '../html.ts'
import type { WebContext } from '../web-context.ts'
import { wakeTick } from '../../editions/wake.ts'
import { sendConfirmation } from './confirm.ts'
import { amountOf, type EditionNow, isBeforeSlot, type Move, offeredMoves, readEditionNow } from './edition-now.ts'
import { editionName, editionState, progressWords } from './edition-parts.ts'
import { actorOf } from './guard.ts'
import { sendConsole } from './layout.ts'
import { count, empty, moment, number } from './parts.ts'
import { pathId } from './query.ts'
import { seeOther } from '../place.ts'
import { isReleased, stateWords } from '../../editions/states.ts'
import { canSendAgain } from '../../delivery/send-again.ts'

interface Words {
  label: string
  /** On the confirmation page. */
  explain(web: WebContext, now: EditionNow): HtmlValue
  /** On the button of that page. */
  button(now: EditionNow): string
  isFinal?: boolean
}

const openMails = ({ account }: EditionNow): string => count(account.open, 'open mail')
const waits = ({ edition }: EditionNow): string =>
  edition.state === 'paused' ? ' The edition is paused: they wait until you resume it.' : ''
const thisEdition = (label: string) => (now: EditionNow) => `${label} edition ${now.edition.id}`

const words: Record<Move, Words> = {
  hold: {
    label: 'Hold',
    explain: () => 'It isn’t sent at its slot. It waits until an editor releases or cancels it.',
    button: thisEdition('Hold'),
  },
  release: {
    label: 'Release',
    explain: (web, now) =>
      isBeforeSlot(web, now.edition)
        ? html`It is sent at its slot, ${moment(web.config, now.edition.slotAt)}. ${dueWords(now)}`
        : html`Sending starts at once. ${now.account.open > 0 && html`It has ${openMails(now)}.`}`,
    button: thisEdition('Release'),
  },
  pause: {
    label: 'Pause',
    explain: (_web, now) =>
      `No further mail is started: ${count(now.account.open, 'open mail waits', 'open mails wait')}. Mails that are being sent at this moment are finished.`,
    button: thisEdition('Pause'),
  },
  resume: {
    label: 'Resume',
    explain: (_web, now) => `Sending continues. The edition has ${openMails(now)}.`,
    button: thisEdition('Resume'),
  },
  cancel: {
    label: 'Cancel',
    explain: (_web, now) =>
      `Nothing more of it is sent${now.account.open > 0 ? `: ${openMails(now)} will be skipped` : ''}. ` +
      'This can’t be undone. Mails that have been sent stay sent.',
    button: thisEdition('Cancel'),
    isFinal: true,
  },
  retry: {
    label: 'Retry failed',
    explain: (_web, now) =>
      `${count(now.account.failed, 'delivery', 'deliveries')} failed. ` +
      `${count(now.again!.retryable, 'mail')} can be tried again. ` +
      'Left out: subscribers who unsubscribed, paused, are on the suppression list or were erased, and those who have had ' +
      `a later digest, which included these stories.${waits(now)}`,
    button: (now) => `Retry ${count(now.again!.retryable, 'failed mail')}`,
  },
  resend: {
    label: 'Resend uncertain',
    explain: (_web, now) =>
      `${count(now.again!.undecided, 'delivery', 'deliveries')} uncertain: nobody knows whether they arrived. ` +
      `${count(now.again!.resendable, 'mail')} can be sent once more, to subscribers who can still be mailed. ` +
      `The Message-ID stays the same, so many mail programs show only one.${waits(now)}`,
    button: (now) => `Resend ${count(now.again!.resendable, 'uncertain mail')}`,
  },
  accept: {
    label: 'Take uncertain as sent',
    explain: (_web, now) =>
      `${count(now.again!.undecided, 'delivery', 'deliveries')} uncertain. They count as sent, and nothing more is done about them.`,
    button: (now) => `Take ${count(now.again!.undecided, 'uncertain mail')} as sent`,
  },
}
const moves = Object.keys(words) as Move[]

/** "1,204 subscribers are due then. …" */
export function dueWords({ due }: EditionNow): string {
  if (due === null) return 'How many are due then is still being counted.'
  if (due === 0) return 'Nobody is due then.'
  return `${count(due, 'subscriber is', 'subscribers are')} due then. Those with nothing new get no mail.`
}

export function moveButtons(now: EditionNow): Html {
  return html`${offeredMoves(now).map((move) => {
    const amount = amountOf(now, move)
    return html`<a class="button" href="${to(`/admin/editions/${now.edition.id}/${move}`)}"
      >${words[move].label}…${amount !== null && html` <b>${number(amount)}</b>`}</a
    > `
  })}`
}

/** The sentence for `?done=`. null: it is no longer true. */
export function moveNotice(now: EditionNow, done: string | undefined, history: readonly AuditLine[]): string | null {
  const { edition, account } = now
  const is = (...states: EditionState[]) => states.includes(edition.state)
  const isGoing = is('sending') && account.open > 0
  const decided = Number(
    history.find(({ action }) => action === (done === 'retry' ? 'edition.retried' : 'edition.resolved'))?.detail[
      'deliveries'
    ] ?? 0,
  )
  const mails = (words: string) => `${count(decided, 'mail')} ${decided === 1 ? 'is' : 'are'} ${words}`
  const again = (none: string) =>
    decided === 0
      ? none
      : is('paused')
        ? mails('tried again when you resume the edition.')
        : is('sending')
          ? mails('being sent again.')
          : null
  switch (done) {
    case 'hold':
      return is('held') ? 'Held. It waits for an editor.' : null
    case 'release':
      return isReleased(edition) ? 'Released. It is sent at its slot.' : isGoing ? 'Released. It is being sent.' : null
    case 'pause':
      return is('paused') ? 'Paused.' : null
    case 'resume':
      return isGoing ? 'Resumed. It is being sent.' : null
    case 'cancel':
      return is('cancelled') ? 'Cancelled.' : null
    case 'retry':
      return again('No failed mail could be tried again.')
    case 'resend':
      return again('No uncertain mail could be sent again.')
    case 'accept':
      return mails('counted as sent.')
    case 'triggered':
      return is('planning')
        ? 'Triggered. It is being planned; the counts below follow.'
        : isGoing
          ? 'Triggered. It is being sent.'
          : null
    case 'arranged':
      return is('awaiting_approval', 'held') ? 'Saved, and rendered again.' : null
    default:
      return null
  }
}

export function mountEditionMoves(router: Router, web: WebContext): void {
  for (const move of moves) {
    router.get(`/editions/:id/${move}`, async (request, response) => {
      const now = await readEditionNow(web, pathId(request))
      const { edition, account } = now
      const { label, explain, button, isFinal = false } = words[move]
      const back = ['Back to the edition', `/admin/editions/${edition.id}`] as const
      const amount = amountOf(now, move)
      const title = amount === null ? `${label} this edition?` : `${label}?`
      if (!offeredMoves(now).includes(move))
        return sendConsole(request, response, web, {
          section: 'editions',
          title,
          back,
          body: empty(whyNot(now, amount)),
        })
      const name = editionName(edition, await listCategories(web.db, { withRetired: true }))
      sendConfirmation(request, response, web, {
        section: 'editions',
        title,
        explanation: html`<p>
            <b>${name}</b>, now
            ${editionState(edition)}${account.audience > 0 && `, ${progressWords(account, web.clock.now())}`}.
          </p>
          <p>${explain(web, now)}</p>`,
        button: button(now),
        back,
        isFinal,
      })
    })
    router.post(`/editions/:id/${move}`, async (request, response) => {
      const editionId = pathId(request)
      await act(web, request, move, editionId)
      await wakeTick(web)
      seeOther(response, `/admin/editions/${editionId}?done=${move}`)
    })
  }
}

function whyNot({ edition, again }: EditionNow, amount: number | null): string {
  if (amount === null || !canSendAgain(edition))
    return `The edition is ${stateWords(edition)}, so this can’t be done now.`
  return again === null
    ? 'What can be sent again is still being counted. Reload this page in a moment.'
    : 'There is no mail in this edition that this can be done to now.'
}

async function act(web: WebContext, request: Request, move: Move, editionId: number): Promise<void> {
  const actor = actorOf(request)
  if (move === 'retry') await retryFailed(web, { editionId, actor })
  else if (move === 'resend') await decideUncertain(web, { editionId, as: 'resend', actor })
  else if (move === 'accept') await decideUncertain(web, { editionId, as: 'sent', actor })
  else await moveEdition(web, { editionId, move, actor })
}

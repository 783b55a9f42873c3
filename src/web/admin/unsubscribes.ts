// Why people unsubscribe: the reasons and ways of the last 90 days, and their texts, without names.

import type { Router } from 'express'
import { unsubscribeReasons } from '../../db/schema.ts'
import { listReasonTexts, summariseUnsubscribes, unsubscribeWays } from '../../subscribers/unsubscribes.ts'
import { html, type Html, type HtmlValue } from '../html.ts'
import { messagesFor } from '../../messages/messages.ts'
import { reasonWords } from '../pages/after-unsubscribe.ts'
import type { WebContext } from '../web-context.ts'
import { sendConsole } from './layout.ts'
import { count, empty, moment, number, slimTable } from './parts.ts'

const daysShown = 90
const textsShown = 50

const wayWords = {
  'one-click': 'by the mail program’s button (one click)',
  page: 'by the button on our page',
  mail: 'by mail',
  api: 'by the API',
  editor: 'by an editor',
}

export function mountUnsubscribes(router: Router, web: WebContext): void {
  router.get('/unsubscribes', async (request, response) => {
    const since = new Date(web.clock.now().getTime() - daysShown * 86_400_000)
    const { total, undone, ways, reasons } = await summariseUnsubscribes(web.db, since)
    const texts = await listReasonTexts(web.db, since, textsShown)
    const say = messagesFor(web.config, 'en')
    sendConsole(request, response, web, {
      section: 'subscribers',
      title: 'Unsubscribes',
      back: ['Subscribers', '/admin/subscribers'],
      body:
        total === 0
          ? empty(`Nobody has unsubscribed in the last ${daysShown} days.`)
          : html`<p>
                ${count(total, 'unsubscribe')} in the last ${daysShown}
                days${undone > 0 && `, of which ${number(undone)} undone`}.
              </p>
              ${countTable('Reason', [
                ...unsubscribeReasons.map((reason) => [say(reasonWords[reason]), reasons[reason]] as const),
                ['No reason given', reasons.none],
              ])}
              ${countTable(
                'How',
                unsubscribeWays.map((way) => [wayWords[way], ways[way]] as const),
              )}
              ${texts.length > 0 && textList(web, texts)}`,
    })
  })
}

/** Most frequent first, without those that nobody chose. */
function countTable(label: string, lines: readonly (readonly [words: string, count: number])[]): Html {
  const chosen = lines.filter(([, amount]) => amount > 0)
  if (chosen.length === 0) return html``
  return html`<h2>${label}</h2>
    ${slimTable(
      label,
      html`<tr>
        <th scope="col">${label}</th>
        <th scope="col" class="number">Number</th>
      </tr>`,
      chosen
        .toSorted((a, b) => b[1] - a[1])
        .map(
          ([words, amount]) =>
            html`<tr>
              <td>${words}</td>
              <td class="number">${number(amount)}</td>
            </tr>`,
        ),
    )}`
}

function textList(web: WebContext, texts: Awaited<ReturnType<typeof listReasonTexts>>): HtmlValue {
  const say = messagesFor(web.config, 'en')
  return html`<h2>In their own words</h2>
    <ul class="history">
      ${texts.map(
        ({ at, reason, reasonText }) =>
          html`<li>
            ${moment(web.config, at)}${reason && ` (${say(reasonWords[reason]).toLowerCase()})`}: ${reasonText}
          </li>`,
      )}
    </ul>`
}

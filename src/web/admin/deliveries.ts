// An edition's deliveries by state, with the relay's answers.

import type { Router } from 'express'
import { listCategories } from '../../articles/store.ts'
import { encodeCursor, readCursor } from '../api/cursors.ts'
import { readableAddress } from '../../base/email-address.ts'
import { html, type HtmlValue, to } from '../html.ts'
import { deliveryFilters, listEditionDeliveries, type ShownDelivery } from '../reads/deliveries.ts'
import type { WebContext } from '../web-context.ts'
import { getEdition } from './edition-now.ts'
import { editionName, skipWords } from './edition-parts.ts'
import { sendConsole } from './layout.ts'
import { empty, moment, number, pager, state, table, type Tone } from './parts.ts'
import { pathId, queryText } from './query.ts'
import { markWords } from './returned.ts'

const tones: Record<ShownDelivery['state'], Tone> = {
  queued: 'busy',
  deferred: 'warn',
  sent: 'good',
  failed: 'bad',
  skipped: 'plain',
  uncertain: 'warn',
}

export function deliveryState(
  delivery: Pick<ShownDelivery, 'state' | 'reason'> & { isOnTheWire?: boolean },
): HtmlValue {
  if (delivery.isOnTheWire) return state('sending', 'busy')
  const words = delivery.reason ? `skipped: ${skipWords[delivery.reason]}` : delivery.state
  return state(words, tones[delivery.state])
}

export function mountDeliveries(router: Router, web: WebContext): void {
  router.get('/editions/:id/deliveries', async (request, response) => {
    const edition = await getEdition(web, pathId(request))
    const filter = deliveryFilters.find((each) => each === queryText(request, 'state'))
    const cursor = queryText(request, 'cursor')
    const page = { state: filter, after: readCursor(cursor), limit: 50 }
    const { items, next } = await listEditionDeliveries(web.db, edition, page)
    const path = `/admin/editions/${edition.id}/deliveries`
    const categories = await listCategories(web.db, { withRetired: true })
    sendConsole(request, response, web, {
      section: 'editions',
      title: 'Deliveries',
      back: [editionName(edition, categories), `/admin/editions/${edition.id}`],
      body: html`<ul class="filters">
          <li><a href="${to(path)}" ${!filter && html`aria-current="true"`}>all</a></li>
          ${deliveryFilters.map(
            (each) =>
              html`<li>
                <a href="${to(`${path}?state=${each}`)}" ${each === filter && html`aria-current="true"`}>${each}</a>
              </li>`,
          )}
        </ul>
        ${
          items.length === 0
            ? empty(next === null ? 'None.' : 'None in this stretch of the edition. There is more to look through.')
            : table(
                'Deliveries',
                html`<tr>
                  <th>Address</th>
                  <th>State</th>
                  <th>Settled</th>
                  <th class="number">Tries</th>
                  <th class="number">Size</th>
                  <th>What the relay said</th>
                </tr>`,
                items.map((delivery) => deliveryRow(web, delivery)),
              )
        }
        ${pager(path, { state: filter, cursor }, next === null ? null : encodeCursor(next), ['First', 'Next'])}`,
    })
  })
}

function deliveryRow(web: WebContext, delivery: ShownDelivery): HtmlValue {
  const isWaiting = delivery.settledAt === null && delivery.nextAttemptAt !== null && delivery.state === 'deferred'
  return html`<tr>
    <td><a href="${to(`/admin/subscribers/${delivery.subscriberId}`)}">${readableAddress(delivery.recipient)}</a></td>
    <td>${deliveryState(delivery)} ${delivery.returned && markWords(delivery.returned)}</td>
    <td>
      ${isWaiting ? html`next try ${moment(web.config, delivery.nextAttemptAt)}` : moment(web.config, delivery.settledAt)}
    </td>
    <td class="number">${delivery.attempt}</td>
    <td class="number">${delivery.sizeBytes ? `${number(Math.round(delivery.sizeBytes / 1000))} kB` : ''}</td>
    <td class="reply">${delivery.smtpReply ?? delivery.smtpCode}</td>
  </tr>`
}

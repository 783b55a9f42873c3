// The list of editions, grouped by day in the site's time zone, newest first.

import type { Router } from 'express'
import { listCategories } from '../../articles/store.ts'
import type { Account, Category, Edition } from '../../db/schema.ts'
import { pageOf, readCursor } from '../api/cursors.ts'
import { html, type Html, to } from '../html.ts'
import type { WebContext } from '../web-context.ts'
import { accountBar, editionName, editionState, skippedTotal } from './edition-parts.ts'
import { sendConsole } from './layout.ts'
import { clockTime, dayName, dayOf, empty, number, pager, table } from './parts.ts'
import { queryText } from './query.ts'
import { accountsOf } from '../../editions/account.ts'

const perPage = 50

export function mountEditions(router: Router, web: WebContext): void {
  router.get('/editions', async (request, response) => {
    const cursor = queryText(request, 'cursor')
    const { items, next } = pageOf(await newestEditions(web, perPage + 1, readCursor(cursor)), perPage)
    sendConsole(request, response, web, {
      section: 'editions',
      title: 'Editions',
      actions: html`<a class="button main" href="${to('/admin/trigger')}">Send a digest now…</a>
        <a class="button" href="${to('/admin/preview')}">Preview the next</a>
        <a class="button" href="${to('/admin/announcement')}">Announcement…</a>`,
      body: html`${
        items.length === 0
          ? empty(
              'No edition yet. The first one is made at the first slot at which a subscriber is due.',
              html`<p>To see one at once, <a href="${to('/admin/trigger')}">send a digest now</a>.</p>`,
            )
          : editionTable(web, items, await listCategories(web.db, { withRetired: true }))
      }
      ${pager('/admin/editions', { cursor }, next)}`,
    })
  })
}

export interface CountedEdition extends Edition {
  counts: Account
}

export async function newestEditions(web: WebContext, limit: number, before?: number): Promise<CountedEdition[]> {
  const rows = await web.db
    .selectFrom('editions')
    .selectAll()
    .$if(before !== undefined, (query) => query.where('id', '<', before!))
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  const accounts = await accountsOf(web.db, rows)
  return rows.map((row) => ({ ...row, counts: accounts.get(row.id)! }))
}

export function editionTable(
  web: WebContext,
  editions: readonly CountedEdition[],
  categories: readonly Category[],
): Html {
  const now = web.clock.now()
  const at = (edition: Edition) => edition.slotAt ?? edition.createdAt
  const latestFirst = editions.toSorted((a, b) => at(b).getTime() - at(a).getTime() || b.id - a.id)
  const days = Map.groupBy(latestFirst, (edition) => dayOf(web.config, at(edition)))
  return table(
    'Editions',
    html`<tr>
      <th>At</th>
      <th>Edition</th>
      <th>State</th>
      <th class="number">Audience</th>
      <th class="number">Sent</th>
      <th class="number">Skipped</th>
      <th class="number">Failed</th>
      <th>Account</th>
    </tr>`,
    [...days.values()].map(
      (day) =>
        html`<tr class="group">
            <th colspan="8" scope="rowgroup">${dayName(web.config, at(day[0]!), now)}</th>
          </tr>
          ${day.map(
            (edition) =>
              html`<tr>
                <td class="tight">${clockTime(web.config, at(edition))}</td>
                <td><a href="${to(`/admin/editions/${edition.id}`)}">${editionName(edition, categories)}</a></td>
                <td>${editionState(edition)}</td>
                ${
                  edition.state === 'missed'
                    ? html`<td class="number">${number(edition.missed)}</td>
                        <td colspan="4">missed their slot while nothing ran</td>`
                    : edition.counts.audience === 0
                      ? html`<td class="number none">–</td>
                          <td colspan="4" class="none">
                            ${edition.closedAt || edition.state === 'cancelled' ? edition.note : 'not planned yet'}
                          </td>`
                      : html`<td class="number">${number(edition.counts.audience)}</td>
                          <td class="number">${number(edition.counts.sent)}</td>
                          <td class="number">${number(skippedTotal(edition.counts))}</td>
                          <td class="number">${number(edition.counts.failed)}</td>
                          <td class="progress">${accountBar(edition.counts)}</td>`
                }
              </tr>`,
          )}`,
    ),
  )
}

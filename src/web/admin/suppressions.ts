// The suppression list: who must not be mailed, and why. Removing an address has a confirmation page, because the recipient may
// have asked for it.

import type { Router } from 'express'
import { noteAction } from '../../access/audit.ts'
import { Refusal } from '../../base/errors.ts'
import { readAddress } from '../../subscribers/subscribe.ts'
import { findSuppression } from '../../subscribers/standing.ts'
import { suppressAddress, unsuppress } from '../../subscribers/suppression.ts'
import { listSuppressions } from '../../subscribers/suppression-list.ts'
import { readSuppressionCursor, suppressionPage } from '../api/suppressions.ts'
import { field, readForm } from '../forms.ts'
import { readableAddress, readableDomain } from '../../base/email-address.ts'
import { html, to } from '../html.ts'
import type { WebContext } from '../web-context.ts'
import { sendConfirmation } from './confirm.ts'
import { actorOf } from './guard.ts'
import { sendConsole } from './layout.ts'
import {
  filterForm,
  filterOf,
  isFiltered,
  mountSuppressionUndo,
  readFilter,
  reasonWords,
  undoLink,
} from './suppression-filter.ts'
import { empty, moment, pager, table } from './parts.ts'
import { noticeOf, queryText } from './query.ts'
import { seeOther } from '../place.ts'

export function mountSuppressions(router: Router, web: WebContext): void {
  router.get('/suppressions', async (request, response) => {
    const email = queryText(request, 'email')
    const cursor = queryText(request, 'cursor')
    const given = readFilter(request)
    const filter = filterOf(given)
    const found = email ? await findSuppression(web, readAddress(email)) : undefined
    const rows = email
      ? [found].filter((row) => row !== undefined)
      : await listSuppressions(web.db, { limit: 51, before: readSuppressionCursor(cursor), filter })
    const { items, next } = suppressionPage(rows, 50, (row) => row)
    sendConsole(request, response, web, {
      section: 'suppressions',
      title: 'Suppressions',
      notice: noticeOf(request, {
        added: 'Address added to the suppression list. Nothing is mailed there any more.',
        removed: 'Address removed from the suppression list. If it was confirmed, digests resume.',
        'none-undone': 'No address matched, so none was removed.',
        undone: 'Addresses removed from the suppression list. Where they were confirmed, digests resume.',
      }),
      body: html`<p>
          Addresses that must not be mailed, whatever the form or an import says. Where too many are called dead at
          once,
          <a href="${to('/admin/brakes')}">a brake</a> keeps them from getting here.
        </p>
        <form method="get" class="inline-form" role="search">
          <div>
            <label for="find">Address</label>
            <input id="find" name="email" type="email" value="${email}" autocomplete="off" />
          </div>
          <button>Find</button>
        </form>
        ${filterForm(given)}
        ${
          items.length === 0
            ? empty(
                email ? `${email} is not on the list.` : isFiltered(filter) ? 'None like that.' : 'Nobody is on it.',
              )
            : table(
                'Suppressions',
                html`<tr>
                  <th>Address</th>
                  <th>Why</th>
                  <th>Since</th>
                  <th>Detail</th>
                  <td></td>
                </tr>`,
                items.map(
                  (row) =>
                    html`<tr>
                      <td>
                        ${(row.email && readableAddress(row.email)) ?? html`<code title="${row.emailHash}">fingerprint ${row.emailHash.slice(0, 12)}…</code>`}
                      </td>
                      <td>${reasonWords[row.reason]}</td>
                      <td>${moment(web.config, row.createdAt, { withYear: true })}</td>
                      <td class="reply">
                        ${row.detail}${row.relay && html` <span class="small">(${row.domain && readableDomain(row.domain)}, by ${row.relay})</span>`}
                      </td>
                      <td><a href="${to(`/admin/suppressions/${row.emailHash}/remove`)}">Take off…</a></td>
                    </tr>`,
                ),
              )
        }
        ${pager('/admin/suppressions', { ...given, cursor }, next)} ${items.length > 0 && !email && undoLink(given)}
        <h2>Add an address</h2>
        <form method="get" action="${to('/admin/suppressions/add')}">
          <label for="email">Address</label>
          <input id="email" name="email" type="email" required maxlength="254" autocomplete="off" />
          <p class="buttons"><button>Add it…</button></p>
        </form>`,
    })
  })

  mountSuppressionUndo(router, web)

  router.get('/suppressions/add', (request, response) => {
    const { email } = readAddress(queryText(request, 'email'))
    sendConfirmation(request, response, web, {
      section: 'suppressions',
      title: `Never mail ${email}?`,
      explanation: html`<p>No digest, confirmation or announcement goes there any more, whoever asks.</p>`,
      fields: html`<input type="hidden" name="email" value="${email}" />
        <label for="detail">Why? <span class="small">(optional)</span></label>
        <input id="detail" name="detail" maxlength="300" autocomplete="off" />`,
      button: 'Put it on the list',
      back: ['Suppressions', '/admin/suppressions'],
    })
  })

  router.post('/suppressions/add', readForm, async (request, response) => {
    const address = readAddress(field(request, 'email'))
    await suppressAddress(web, address, 'manual', field(request, 'detail') ?? '')
    const { emailHash } = (await findSuppression(web, address))!
    const entry = { actor: actorOf(request), action: 'suppression.added', subject: `suppression:${emailHash}` }
    await noteAction(web, entry)
    seeOther(response, '/admin/suppressions?done=added')
  })

  router.get('/suppressions/:hash/remove', async (request, response) => {
    const row = await web.db
      .selectFrom('suppressions')
      .selectAll()
      .where('emailHash', '=', request.params.hash)
      .executeTakeFirst()
    if (!row) throw new Refusal('not_found', 'This address is not on the list.')
    sendConfirmation(request, response, web, {
      section: 'suppressions',
      title: `Take ${(row.email && readableAddress(row.email)) ?? 'this fingerprint'} off the list?`,
      explanation: html`<p>
        It is there because: ${reasonWords[row.reason]}. Mailing an address that bounced or complained harms the
        delivery of everybody’s mail. Do it only if the person asked for it.
      </p>`,
      button: 'Take it off the list',
      back: ['Suppressions', '/admin/suppressions'],
      isFinal: true,
    })
  })

  router.post('/suppressions/:hash/remove', async (request, response) => {
    const { hash } = request.params
    if (!(await unsuppress(web, hash))) throw new Refusal('not_found', 'This address is not on the list.')
    await noteAction(web, { actor: actorOf(request), action: 'suppression.removed', subject: `suppression:${hash}` })
    seeOther(response, '/admin/suppressions?done=removed')
  })
}

// The audit log: who did what, newest first. Each part of a line links to all lines with that part.

import type { Router } from 'express'
import { listAudit } from '../../access/audit.ts'
import { pageOf, readCursor } from '../api/cursors.ts'
import { html, to } from '../html.ts'
import type { WebContext } from '../web-context.ts'
import { sendConsole } from './layout.ts'
import { actorNames, empty, moment, pager, table } from './parts.ts'
import { queryText } from './query.ts'

export function mountAudit(router: Router, web: WebContext): void {
  router.get('/audit', async (request, response) => {
    const filter = {
      actor: queryText(request, 'actor'),
      action: queryText(request, 'action'),
      subject: queryText(request, 'subject'),
    }
    const cursor = queryText(request, 'cursor')
    const rows = await listAudit(web.db, { ...filter, before: readCursor(cursor), limit: 51 })
    const { items, next } = pageOf(rows, 50)
    const names = await actorNames(web.db)
    const filtered = Object.entries(filter).find(([, value]) => value)
    sendConsole(request, response, web, {
      section: 'audit',
      title: 'Audit log',
      body: html`${filtered && html`<p>Only ${filtered[0]} <b>${filtered[1]}</b>. <a href="${to('/admin/audit')}">Show all</a></p>`}
      ${
        items.length === 0
          ? empty('Nothing yet. What editors, keys and commands change is written here.')
          : table(
              'Audit log',
              html`<tr>
                <th>When</th>
                <th>Who</th>
                <th>What</th>
                <th>To what</th>
                <th>Detail</th>
              </tr>`,
              items.map(
                (line) =>
                  html`<tr>
                    <td>${moment(web.config, line.at)}</td>
                    <td><a href="?actor=${line.actor}">${names.get(line.actor) ?? line.actor}</a></td>
                    <td><a href="?action=${line.action}">${line.action.replace('.', ' ').replaceAll('_', ' ')}</a></td>
                    <td>${line.subject && html`<a href="?subject=${line.subject}">${line.subject}</a>`}</td>
                    <td class="detail">${detailText(line.detail)}</td>
                  </tr>`,
              ),
            )
      }
      ${pager('/admin/audit', { ...filter, cursor }, next)}`,
    })
  })
}

function detailText(detail: Record<string, unknown>): string {
  return Object.entries(detail)
    .map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ')
}

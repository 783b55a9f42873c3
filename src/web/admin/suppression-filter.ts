// Suppressions by time, domain and reason: the form, and undoing all that it shows.

import type { Request, Router } from 'express'
import { invalid } from '../../base/errors.ts'
import {
  checkUndo,
  countSuppressions,
  type SuppressionFilter,
  suppressionReasons,
  undoableReasons,
  undoSuppressions,
} from '../../subscribers/suppression-list.ts'
import { field, readForm } from '../forms.ts'
import { html, type Html, type HtmlValue, to } from '../html.ts'
import type { WebContext } from '../web-context.ts'
import { sendConfirmation } from './confirm.ts'
import { actorOf } from './guard.ts'
import { sendConsole } from './layout.ts'
import { count, empty, moment } from './parts.ts'
import { queryText } from './query.ts'
import { seeOther } from '../place.ts'
import type { SuppressionsTable } from '../../db/schema.ts'

export const reasonWords: Record<SuppressionsTable['reason'], string> = {
  hard_bounce: 'the address is dead',
  soft_bounces: 'bounced again and again',
  complaint: 'marked as spam',
  erasure: 'asked to be erased',
  manual: 'by an editor or a key',
}

const names = ['reason', 'domain', 'from', 'to'] as const
/** The fields of the form. */
type Given = Record<(typeof names)[number], string | undefined>

export function readFilter(request: Request): Given {
  return Object.fromEntries(names.map((name) => [name, queryText(request, name)])) as Given
}

/** Throws a Refusal. */
export function filterOf({ reason, domain, from, to }: Given): SuppressionFilter {
  const known = suppressionReasons.find((each) => each === reason)
  if (reason && !known) throw invalid('reason', `must be one of ${suppressionReasons.join(', ')}`)
  return { reason: known, domain: domain?.replace(/^.*@/, ''), from: readTime('from', from), to: readTime('to', to) }
}

/** The value of an input of type datetime-local, as UTC. */
function readTime(name: string, text: string | undefined): Date | undefined {
  if (!text) return undefined
  const at = new Date(/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?$/.test(text) ? `${text}Z` : text)
  if (Number.isNaN(at.getTime())) throw invalid(name, 'must be a time, such as 2026-03-02T07:00')
  return at
}

export const isFiltered = (filter: SuppressionFilter): boolean => Object.values(filter).some(Boolean)

export function filterForm({ reason, domain, from, to }: Given): Html {
  return html`<form method="get" class="inline-form" aria-label="Filter">
    <div>
      <label for="reason">Why</label>
      <select id="reason" name="reason">
        <option value="">any reason</option>
        ${suppressionReasons.map(
          (each) => html`<option value="${each}" ${each === reason && html`selected`}>${reasonWords[each]}</option>`,
        )}
      </select>
    </div>
    <div>
      <label for="domain">Domain</label>
      <input id="domain" name="domain" value="${domain}" autocomplete="off" placeholder="paper.example" />
    </div>
    <div>
      <label for="from">From (UTC)</label>
      <input id="from" name="from" type="datetime-local" value="${from}" />
    </div>
    <div>
      <label for="to">Until (UTC)</label>
      <input id="to" name="to" type="datetime-local" value="${to}" />
    </div>
    <button>Filter</button>
  </form>`
}

/** Shown if the chosen reason can be undone in bulk. */
export function undoLink(given: Given): HtmlValue {
  if (!undoableReasons.some((each) => each === given.reason))
    return html`<p class="small">Choose a reason to take all that are shown off the list at once.</p>`
  const search = new URLSearchParams(Object.entries(given).filter((pair): pair is [string, string] => Boolean(pair[1])))
  return html`<p>
    <a class="button" href="${to(`/admin/suppressions/undo?${search.toString()}`)}">Take all of these off…</a>
  </p>`
}

export function mountSuppressionUndo(router: Router, web: WebContext): void {
  router.get('/suppressions/undo', async (request, response) => {
    const given = readFilter(request)
    const filter = filterOf(given)
    checkUndo(filter)
    // Suppressions that are added while the page is read aren't included.
    const to = filter.to ?? web.clock.now()
    const found = await countSuppressions(web.db, { ...filter, to })
    const { reason, domain, from } = filter
    if (found === 0)
      return sendConsole(request, response, web, {
        section: 'suppressions',
        title: 'Nothing to take off the list',
        back: ['Suppressions', '/admin/suppressions'],
        body: empty('No address on the list matches.'),
      })
    sendConfirmation(request, response, web, {
      section: 'suppressions',
      title: `Take ${count(found, 'address', 'addresses')} off the list?`,
      explanation: html`<p>
          All that are on it because:
          ${reasonWords[reason!]}${domain && html`, at <b>${domain}</b>`}${
            from && html`, since ${moment(web.config, from, { withYear: true })}`
          },
          until ${moment(web.config, to, { withYear: true })}. Their subscribers are again what they were before, and
          are mailed again if they were active.
        </p>
        <p>
          Mailing addresses that bounced or complained harms the delivery of everybody’s mail. Do it only where a server
          was wrong, or where they were put here by mistake.
        </p>`,
      fields: html`${Object.entries({ ...given, to: to.toISOString() }).map(
        ([name, value]) => value && html`<input type="hidden" name="${name}" value="${value}" />`,
      )}`,
      button: `Take ${count(found, 'address', 'addresses')} off`,
      back: ['Suppressions', '/admin/suppressions'],
      post: '/admin/suppressions/undo',
      isFinal: true,
    })
  })

  router.post('/suppressions/undo', readForm, async (request, response) => {
    const given = Object.fromEntries(names.map((name) => [name, field(request, name)?.slice(0, 300)])) as Given
    const removed = await undoSuppressions(web, filterOf(given), actorOf(request))
    seeOther(response, `/admin/suppressions?done=${removed > 0 ? 'undone' : 'none-undone'}`)
  })
}

// Returned mail: its own page, and the parts on the pages of an edition and of a subscriber.

import type { Router } from 'express'
import { invalid } from '../../base/errors.ts'
import { findSetting } from '../../db/settings.ts'
import type { InboundReportsTable, ReportEffect } from '../../db/schema.ts'
import { retryFailed } from '../../inbound/retry.ts'
import { type ImapState, imapStateKey } from '../../inbound/imap.ts'
import { pageOf, readCursor } from '../api/cursors.ts'
import { readableAddress, readableDomain } from '../../base/email-address.ts'
import { html, type Html, type HtmlValue, to } from '../html.ts'
import {
  countReturned,
  type InboundReportRow,
  inboundFilters,
  listInbound,
  listReportsOf,
  listReturnedOf,
  type Mark,
  type ShownInbound,
  waysIn,
} from '../reads/returned.ts'
import { seeOther } from '../place.ts'
import type { WebContext } from '../web-context.ts'
import { field, readForm } from '../forms.ts'
import { actorOf } from './guard.ts'
import { sendConsole } from './layout.ts'
import { count, empty, moment, number, pager, type Row, rowList, state, table, type Tone } from './parts.ts'
import { noticeOf, queryText } from './query.ts'

const classTones: Record<InboundReportsTable['class'], Tone> = {
  hard: 'bad',
  soft: 'warn',
  complaint: 'bad',
  unsubscribe: 'plain',
  autoreply: 'plain',
  delivered: 'good',
  unknown: 'plain',
}
const effectWords: Record<ReportEffect, string> = {
  suppressed: 'the address was suppressed',
  counted: 'counted against the address',
  braked: 'waits for an editor’s decision about a brake',
  unsubscribed: 'unsubscribed',
  'sender-refused': 'refused because of us: nothing follows for the subscriber',
  shown: 'shown only: this proof is too weak for more',
  'too-old': 'nothing: the mail is older than 30 days, or gone',
  'not-ours': 'nothing: it names no mail of ours',
  repeated: 'nothing: it was said before',
  nothing: 'nothing',
}
const sourceWords: Record<ShownInbound['source'], string> = {
  listener: 'by a mail server',
  imap: 'from the mailbox',
  ses: 'from Amazon SES',
  mailgun: 'from Mailgun',
  command: 'by a command',
}
/** `user_unknown` in words. */
const plain = (reason: string): string => reason.replaceAll('_', ' ')

/** "returned: hard, user unknown". */
export function markWords({ class: kind, reason }: Pick<Mark, 'class' | 'reason'>): Html {
  return state(`returned: ${[kind, plain(reason)].filter(Boolean).join(', ')}`, classTones[kind])
}

export function nothingComesBack(web: WebContext): HtmlValue {
  if (web.config.trial || waysIn(web.config).length > 0) return null
  return html`<p>
    ${state('Look', 'warn')} Nothing comes back: no bounce or complaint that follows the relay’s answer is seen. The
    operator’s manual says how to set that up (<i>Mail that comes back</i>).
  </p>`
}

/** Below an edition's account, which it doesn't change. */
export async function returnedOfEdition(web: WebContext, edition: { id: number }, sent: number): Promise<Html> {
  const returned = (await countReturned(web.db, [edition.id])).get(edition.id)!
  const all = returned.hard + returned.soft + returned.complaint
  if (all === 0 && sent === 0) return html``
  if (all === 0)
    return html`${nothingComesBack(web) ?? (waysIn(web.config).length > 0 && html`<p class="small">Of what was sent nothing has come back.</p>`)}`
  const lines = await listReturnedOf(web.db, edition.id, 51)
  return html`<h2>What came back</h2>
    <p>
      Of ${count(sent, 'mail')} sent,
      <a href="${to(`/admin/editions/${edition.id}/deliveries?state=returned`)}">${number(all)} came back</a>:
      ${number(returned.hard)} hard, ${number(returned.soft)} soft, ${count(returned.complaint, 'complaint')}. The
      account counts them as sent.
    </p>
    ${table(
      'What came back, by domain and reason',
      html`<tr>
        <th>Domain</th>
        <th>What</th>
        <th>Reason</th>
        <th class="number">Mails</th>
      </tr>`,
      lines.slice(0, 50).map(
        (line) =>
          html`<tr>
            <td>${readableDomain(line.domain)}</td>
            <td>${state(line.class, classTones[line.class])}</td>
            <td>${plain(line.reason)}</td>
            <td class="number">${number(line.count)}</td>
          </tr>`,
      ),
    )}
    ${lines.length > 50 && html`<p class="small">and fewer at other domains</p>`}`
}

export async function returnedOfSubscriber(web: WebContext, subscriberId: number): Promise<Html> {
  const reports = await listReportsOf(web.db, subscriberId, 50)
  if (reports.length === 0) return html`${nothingComesBack(web) ?? empty('Nothing has come back.')}`
  return rowList(
    'What came back',
    reports.map((report) => ({ ...reportRow(web, report), title: moment(web.config, report.at, { withYear: true }) })),
  )
}

function reportRow(web: WebContext, report: InboundReportRow): Omit<Row, 'title'> {
  return {
    state: state(report.class, classTones[report.class]),
    facts: [
      report.reason !== '' && ['Reason', plain(report.reason)],
      report.status !== null && ['Status', report.status],
      ['What follows', effectWords[report.effect]],
      report.proof !== null && ['Proof', plain(report.proof.replaceAll('-', ' '))],
    ],
    more: report.diagnostic && html`<span class="reply">${report.diagnostic}</span>`,
  }
}

export function mountReturned(router: Router, web: WebContext): void {
  router.get('/returned', async (request, response) => {
    const filter = inboundFilters.find((each) => each === queryText(request, 'show'))
    const cursor = queryText(request, 'cursor')
    const rows = await listInbound(web.db, { limit: 51, before: readCursor(cursor), filter })
    const { items, next } = pageOf(rows, 50)
    sendConsole(request, response, web, {
      section: 'returned',
      title: 'Returned mail',
      notice: noticeOf(request, {
        retried: 'The worker retries it now.',
        'none-retried': 'Nothing could be retried: the text of a mail is kept for 30 days.',
      }),
      body: html`${await waysPart(web)}
        <ul class="filters">
          <li><a href="${to('/admin/returned')}" ${!filter && html`aria-current="true"`}>all</a></li>
          ${inboundFilters.map(
            (each) =>
              html`<li>
                <a href="${to(`/admin/returned?show=${each}`)}" ${each === filter && html`aria-current="true"`}
                  >${each}</a
                >
              </li>`,
          )}
        </ul>
        ${filter && html`<p class="small">${filterWords[filter]}</p>`}
        ${filter === 'failed' && items.length > 0 && retryForm('Retry all of them')}
        ${
          items.length === 0
            ? empty('None.')
            : rowList(
                'Returned mail',
                items.map((each) => eventRow(web, each, filter === 'failed')),
              )
        }
        ${pager('/admin/returned', { show: filter, cursor }, next)}`,
    })
  })

  router.post('/returned/retry', readForm, async (request, response) => {
    const given = field(request, 'id')
    if (given && !/^[1-9]\d{0,14}$/.test(given)) throw invalid('id', 'Must be a whole number.')
    const retried = await retryFailed(web, { id: given ? Number(given) : undefined, actor: actorOf(request) })
    seeOther(response, `/admin/returned?show=failed&done=${retried ? 'retried' : 'none-retried'}`)
  })
}

/** `id`: one mail; without: all that failed. */
const retryForm = (label: string, id?: number): Html =>
  html`<form method="post" action="${to('/admin/returned/retry')}">
    ${id !== undefined && html`<input type="hidden" name="id" value="${id}" />`}
    <button>${label}</button>
  </form>`

const filterWords = {
  unmatched: 'What names no mail of ours, or says nothing about one: nothing follows from it.',
  failed: 'What couldn’t be applied in five attempts. Its text is kept for 30 days.',
  waiting: 'What a worker has still to read.',
}

async function waysPart(web: WebContext): Promise<HtmlValue> {
  const ways = waysIn(web.config)
  if (ways.length === 0)
    return nothingComesBack(web) ?? html`<p>The trial’s mail stays in its mailbox, so nothing comes back.</p>`
  const imap = web.config.inbound.imap ? await findSetting<ImapState>(web.db, imapStateKey) : undefined
  return html`<p>Bounces, complaints and unsubscribes come back ${ways.join(', ')}.</p>
    ${
      imap?.problem &&
      html`<p>
        ${state('Act', 'bad')} The mailbox of INBOUND_IMAP can’t be read since
        ${moment(web.config, new Date(imap.since), { withYear: true })}. ${imap.problem}
      </p>`
    }`
}

function eventRow(web: WebContext, event: ShownInbound, isFailed: boolean): Row {
  const [first, ...others] = event.reports
  const shown = event.appliedAt
    ? first
      ? state(first.class, classTones[first.class])
      : state(event.kind ?? 'other', 'plain')
    : state(event.problem ? 'not applied' : 'waiting', event.problem ? 'bad' : 'busy')
  const recipient = first?.recipient ? readableAddress(first.recipient) : null
  const whom = recipient ?? 'nobody named'
  return {
    title:
      first && first.subscriberId !== null
        ? html`<a href="${to(`/admin/subscribers/${first.subscriberId}`)}">${recipient ?? 'a subscriber'}</a>`
        : whom,
    state: shown,
    under: html`${moment(web.config, event.receivedAt, { withYear: true })}, ${sourceWords[event.source]}`,
    trouble: !event.appliedAt && event.problem,
    actions: isFailed && retryForm('Retry', event.id),
    facts: first ? reportRow(web, first).facts : [],
    more: html`${first?.diagnostic && html`<span class="reply">${first.diagnostic}</span>`}
    ${others.length > 0 && html`<p class="small">and ${count(others.length, 'more report')}</p>`}`,
  }
}

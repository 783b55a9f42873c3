// Subscribers: found by address, newest first otherwise; and the page of one, which answers "why did (or didn't) I get this?".

import type { Request, Router } from 'express'
import { noteAction } from '../../access/audit.ts'
import { listCategories } from '../../articles/store.ts'
import { Refusal } from '../../base/errors.ts'
import { subscriberStatuses, type SubscriberStatus } from '../../db/schema.ts'
import { explainRecent, standingOf } from '../../digests/explain.ts'
import { eraseSubscriber } from '../../subscribers/erase.ts'
import { scheduleOf } from '../../subscribers/subscriptions.ts'
import { unsubscribe } from '../../subscribers/unsubscribe.ts'
import { pageOf, readCursor } from '../api/cursors.ts'
import { html, type Html } from '../html.ts'
import { listDeliveriesOf } from '../../delivery/history.ts'
import {
  findShownSubscriber,
  findSubscribersByAddress,
  listSubscribers,
  type ShownSubscriber,
} from '../reads/subscribers.ts'
import type { WebContext } from '../web-context.ts'
import { sendConfirmation } from './confirm.ts'
import { deliveryState } from './deliveries.ts'
import { editionName } from './edition-parts.ts'
import { actorOf } from './guard.ts'
import { sendConsole } from './layout.ts'
import { empty, facts, moment, pager, sentence, slimTable, state, table, type Tone } from './parts.ts'
import { noticeOf, pathId, queryText } from './query.ts'

const tones: Record<SubscriberStatus, Tone> = {
  pending: 'busy',
  active: 'good',
  unsubscribed: 'plain',
  suppressed: 'bad',
}
const weekdays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']

export function mountSubscribers(router: Router, web: WebContext): void {
  router.get('/subscribers', async (request, response) => {
    const email = queryText(request, 'email')
    const status = subscriberStatuses.find((each) => each === queryText(request, 'status'))
    const cursor = queryText(request, 'cursor')
    const rows = email
      ? await findSubscribersByAddress(web.db, email)
      : await listSubscribers(web.db, { status, before: readCursor(cursor), limit: 51 })
    const { items, next } = pageOf(rows, 50)
    sendConsole(request, response, web, {
      section: 'subscribers',
      title: 'Subscribers',
      notice: noticeOf(request, {
        erased: 'Erased. Only a keyed fingerprint of the address is kept, so that it isn’t mailed again.',
      }),
      body: html`<form method="get" class="inline-form" role="search">
          <div>
            <label for="email">Address</label>
            <input id="email" name="email" type="text" inputmode="email" value="${email}" autocomplete="off" />
          </div>
          <button>Find</button>
        </form>
        ${
          !email &&
          html`<ul class="filters">
            <li><a href="/admin/subscribers" ${!status && html`aria-current="true"`}>all</a></li>
            ${subscriberStatuses.map(
              (each) =>
                html`<li>
                  <a href="/admin/subscribers?status=${each}" ${each === status && html`aria-current="true"`}
                    >${each}</a
                  >
                </li>`,
            )}
          </ul>`
        }
        ${items.length === 0 ? nobody(email) : subscriberTable(web, items)}
        ${pager('/admin/subscribers', { status, cursor }, next)}`,
    })
  })

  router.get('/subscribers/:id', async (request, response) => {
    const subscriber = await getShown(web, request)
    const { id } = subscriber
    const isIn = subscriber.status === 'active' || subscriber.status === 'pending'
    sendConsole(request, response, web, {
      section: 'subscribers',
      title: subscriber.email,
      back: ['Subscribers', '/admin/subscribers'],
      notice: noticeOf(request, { unsubscribed: 'Unsubscribed: nothing further is sent.' }),
      actions: html`${subscriber.status === 'active' && html`<a class="button" href="/admin/preview?subscriber=${id}">Preview their next</a>`}
        ${isIn && html`<a class="button" href="/admin/subscribers/${id}/unsubscribe">Unsubscribe…</a>`}
        <a class="button" href="/admin/subscribers/${id}/erase">Erase…</a>`,
      body: html`${subscriberFacts(web, subscriber)}
        <h2>Chosen</h2>
        ${choices(subscriber)}
        <h2>Recent editions, and why</h2>
        ${await editions(web, subscriber)}
        <h2>Deliveries</h2>
        ${await deliveries(web, subscriber)}
        <h2>Consents</h2>
        ${await consents(web, id)}`,
    })
  })

  const asked = {
    unsubscribe: {
      title: 'Unsubscribe',
      words: 'No further digest or announcement is sent, queued or not. They can come back by themselves.',
      isFinal: false,
    },
    erase: {
      title: 'Erase',
      words:
        'Everything kept about this person is deleted: choices, consents, what they were sent. A keyed fingerprint stays, so that the address isn’t mailed again. This can’t be taken back.',
      isFinal: true,
    },
  }
  for (const action of ['unsubscribe', 'erase'] as const)
    router.get(`/subscribers/:id/${action}`, async (request, response) => {
      const subscriber = await getShown(web, request)
      sendConfirmation(request, response, web, {
        section: 'subscribers',
        title: `${asked[action].title} ${subscriber.email}?`,
        explanation: html`<p>${asked[action].words}</p>`,
        button: `${asked[action].title} this subscriber`,
        back: [subscriber.email, `/admin/subscribers/${subscriber.id}`],
        isFinal: asked[action].isFinal,
      })
    })

  router.post('/subscribers/:id/unsubscribe', async (request, response) => {
    const { id } = await getShown(web, request)
    await unsubscribe(web, id, { way: 'editor', origin: { ip: null, formUrl: '/admin' } })
    await noteAction(web, { actor: actorOf(request), action: 'subscriber.unsubscribed', subject: `subscriber:${id}` })
    response.redirect(303, `/admin/subscribers/${id}?done=unsubscribed`)
  })

  router.post('/subscribers/:id/erase', async (request, response) => {
    const { id } = await getShown(web, request)
    await eraseSubscriber(web, id)
    await noteAction(web, { actor: actorOf(request), action: 'subscriber.erased', subject: `subscriber:${id}` })
    response.redirect(303, '/admin/subscribers?done=erased')
  })
}

async function getShown(web: WebContext, request: Request): Promise<ShownSubscriber> {
  const subscriber = await findShownSubscriber(web.db, pathId(request))
  if (!subscriber) throw new Refusal('not_found', 'There is no such subscriber. They may have been erased.')
  return subscriber
}

const nobody = (email: string | undefined): Html =>
  email
    ? empty(
        html`Nobody with the address <b>${email}</b>. Type it whole.`,
        html`<p>It may be on <a href="/admin/suppressions?email=${email}">the suppression list</a>.</p>`,
      )
    : empty(
        'Nobody here.',
        html`<p>
          Readers sign up on <a href="/">the public page</a>, or on any page that embeds <a href="/embed">the form</a>.
        </p>`,
      )

function subscriberTable(web: WebContext, subscribers: readonly ShownSubscriber[]): Html {
  return table(
    'Subscribers',
    html`<tr>
      <th>Address</th>
      <th>Status</th>
      <th>Chosen</th>
      <th>Next due</th>
      <th>Since</th>
    </tr>`,
    subscribers.map(
      (subscriber) =>
        html`<tr>
          <td><a href="/admin/subscribers/${subscriber.id}">${subscriber.email}</a></td>
          <td>${state(subscriber.status, tones[subscriber.status])}</td>
          <td>
            ${subscriber.subscriptions.map((line) => `${line.name} ${line.frequency}`).join(', ') || html`<span class="none">nothing</span>`}
          </td>
          <td>${moment(web.config, subscriber.nextDueAt)}</td>
          <td>${moment(web.config, subscriber.createdAt, { withYear: true })}</td>
        </tr>`,
    ),
  )
}

function subscriberFacts(web: WebContext, subscriber: ShownSubscriber): Html {
  const now = web.clock.now()
  const schedule = scheduleOf(web.config, subscriber, subscriber.frequencies)
  const own = (isOwn: boolean) => (isOwn ? '' : ' (the site’s)')
  const { timezone, sendHour, weeklyDay, monthlyDay, pausedUntil } = subscriber
  return facts([
    ['Status', state(subscriber.status, tones[subscriber.status])],
    ['Next due', subscriber.nextDueAt ? moment(web.config, subscriber.nextDueAt) : whyNever(subscriber)],
    pausedUntil !== null && pausedUntil > now && ['Paused until', moment(web.config, pausedUntil)],
    ['Hour', `${String(schedule.hour).padStart(2, '0')}:00${own(sendHour !== null)}`],
    ['Time zone', `${schedule.timezone}${own(timezone !== null)}`],
    ['Weekly on', `${weekdays[schedule.weeklyDay - 1]}${own(weeklyDay !== null)}`],
    ['Monthly on day', `${schedule.monthlyDay}${own(monthlyDay !== null)}`],
    ['Signed up', moment(web.config, subscriber.createdAt, { withYear: true })],
    ['Confirmed', moment(web.config, subscriber.confirmedAt, { withYear: true })],
    subscriber.unsubscribedAt !== null && [
      'Unsubscribed',
      moment(web.config, subscriber.unsubscribedAt, { withYear: true }),
    ],
  ])
}

function whyNever(subscriber: ShownSubscriber): string {
  if (subscriber.status === 'pending') return 'never: not confirmed yet'
  if (subscriber.status !== 'active') return `never: ${subscriber.status}`
  return 'never: no category chosen'
}

const choices = (subscriber: ShownSubscriber): Html =>
  subscriber.subscriptions.length === 0
    ? empty('No category.')
    : slimTable(
        'Chosen categories',
        html`<tr>
          <th>Category</th>
          <th>How often</th>
        </tr>`,
        subscriber.subscriptions.map(
          (line) =>
            html`<tr>
              <td>${line.name}</td>
              <td>${line.frequency}</td>
            </tr>`,
        ),
      )

async function editions(web: WebContext, subscriber: ShownSubscriber): Promise<Html> {
  const categories = await listCategories(web.db, { withRetired: true })
  const explained = await explainRecent(web, subscriber)
  return html`<p>This subscriber ${sentence(web.config, standingOf(subscriber))}</p>
    ${
      explained.length > 0 &&
      table(
        'Recent editions',
        html`<tr>
          <th>At</th>
          <th>Edition</th>
          <th>What came of it</th>
        </tr>`,
        explained.map(
          ({ edition, at, why }) =>
            html`<tr>
              <td>${moment(web.config, at)}</td>
              <td><a href="/admin/editions/${edition.id}">${editionName(edition, categories)}</a></td>
              <td class="detail">${sentence(web.config, why)}</td>
            </tr>`,
        ),
      )
    }`
}

async function deliveries(web: WebContext, subscriber: ShownSubscriber): Promise<Html> {
  const list = await listDeliveriesOf(web.db, subscriber.id, 50)
  if (list.length === 0) return empty('No mail yet.')
  return table(
    'Deliveries',
    html`<tr>
      <th>Planned</th>
      <th>What</th>
      <th>State</th>
      <th class="number">Stories</th>
      <th class="number">Tries</th>
      <th>What the relay said</th>
    </tr>`,
    list.map(
      (delivery) =>
        html`<tr>
          <td>${moment(web.config, delivery.createdAt)}</td>
          <td>
            ${delivery.editionId ? html`<a href="/admin/editions/${delivery.editionId}">${delivery.kind}</a>` : delivery.kind}
          </td>
          <td>${deliveryState(delivery)}</td>
          <td class="number">${delivery.articleIds?.length}</td>
          <td class="number">${delivery.attempt}</td>
          <td class="reply">${delivery.smtpReply ?? delivery.smtpCode}</td>
        </tr>`,
    ),
  )
}

async function consents(web: WebContext, subscriberId: number): Promise<Html> {
  const lines = await web.db
    .selectFrom('consents')
    .selectAll()
    .where('subscriberId', '=', subscriberId)
    .orderBy('id', 'desc')
    .limit(50)
    .execute()
  if (lines.length === 0) return empty('No record.')
  return table(
    'Consents',
    html`<tr>
      <th>When</th>
      <th>What</th>
      <th>Wording</th>
      <th>From</th>
    </tr>`,
    lines.map(
      (line) =>
        html`<tr>
          <td>${moment(web.config, line.at, { withYear: true })}</td>
          <td>${line.action}</td>
          <td class="detail" title="${line.wording}">version ${line.wordingVersion}</td>
          <td class="detail">${[line.ip, line.formUrl].filter(Boolean).join(' · ')}</td>
        </tr>`,
    ),
  )
}

// The page of one subscriber: their choice, their mails and why they got them, and their consent.

import { listCategories } from '../../articles/store.ts'
import type { SubscriberStatus } from '../../db/schema.ts'
import { listDeliveriesOf } from '../../delivery/history.ts'
import { scheduleOf } from '../../calendar/schedules.ts'
import { explainRecent, whyDue } from '../../desk/explain.ts'
import { html, type Html, to } from '../html.ts'
import { findMarks } from '../reads/returned.ts'
import type { ShownSubscriber } from '../reads/subscribers.ts'
import type { WebContext } from '../web-context.ts'
import { deliveryState } from './deliveries.ts'
import { editionName } from './edition-parts.ts'
import { empty, facts, moment, sentence, slimTable, state, table, type Tone } from './parts.ts'
import { markWords, returnedOfSubscriber } from './returned.ts'

const tones: Record<SubscriberStatus, Tone> = {
  pending: 'busy',
  active: 'good',
  unsubscribed: 'plain',
  suppressed: 'bad',
}
/** Also says if an active subscriber is paused. */
export function subscriberState({ status, pausedUntil }: ShownSubscriber, now: Date): Html {
  if (status === 'active' && pausedUntil !== null && pausedUntil > now) return state('active, paused', 'warn')
  return state(status, tones[status])
}

const weekdays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']

export async function subscriberBody(web: WebContext, subscriber: ShownSubscriber): Promise<Html> {
  return html`${subscriberFacts(web, subscriber)}
    <h2>Chosen</h2>
    ${choices(web, subscriber)}
    <h2>Recent editions, and why</h2>
    ${await editions(web, subscriber)}
    <h2>Deliveries</h2>
    ${await deliveries(web, subscriber)}
    <h2>What came back</h2>
    ${await returnedOfSubscriber(web, subscriber.id)}
    <h2>Consents</h2>
    ${await consents(web, subscriber.id)}`
}

function subscriberFacts(web: WebContext, subscriber: ShownSubscriber): Html {
  const now = web.clock.now()
  const schedule = scheduleOf(subscriber, web.config.digest)
  const own = (isOwn: boolean) => (isOwn ? '' : ' (the site’s)')
  const { timezone, sendHour, weeklyDay, monthlyDay, pausedUntil } = subscriber
  return facts([
    ['Status', subscriberState(subscriber, now)],
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

function choices(web: WebContext, { subscriptions, request, status }: ShownSubscriber): Html {
  return html`${(subscriptions.length > 0 || !request) && choiceTable('Chosen categories', subscriptions)}
  ${
    request &&
    html`<p>
        ${status === 'pending' ? 'Chosen when signing up' : 'Signed up again and chose'},
        ${moment(web.config, request.requestedAt)}: not confirmed
        yet.${request.isExpired && ' The link in that mail has expired.'}
      </p>
      ${choiceTable('Categories of the open sign-up', request.choices)}`
  }`
}

const choiceTable = (label: string, lines: readonly { name: string; frequency: string }[]): Html =>
  lines.length === 0
    ? empty('No category.')
    : slimTable(
        label,
        html`<tr>
          <th>Category</th>
          <th>How often</th>
        </tr>`,
        lines.map(
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
  return html`<p>This subscriber ${sentence(web.config, whyDue(subscriber, web.clock.now()))}</p>
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
              <td><a href="${to(`/admin/editions/${edition.id}`)}">${editionName(edition, categories)}</a></td>
              <td class="detail">${sentence(web.config, why)}</td>
            </tr>`,
        ),
      )
    }`
}

async function deliveries(web: WebContext, subscriber: ShownSubscriber): Promise<Html> {
  const list = await listDeliveriesOf(web.db, subscriber.id, 50)
  if (list.length === 0) return empty('No mail yet.')
  const marks = await findMarks(
    web.db,
    list.map(({ id }) => id),
  )
  const mark = (id: number) => marks.has(id) && markWords(marks.get(id)!)
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
            ${delivery.editionId ? html`<a href="${to(`/admin/editions/${delivery.editionId}`)}">${delivery.kind}</a>` : delivery.kind}
          </td>
          <td>${deliveryState(delivery)} ${mark(delivery.id)}</td>
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

// Subscribers: searched by address, otherwise newest first; and the actions on one.

import type { Request, Router } from 'express'
import { noteAction } from '../../access/audit.ts'
import { Refusal } from '../../base/errors.ts'
import { subscriberStatuses } from '../../db/schema.ts'
import { eraseSubscriber } from '../../subscribers/erase.ts'
import { unsubscribe } from '../../subscribers/unsubscribe.ts'
import { pageOf, readCursor } from '../api/cursors.ts'
import { readableAddress } from '../../base/email-address.ts'
import { html, type Html, type HtmlValue, to } from '../html.ts'
import {
  findShownSubscriber,
  findSubscribersByAddress,
  listSubscribers,
  type ShownSubscriber,
} from '../reads/subscribers.ts'
import type { WebContext } from '../web-context.ts'
import { sendConfirmation } from './confirm.ts'
import { actorOf } from './guard.ts'
import { sendConsole } from './layout.ts'
import { empty, moment, pager, table } from './parts.ts'
import { noticeOf, pathId, queryText } from './query.ts'
import { subscriberBody, subscriberState } from './subscriber.ts'
import { seeOther } from '../place.ts'

export function mountSubscribers(router: Router, web: WebContext): void {
  router.get('/subscribers', async (request, response) => {
    const email = queryText(request, 'email')
    const status = subscriberStatuses.find((each) => each === queryText(request, 'status'))
    const cursor = queryText(request, 'cursor')
    const rows = email
      ? await findSubscribersByAddress(web, email)
      : await listSubscribers(web, { status, before: readCursor(cursor), limit: 51 })
    const { items, next } = pageOf(rows, 50)
    sendConsole(request, response, web, {
      section: 'subscribers',
      title: 'Subscribers',
      actions: html`<a class="button" href="${to('/admin/unsubscribes')}">Why people unsubscribe</a>
        <a class="button" href="${to('/admin/imports')}">Imports</a>`,
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
            <li><a href="${to('/admin/subscribers')}" ${!status && html`aria-current="true"`}>all</a></li>
            ${subscriberStatuses.map(
              (each) =>
                html`<li>
                  <a href="${to(`/admin/subscribers?status=${each}`)}" ${each === status && html`aria-current="true"`}
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
    const isIn = canLeave(subscriber)
    sendConsole(request, response, web, {
      section: 'subscribers',
      title: readableAddress(subscriber.email),
      back: ['Subscribers', '/admin/subscribers'],
      notice: isIn ? undefined : noticeOf(request, { unsubscribed: 'Unsubscribed: nothing further is sent.' }),
      actions: html`${subscriber.status === 'active' && html`<a class="button" href="${to(`/admin/preview?subscriber=${id}`)}">Preview their next</a>`}
        ${isIn && html`<a class="button" href="${to(`/admin/subscribers/${id}/unsubscribe`)}">Unsubscribe…</a>`}
        <a class="button" href="${to(`/admin/subscribers/${id}/erase`)}">Erase…</a>`,
      body: await subscriberBody(web, subscriber),
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
      if (action === 'unsubscribe' && !canLeave(subscriber))
        throw new Refusal(
          'conflict',
          `${readableAddress(subscriber.email)} is ${subscriber.status}, so nothing is sent there.`,
        )
      sendConfirmation(request, response, web, {
        section: 'subscribers',
        title: `${asked[action].title} ${readableAddress(subscriber.email)}?`,
        explanation: html`<p>${asked[action].words}</p>`,
        button: `${asked[action].title} this subscriber`,
        back: [readableAddress(subscriber.email), `/admin/subscribers/${subscriber.id}`],
        isFinal: asked[action].isFinal,
      })
    })

  router.post('/subscribers/:id/unsubscribe', async (request, response) => {
    const { id } = await getShown(web, request)
    const left = await unsubscribe(web, id, { way: 'editor', origin: { ip: null, formUrl: '/admin' } })
    if (left?.isNow)
      await noteAction(web, { actor: actorOf(request), action: 'subscriber.unsubscribed', subject: `subscriber:${id}` })
    seeOther(response, `/admin/subscribers/${id}?done=unsubscribed`)
  })

  router.post('/subscribers/:id/erase', async (request, response) => {
    const { id } = await getShown(web, request)
    await eraseSubscriber(web, id)
    await noteAction(web, { actor: actorOf(request), action: 'subscriber.erased', subject: `subscriber:${id}` })
    seeOther(response, '/admin/subscribers?done=erased')
  })
}

const canLeave = ({ status }: ShownSubscriber): boolean => status === 'active' || status === 'pending'

function chosenWords({ subscriptions, request, status }: ShownSubscriber): HtmlValue {
  const words = (lines: readonly { name: string; frequency: string }[]) =>
    lines.map((line) => `${line.name} ${line.frequency}`).join(', ')
  if (status === 'pending' && request) return html`${words(request.choices)} <small>(not confirmed)</small>`
  return words(subscriptions) || html`<span class="none">nothing</span>`
}

async function getShown(web: WebContext, request: Request): Promise<ShownSubscriber> {
  const subscriber = await findShownSubscriber(web, pathId(request))
  if (!subscriber) throw new Refusal('not_found', 'There is no such subscriber. They may have been erased.')
  return subscriber
}

const nobody = (email: string | undefined): Html =>
  email
    ? empty(
        html`Nobody with the address <b>${email}</b>. Type it whole.`,
        html`<p>It may be on <a href="${to(`/admin/suppressions?email=${email}`)}">the suppression list</a>.</p>`,
      )
    : empty(
        'Nobody here.',
        html`<p>
          Readers sign up on <a href="${to('/')}">the public page</a>, or on any page that embeds
          <a href="${to('/embed')}">the form</a>.
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
          <td><a href="${to(`/admin/subscribers/${subscriber.id}`)}">${readableAddress(subscriber.email)}</a></td>
          <td>${subscriberState(subscriber, web.clock.now())}</td>
          <td>${chosenWords(subscriber)}</td>
          <td>${moment(web.config, subscriber.nextDueAt)}</td>
          <td>${moment(web.config, subscriber.createdAt, { withYear: true })}</td>
        </tr>`,
    ),
  )
}

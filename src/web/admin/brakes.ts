// Brakes: where mail waits because too many addresses were called dead, the servers' answers, and the decision, which has a
// confirmation page.

import type { Router } from 'express'
import { listAudit } from '../../access/audit.ts'
import { Refusal } from '../../base/errors.ts'
import type { Brake } from '../../db/schema.ts'
import {
  type BrakeDecision,
  brakeDecisions,
  brakeSentence,
  decisionsOf,
  decisionText,
  decisionWords,
} from '../../desk/brake-words.ts'
import { countUnderBrake, decideBrake, findBrake, listBrakes, listCaught } from '../../desk/brakes.ts'
import { readableAddress, readableDomain } from '../../base/email-address.ts'
import { html, type Html, to } from '../html.ts'
import { wakeTick } from '../../editions/wake.ts'
import type { WebContext } from '../web-context.ts'
import { sendConfirmation } from './confirm.ts'
import { deliveryState } from './deliveries.ts'
import { actorOf } from './guard.ts'
import { sendConsole } from './layout.ts'
import { count, empty, facts, historyList, moment, state, table } from './parts.ts'
import { noticeOf, pathId, queryText } from './query.ts'
import { seeOther } from '../place.ts'

const shown = 100

const words: Record<BrakeDecision, { label: string; done: string; isFinal: boolean }> = {
  'send-again': {
    label: 'Send again',
    done: 'What waited is being sent again. Nobody is suppressed.',
    isFinal: false,
  },
  'addresses-are-dead': {
    label: 'These addresses are dead',
    done: 'The addresses that were called dead are suppressed. What waited untried is being tried; an address that is called dead then is suppressed as well.',
    isFinal: true,
  },
}
const notices = Object.fromEntries(brakeDecisions.map((decision) => [decision, words[decision].done]))

export function mountBrakes(router: Router, web: WebContext): void {
  router.get('/brakes', async (request, response) => {
    const brakes = await listBrakes(web.db, { limit: shown })
    sendConsole(request, response, web, {
      section: 'suppressions',
      title: 'Brakes',
      back: ['Suppressions', '/admin/suppressions'],
      body: html`<p>
          Where a server called implausibly many addresses dead, mail waits and nobody is suppressed until an editor
          decides.
        </p>
        ${
          brakes.length === 0
            ? empty('There has been none.')
            : table(
                'Brakes',
                html`<tr>
                  <th>Since</th>
                  <th>What</th>
                  <th>State</th>
                </tr>`,
                brakes.map(
                  (brake) =>
                    html`<tr>
                      <td>${moment(web.config, brake.since, { withYear: true })}</td>
                      <td class="detail"><a href="${to(`/admin/brakes/${brake.id}`)}">${placeOf(brake)}</a></td>
                      <td>${brakeState(brake)}</td>
                    </tr>`,
                ),
              )
        }`,
    })
  })

  router.get('/brakes/:id', async (request, response) => {
    const brake = await getBrake(web, pathId(request))
    const under = await countUnderBrake(web, brake)
    sendConsole(request, response, web, {
      section: 'suppressions',
      title: `Brake: ${placeOf(brake)}`,
      back: ['Brakes', '/admin/brakes'],
      notice: brake.decision === queryText(request, 'done') ? noticeOf(request, notices) : undefined,
      actions: html`${decisionsOf(brake).map(
        (decision, index) =>
          html`<a class="button ${index === 0 && 'main'}" href="${to(`/admin/brakes/${brake.id}/${decision}`)}">
            ${words[decision].label}…
          </a>`,
      )}`,
      body: html`<p>${brakeSentence(brake)}</p>
        ${facts([
          ['State', brakeState(brake)],
          ['Since', moment(web.config, brake.since, { withYear: true })],
          brake.cause !== 'complaints' && ['Called dead', count(under.calledDead, 'address', 'addresses')],
          brake.decision === null && ['Waiting untried', count(under.untried, 'mail')],
          brake.editionId !== null && [
            'Edition',
            html`<a href="${to(`/admin/editions/${brake.editionId}`)}">${brake.editionId}</a>`,
          ],
          brake.decidedAt !== null && ['Decided', moment(web.config, brake.decidedAt, { withYear: true })],
        ])}
        <h2>What was said</h2>
        ${await said(web, brake)}
        ${await historyList(web, await listAudit(web.db, { subject: `brake:${brake.id}`, limit: 10 }))}`,
    })
  })

  for (const decision of brakeDecisions) {
    router.get(`/brakes/:id/${decision}`, async (request, response) => {
      const brake = await getBrake(web, pathId(request))
      if (!decisionsOf(brake).includes(decision))
        throw new Refusal('conflict', `This brake is decided already: ${decisionWords[brake.decision!]}.`)
      const { label, isFinal } = words[decision]
      const under = await countUnderBrake(web, brake)
      sendConfirmation(request, response, web, {
        section: 'suppressions',
        title: `${label}?`,
        explanation: html`<p>${brakeSentence(brake)}</p>
          <p>${decisionText(decision, brake, under)}</p>`,
        button: label,
        back: ['Back to the brake', `/admin/brakes/${brake.id}`],
        isFinal,
      })
    })
    router.post(`/brakes/:id/${decision}`, async (request, response) => {
      const brakeId = pathId(request)
      await decideBrake(web, { brakeId, decision, actor: actorOf(request) })
      await wakeTick(web)
      seeOther(response, `/admin/brakes/${brakeId}?done=${decision}`)
    })
  }
}

async function getBrake(web: WebContext, id: number): Promise<Brake> {
  const brake = await findBrake(web.db, id)
  if (!brake) throw new Refusal('not_found', `There is no brake ${id}.`)
  return brake
}

const placeOf = ({ domain, relay, editionId }: Brake): string =>
  (domain && readableDomain(domain)) ??
  (editionId === null ? `single mails through ${relay}` : `edition ${editionId} through ${relay}`)

const brakeState = ({ decision }: Brake): Html =>
  decision === null ? state('on: an editor decides', 'bad') : state(decisionWords[decision], 'plain')

async function said(web: WebContext, brake: Brake): Promise<Html> {
  const caught = await listCaught(web.db, brake.id, shown)
  if (caught.length === 0) return empty('Those mails are no longer kept.')
  return html`${table(
    'What was said',
    html`<tr>
      <th>At</th>
      <th>Address</th>
      <th>State</th>
      <th>Answer</th>
    </tr>`,
    caught.map(
      (delivery) =>
        html`<tr>
          <td>${moment(web.config, delivery.at)}</td>
          <td>${readableAddress(delivery.recipient)}</td>
          <td>${deliveryState(delivery)}</td>
          <td class="reply">${delivery.reply}</td>
        </tr>`,
    ),
  )}
  ${caught.length === shown && html`<p class="small">The first ${shown}.</p>`}`
}

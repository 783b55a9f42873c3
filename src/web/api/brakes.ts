// Brakes by API: where mail waits because too many addresses were called dead, and the editor's decision.

import { z } from 'zod'
import { Refusal } from '../../base/errors.ts'
import { type BrakeDecision, brakeDecisions, brakeView } from '../../desk/brake-words.ts'
import { countUnderBrake, decideBrake, findBrake, listBrakes } from '../../desk/brakes.ts'
import { endpoint, idParams, listOf, pageQuery } from '../endpoint.ts'
import type { WebContext } from '../web-context.ts'
import { wakeTick } from '../../editions/wake.ts'
import { pageOf, readCursor } from './cursors.ts'

const brake = z
  .object({
    id: z.int(),
    isOn: z.boolean(),
    text: z.string().meta({ description: 'one sentence for editors' }),
    domain: z.string().nullable().meta({ description: 'the recipient domain; null: what goes through `relay`' }),
    relay: z.string().nullable(),
    edition: z.int().nullable().meta({ description: 'with `relay`: of this edition; null: single mails' }),
    holdsDigests: z.boolean().meta({ description: 'false: only single mails are concerned, and nothing waits' }),
    since: z.iso.datetime(),
    dead: z.int().meta({ description: 'answers that called an address dead, of `answers` in all' }),
    answers: z.int(),
    calledDead: z.int().meta({ description: 'addresses that were called dead: `addresses-are-dead` suppresses these' }),
    waiting: z.int().meta({ description: 'mails that wait for the decision; 0 once it is decided' }),
    untried: z.int().meta({ description: 'those of them that haven’t been tried: either decision tries them' }),
    decision: z.enum(['send-again', 'addresses-are-dead', 'none']).nullable(),
    decidedAt: z.iso.datetime().nullable(),
    decidedBy: z.string().nullable(),
    decisions: z.array(z.enum(brakeDecisions)).meta({ description: 'what may be decided now' }),
  })
  .meta({ id: 'Brake' })

async function showOne(web: WebContext, id: number) {
  const row = await findBrake(web.db, id)
  if (!row) throw new Refusal('not_found', `There is no brake ${id}.`)
  return brakeView(row, await countUnderBrake(web, row))
}

const scope = 'editions' as const
const tag = 'brakes'

const summaries: Record<BrakeDecision, [summary: string, description: string]> = {
  'send-again': [
    'The addresses are alive: send again what waits',
    'Editions that have closed open again, as by `retry`. After `addresses-are-dead` it undoes those suppressions, each subscriber’s status and due time included.',
  ],
  'addresses-are-dead': [
    'The addresses are dead: suppress them',
    'Suppresses the `calledDead` addresses now, with the server’s answer as proof. The `untried` mails are tried now: an address that the server calls dead then is suppressed as well, without another brake. Nobody is suppressed without such an answer.',
  ],
}

export const brakeEndpoints = [
  endpoint({
    method: 'get',
    path: '/brakes',
    scope,
    tag,
    summary: 'Brakes, newest first',
    query: pageQuery.extend({
      on: z.enum(['true', 'false']).optional().meta({ description: 'only those that are on, or off' }),
    }),
    status: 200,
    answer: listOf(brake),
    async handle(web, { query: { limit, cursor, on } }) {
      const rows = await listBrakes(web.db, {
        limit: limit + 1,
        isOn: on === undefined ? undefined : on === 'true',
        before: readCursor(cursor),
      })
      const { items, next } = pageOf(rows, limit)
      return {
        items: await Promise.all(items.map(async (row) => brakeView(row, await countUnderBrake(web, row)))),
        next,
      }
    },
  }),
  endpoint({
    method: 'get',
    path: '/brakes/:id',
    scope,
    tag,
    summary: 'One brake',
    params: idParams,
    status: 200,
    answer: brake,
    handle: (web, { params }) => showOne(web, params.id),
  }),
  ...brakeDecisions.map((decision) =>
    endpoint({
      method: 'post',
      path: `/brakes/:id/${decision}`,
      scope,
      tag,
      summary: summaries[decision][0],
      description: summaries[decision][1],
      params: idParams,
      status: 200,
      answer: brake,
      async handle(web, { params, actor }) {
        await decideBrake(web, { brakeId: params.id, decision, actor: actor.name })
        await wakeTick(web)
        return showOne(web, params.id)
      },
    }),
  ),
]

// Returned mail by API: its content and its effects.

import { z } from 'zod'
import { inboundSources, proofs, reportClasses, reportEffects } from '../../db/schema.ts'
import { retryFailed } from '../../inbound/retry.ts'
import { endpoint, listOf, pageQuery } from '../endpoint.ts'
import { inboundFilters, listInbound, type ShownInbound } from '../reads/returned.ts'
import { pageOf, readCursor } from './cursors.ts'

const report = z.object({
  recipient: z.string().nullable().meta({ description: 'as the report names it' }),
  class: z.enum(reportClasses),
  reason: z.string().meta({ description: 'such as user_unknown or mailbox_full' }),
  status: z.string().nullable().meta({ description: 'RFC 3463, such as 5.1.1' }),
  diagnostic: z.string().nullable().meta({ description: 'what the server said' }),
  proof: z.enum(proofs).nullable().meta({ description: 'what names the mail of ours; null: nothing does' }),
  deliveryId: z.int().nullable(),
  subscriberId: z.int().nullable(),
  effect: z.enum(reportEffects).meta({ description: 'what followed' }),
})

const inboundEvent = z
  .object({
    id: z.int(),
    receivedAt: z.iso.datetime(),
    source: z.enum(inboundSources),
    kind: z
      .string()
      .nullable()
      .meta({ description: 'bounce, complaint, autoreply, unsubscribe or other; null: not read yet' }),
    appliedAt: z.iso.datetime().nullable(),
    attempts: z.int(),
    problem: z.string().nullable().meta({ description: 'why the last attempt failed' }),
    reports: z.array(report),
  })
  .meta({ id: 'InboundEvent' })

function show({ reports, ...event }: ShownInbound) {
  const shown = reports.map(({ id: _id, eventId: _eventId, at: _at, ...said }) => said)
  return { ...event, reports: shown }
}

export const inboundEndpoints = [
  endpoint({
    method: 'get',
    path: '/inbound',
    scope: 'subscribers',
    tag: 'inbound',
    summary: 'Mail that came back, newest first',
    description: 'unmatched: names no mail of ours. failed: couldn’t be applied. waiting: hasn’t been yet.',
    query: pageQuery.extend({ show: z.enum(inboundFilters).optional() }),
    status: 200,
    answer: listOf(inboundEvent),
    async handle(web, { query: { limit, cursor, show: filter } }) {
      const rows = await listInbound(web.db, { limit: limit + 1, before: readCursor(cursor), filter })
      const { items, next } = pageOf(rows, limit)
      return { items: items.map(show), next }
    },
  }),
  endpoint({
    method: 'post',
    path: '/inbound/retry',
    scope: 'subscribers',
    tag: 'inbound',
    summary: 'Retry mail that could not be applied in five attempts',
    description: 'All of it, or one; what waits or is applied stays as it is. The text of a mail is kept for 30 days.',
    body: z.strictObject({ id: z.int().min(1).optional().meta({ description: 'only this one' }) }),
    status: 200,
    answer: z.object({ retried: z.int().min(0) }),
    async handle(web, { body: { id }, actor }) {
      return { retried: await retryFailed(web, { id, actor: actor.name }) }
    },
  }),
]

// Addresses that must not be mailed, by key. `id` is the keyed fingerprint of the address: after an erasure nothing else is left.

import { z } from 'zod'
import { noteAction } from '../../access/audit.ts'
import { parseEmailAddress } from '../../base/email-address.ts'
import { Refusal } from '../../base/errors.ts'
import type { Suppression } from '../../db/schema.ts'
import { readAddress } from '../../subscribers/subscribe.ts'
import { findSuppression, listSuppressions, suppressAddress, unsuppress } from '../../subscribers/suppression.ts'
import { endpoint, listOf, pageQuery } from '../endpoint.ts'
import { matchCursor, pageBy } from './cursors.ts'
import { emailAddress, text } from './texts.ts'

const suppression = z
  .object({
    id: z.string(),
    email: z.string().nullable(),
    reason: z.enum(['hard_bounce', 'soft_bounces', 'complaint', 'erasure', 'manual']),
    detail: z.string(),
    createdAt: z.iso.datetime(),
    deliveryId: z.int().nullable().meta({ description: 'the mail whose answer called the address dead' }),
    domain: z.string().nullable(),
    relay: z.string().nullable(),
    brakeId: z.int().nullable().meta({ description: 'the brake whose decision believed that answer' }),
  })
  .meta({ id: 'Suppression' })

function show({ emailHash, email, reason, detail, createdAt, deliveryId, domain, relay, brakeId }: Suppression) {
  return { id: emailHash, email, reason, detail, createdAt, deliveryId, domain, relay, brakeId }
}

/** The time in milliseconds, then the fingerprint. */
const suppressionCursor = /^([0-9]{1,13})-([0-9a-f]{64})$/

export function readSuppressionCursor(cursor: string | undefined) {
  if (cursor === undefined) return undefined
  const [, time, emailHash] = matchCursor(cursor, suppressionCursor)
  return { createdAt: new Date(Number(time)), emailHash: emailHash! }
}

export function suppressionPage<Shown>(
  rows: readonly Suppression[],
  limit: number,
  shown: (row: Suppression) => Shown,
) {
  const { items, next } = pageBy(rows, limit, (last) => `${last.createdAt.getTime()}-${last.emailHash}`)
  return { items: items.map(shown), next }
}

const scope = 'subscribers' as const
const tag = 'suppressions'

export const suppressionEndpoints = [
  endpoint({
    method: 'get',
    path: '/suppressions',
    scope,
    tag,
    summary: 'Newest first, or the one of an address',
    query: pageQuery.extend({ cursor: z.string().regex(suppressionCursor).optional(), email: emailAddress.optional() }),
    status: 200,
    answer: listOf(suppression),
    async handle(web, { query: { email, limit, cursor } }) {
      if (email !== undefined) {
        const address = parseEmailAddress(email)
        const found = address && (await findSuppression(web, address))
        return { items: found ? [show(found)] : [], next: null }
      }
      const rows = await listSuppressions(web.db, { limit: limit + 1, before: readSuppressionCursor(cursor) })
      return suppressionPage(rows, limit, show)
    },
  }),
  endpoint({
    method: 'post',
    path: '/suppressions',
    scope,
    tag,
    summary: 'Never mail this address again',
    description: 'Safe to repeat: the first reason stays, except that it takes the place of a bounce.',
    body: z.strictObject({ email: emailAddress, detail: text(500).optional() }),
    status: 201,
    answer: suppression,
    async handle(web, { body, actor }) {
      const address = readAddress(body.email)
      await suppressAddress(web, address, 'manual', body.detail)
      const row = (await findSuppression(web, address))!
      await noteAction(web, { actor: actor.name, action: 'suppression.added', subject: `suppression:${row.emailHash}` })
      return show(row)
    },
  }),
  endpoint({
    method: 'delete',
    path: '/suppressions/:id',
    scope,
    tag,
    summary: 'Take an address off the list',
    params: z.object({ id: z.string().regex(/^[0-9a-f]{64}$/) }),
    status: 204,
    answer: z.null(),
    async handle(web, { params: { id }, actor }) {
      if (!(await unsuppress(web, id))) throw new Refusal('not_found', 'This address is not on the list.')
      await noteAction(web, { actor: actor.name, action: 'suppression.removed', subject: `suppression:${id}` })
    },
  }),
]

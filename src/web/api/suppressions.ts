// Addresses that must not be mailed, by API. `id` is the keyed hash of the address: after an erasure only that is left.

import { z } from 'zod'
import { noteAction } from '../../access/audit.ts'
import { parseEmailAddress } from '../../base/email-address.ts'
import { Refusal } from '../../base/errors.ts'
import type { Suppression } from '../../db/schema.ts'
import { readAddress } from '../../subscribers/subscribe.ts'
import { findSuppression } from '../../subscribers/standing.ts'
import { suppressAddress, unsuppress } from '../../subscribers/suppression.ts'
import {
  listSuppressions,
  type SuppressionFilter,
  suppressionReasons,
  undoableReasons,
  undoSuppressions,
} from '../../subscribers/suppression-list.ts'
import { endpoint, listOf, pageQuery } from '../endpoint.ts'
import { matchCursor, pageBy } from './cursors.ts'
import { emailAddress, text } from './texts.ts'

const suppression = z
  .object({
    id: z.string(),
    email: z.string().nullable(),
    reason: z.enum(suppressionReasons),
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

/** The time in milliseconds, then the hash. */
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

const domain = text(253)
  .regex(/^[^\s@\0]+$/, 'must be a domain, such as paper.example')
  .meta({ description: 'of the address' })
const time = z.iso.datetime({ offset: true }).regex(/^2/, 'is not a time of this millennium')
const filterShape = {
  from: time.optional().meta({ description: 'suppressed at or after' }),
  to: time.optional().meta({ description: 'suppressed before' }),
  domain: domain.optional(),
}

function filterOf(
  given: { from?: string | undefined; to?: string | undefined } & Omit<SuppressionFilter, 'from' | 'to'>,
) {
  const { from, to, domain, reason } = given
  return { from: from ? new Date(from) : undefined, to: to ? new Date(to) : undefined, domain, reason }
}

const scope = 'subscribers' as const
const tag = 'suppressions'

export const suppressionEndpoints = [
  endpoint({
    method: 'get',
    path: '/suppressions',
    scope,
    tag,
    summary: 'Newest first, by time, domain and reason, or the one of an address',
    query: pageQuery.extend({
      ...filterShape,
      reason: z.enum(suppressionReasons).optional(),
      cursor: z.string().regex(suppressionCursor).optional(),
      email: emailAddress.optional(),
    }),
    status: 200,
    answer: listOf(suppression),
    async handle(web, { query: { email, limit, cursor, ...given } }) {
      if (email !== undefined) {
        const address = parseEmailAddress(email)
        const found = address && (await findSuppression(web, address))
        return { items: found ? [show(found)] : [], next: null }
      }
      const rows = await listSuppressions(web.db, {
        limit: limit + 1,
        before: readSuppressionCursor(cursor),
        filter: filterOf(given),
      })
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
    method: 'post',
    path: '/suppressions/undo',
    scope,
    tag,
    summary: 'Take many addresses off the list: those of one reason, by time and domain',
    description: 'Their subscribers are again what they were. Erasures can’t be taken back like this.',
    body: z.strictObject({ ...filterShape, reason: z.enum(undoableReasons) }),
    status: 200,
    answer: z.object({ removed: z.int().min(0) }),
    async handle(web, { body, actor }) {
      return { removed: await undoSuppressions(web, filterOf(body), actor.name) }
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

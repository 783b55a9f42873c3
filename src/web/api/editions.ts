// Editions by key: what there is, what was sent, and the same handles that the console has. A trigger makes the edition at once;
// the next tick, which it wakes, plans it.

import { z } from 'zod'
import { audit } from '../../access/audit.ts'
import { Refusal } from '../../base/errors.ts'
import { type Account, editionKinds, editionStates, skipReasons } from '../../db/schema.ts'
import { listCategories } from '../../articles/store.ts'
import { editionMoves, type EditionMove, moveEdition, decideUncertain, retryFailed } from '../../digests/control.ts'
import { type EditionView, getEdition, listEditions } from '../../digests/editions.ts'
import { testSend } from '../../digests/preview.ts'
import { triggerAnnouncement, triggerDigest } from '../../digests/trigger.ts'
import { readAddress } from '../../subscribers/subscribe.ts'
import { type Actor, endpoint, idParams, listOf, pageQuery } from '../endpoint.ts'
import { deliveryFilters, listEditionDeliveries } from '../reads/deliveries.ts'
import { previewOf, testViewOf } from '../reads/previews.ts'
import type { WebContext } from '../web-context.ts'
import { wakeTick } from '../wake.ts'
import { encodeCursor, readCursor } from './cursors.ts'

const amount = z.int().min(0)
const account = z
  .object({
    audience: amount,
    sent: amount,
    failed: amount,
    uncertain: amount,
    open: amount,
    skipped: z.object(Object.fromEntries(skipReasons.map((reason) => [reason, amount]))),
  })
  .meta({ id: 'Account', description: 'audience = sent + failed + uncertain + open + all skipped, always.' })

const edition = z
  .object({
    id: z.int(),
    kind: z.enum(editionKinds),
    state: z.enum(editionStates),
    slotAt: z.iso.datetime().nullable(),
    createdAt: z.iso.datetime(),
    closedAt: z.iso.datetime().nullable(),
    categories: z.array(z.string()).nullable().meta({ description: 'slugs; null: all' }),
    note: z.string().meta({ description: 'why it is held, paused or empty, in words' }),
    missed: amount.meta({ description: 'subscribers whose slot this was while nothing ran' }),
    retryHours: z
      .int()
      .nullable()
      .meta({ description: 'hours that deferred mails are tried; null: as long as the site’s RETRY_HOURS' }),
    isPlanned: z.boolean(),
    account,
  })
  .meta({ id: 'Edition' })

const delivery = z
  .object({
    id: z.int(),
    subscriberId: z.int().nullable(),
    recipient: z.string(),
    state: z.string(),
    reason: z.string().nullable(),
    attempt: z.int(),
    smtpCode: z.int().nullable(),
    smtpReply: z.string().nullable(),
    settledAt: z.iso.datetime().nullable(),
    nextAttemptAt: z.iso.datetime().nullable(),
    sizeBytes: z.int().nullable(),
  })
  .meta({ id: 'Delivery' })

const preview = z
  .object({
    subject: z.string(),
    html: z.string(),
    text: z.string(),
    htmlBytes: amount.meta({ description: 'of the decoded HTML part: at most 100,000' }),
    articleIds: z.array(z.int()),
  })
  .meta({ id: 'Preview' })

const viewFields = {
  subscriberId: z.coerce.number().int().positive().optional().meta({ description: 'as this subscriber would get it' }),
}
const viewQuery = z.object({
  ...viewFields,
  categories: z.string().max(2000).optional().meta({ description: 'slugs, separated by commas' }),
})
const testBody = z.strictObject({
  ...viewFields,
  to: z.string().max(320).meta({ description: 'the one address that gets the test' }),
  categories: z.array(z.string().max(60)).max(200).optional(),
})
const queued = z.object({ deliveryId: z.int() })

const retryHours = z.int().min(1).max(240).optional().meta({
  description: 'give up on deferred mails after so many hours; at most, and by default, the site’s RETRY_HOURS',
})
const trigger = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('manual'),
    categories: z
      .array(z.string().max(60))
      .max(200)
      .optional()
      .meta({ description: 'slugs; none: all', example: ['politics'] }),
    retryHours,
  }),
  z.strictObject({
    kind: z.literal('announcement'),
    subject: z.string().min(1).max(200),
    body: z.string().min(1).max(20_000).meta({ description: 'plain text, blank lines between paragraphs' }),
    retryHours,
  }),
])

const scope = 'editions' as const
const tag = 'editions'

/** A frozen account comes back from jsonb with its keys shuffled. */
function inOrder({ audience, sent, failed, uncertain, open, skipped }: Account): Account {
  const reasons = Object.fromEntries(skipReasons.map((reason) => [reason, skipped[reason]]))
  return { audience, sent, failed, uncertain, open, skipped: reasons as Account['skipped'] }
}

/** Slugs instead of ids: what callers know. */
async function show(web: WebContext, views: readonly EditionView[]) {
  const slugs = views.some((view) => view.categories)
    ? new Map((await listCategories(web.db, { withRetired: true })).map((category) => [category.id, category.slug]))
    : new Map<number, string>()
  return views.map((view) => ({
    ...view,
    account: inOrder(view.account),
    categories: view.categories?.map((id) => slugs.get(id) ?? String(id)) ?? null,
  }))
}

export async function showEdition(web: WebContext, id: number) {
  const view = await getEdition(web.db, id)
  if (!view) throw new Refusal('not_found', `There is no edition ${id}.`)
  return (await show(web, [view]))[0]!
}

const moveSummaries: Record<EditionMove, string> = {
  hold: 'Keep it from being sent at its slot',
  release: 'Approve it, or send one that is held',
  pause: 'Stop sending; mails on the wire are finished',
  resume: 'Go on with one that is paused',
  cancel: 'Send nothing more of it, for good',
}

const moveEndpoints = (Object.keys(editionMoves) as EditionMove[]).map((move) =>
  endpoint({
    method: 'post',
    path: `/editions/:id/${move}`,
    scope,
    tag,
    summary: moveSummaries[move],
    params: idParams,
    status: 200,
    answer: edition,
    async handle(web, { params, actor }) {
      await moveEdition(web, { editionId: params.id, move, actor: actor.name })
      return showEdition(web, params.id)
    },
  }),
)

async function showPreview(web: WebContext, editionId: number | null, query: z.output<typeof viewQuery>) {
  const categories = query.categories?.split(',').filter(Boolean)
  const found = await previewOf(web, { editionId, subscriberId: query.subscriberId, categories })
  if (!found) throw new Refusal('conflict', 'There is nothing new to show.')
  const { subject, html, text, htmlBytes, articleIds } = found
  return { subject, html, text, htmlBytes, articleIds }
}

async function sendTest(web: WebContext, editionId: number | null, body: z.output<typeof testBody>, actor: Actor) {
  const { to, ...view } = body
  const { email } = readAddress(to, 'to')
  const shown = await testViewOf(web, { editionId, ...view })
  return web.db.transaction().execute(async (trx) => {
    const deliveryId = await testSend(trx, email, shown)
    const detail = { delivery: deliveryId }
    const subject = editionId === null ? 'next digest' : `edition:${editionId}`
    await audit(trx, { at: web.clock.now(), actor: actor.name, action: 'test.sent', subject, detail })
    return { deliveryId }
  })
}

const previewEndpoints = [
  endpoint({
    method: 'get',
    path: '/editions/preview',
    scope,
    tag,
    summary: 'What the next digest would look like',
    query: viewQuery,
    status: 200,
    answer: preview,
    handle: (web, { query }) => showPreview(web, null, query),
  }),
  endpoint({
    method: 'post',
    path: '/editions/test-send',
    scope,
    tag,
    summary: 'Send the next digest to one address, as a test',
    body: testBody,
    status: 202,
    answer: queued,
    handle: (web, { body, actor }) => sendTest(web, null, body, actor),
  }),
  endpoint({
    method: 'get',
    path: '/editions/:id/preview',
    scope,
    tag,
    summary: 'What this edition looks like',
    params: idParams,
    query: viewQuery,
    status: 200,
    answer: preview,
    handle: (web, { params, query }) => showPreview(web, params.id, query),
  }),
  endpoint({
    method: 'post',
    path: '/editions/:id/test-send',
    scope,
    tag,
    summary: 'Send this edition to one address, as a test',
    params: idParams,
    body: testBody,
    status: 202,
    answer: queued,
    handle: (web, { params, body, actor }) => sendTest(web, params.id, body, actor),
  }),
]

export const editionEndpoints = [
  endpoint({
    method: 'get',
    path: '/editions',
    scope,
    tag,
    summary: 'Editions, newest first',
    query: pageQuery,
    status: 200,
    answer: listOf(edition),
    async handle(web, { query }) {
      const { items, next } = await listEditions(web.db, { limit: query.limit, cursor: readCursor(query.cursor) })
      return { items: await show(web, items), next: next === null ? null : encodeCursor(next) }
    },
  }),
  endpoint({
    method: 'post',
    path: '/editions',
    scope,
    tag,
    summary: 'Trigger a digest for chosen categories now, or an announcement',
    description:
      'A manual digest ignores frequency, respects what each subscriber has seen, and leaves out those with an open digest.',
    body: trigger,
    status: 201,
    answer: edition,
    async handle(web, { body, actor }) {
      const made =
        body.kind === 'manual'
          ? await triggerDigest(web, { ...body, actor: actor.name })
          : await triggerAnnouncement(web, { ...body, actor: actor.name })
      await wakeTick(web)
      return showEdition(web, made.id)
    },
  }),
  // Before /editions/:id, which would take `preview` for an id.
  ...previewEndpoints,
  endpoint({
    method: 'get',
    path: '/editions/:id',
    scope,
    tag,
    summary: 'One edition with its account',
    params: idParams,
    status: 200,
    answer: edition,
    handle: (web, { params }) => showEdition(web, params.id),
  }),
  endpoint({
    method: 'get',
    path: '/editions/:id/deliveries',
    scope,
    tag,
    summary: 'Its deliveries',
    description: 'A page may be short or empty and still have a `next`: rare states are looked for in long stretches.',
    params: idParams,
    query: pageQuery.extend({ state: z.enum(deliveryFilters).optional() }),
    status: 200,
    answer: listOf(delivery),
    async handle(web, { params, query }) {
      const found = await showEdition(web, params.id)
      const after = readCursor(query.cursor)
      const { items, next } = await listEditionDeliveries(web.db, found, {
        state: query.state,
        after,
        limit: query.limit,
      })
      return { items, next: next === null ? null : encodeCursor(next) }
    },
  }),
  ...moveEndpoints,
  endpoint({
    method: 'post',
    path: '/editions/:id/retry',
    scope,
    tag,
    summary: 'Send again what failed',
    params: idParams,
    status: 200,
    answer: edition,
    async handle(web, { params, actor }) {
      await retryFailed(web, { editionId: params.id, actor: actor.name })
      return showEdition(web, params.id)
    },
  }),
  endpoint({
    method: 'post',
    path: '/editions/:id/uncertain',
    scope,
    tag,
    summary: 'Decide about mails that may have arrived: send them again, or count them as sent',
    params: idParams,
    body: z.strictObject({ as: z.enum(['sent', 'resend']) }),
    status: 200,
    answer: edition,
    async handle(web, { params, body, actor }) {
      await decideUncertain(web, { editionId: params.id, as: body.as, actor: actor.name })
      await wakeTick(web)
      return showEdition(web, params.id)
    },
  }),
]

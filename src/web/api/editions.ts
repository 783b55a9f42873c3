// Editions by API: the list, what was sent, and the same actions as in the console. A trigger creates the edition at once and
// wakes the tick, which plans it.

import { z } from 'zod'
import { moveEdition, decideUncertain, retryFailed } from '../../desk/control.ts'
import { listEditions } from '../../editions/store.ts'
import { triggerAnnouncement, triggerDigest } from '../../planning/trigger.ts'
import { deliveryStates, skipReasons } from '../../db/schema.ts'
import { endpoint, idParams, listOf, pageQuery } from '../endpoint.ts'
import { deliveryFilters, listEditionDeliveries } from '../reads/deliveries.ts'
import { wakeTick } from '../../editions/wake.ts'
import { encodeCursor, readCursor } from './cursors.ts'
import { previewEndpoints } from './edition-previews.ts'
import { amount, edition, returnedClasses, showEdition, showEditions } from './edition-shape.ts'
import { line, prose, shortLine, slug, text } from './texts.ts'
import { arrangeEdition } from '../../desk/approval.ts'
import { mostOfWords } from '../../digests/sender-words.ts'
import { editionMoves, type EditionMove } from '../../editions/states.ts'

const time = z.iso.datetime().nullable()
const delivery = z
  .object({
    id: z.int(),
    subscriberId: z.int().nullable(),
    recipient: z.string(),
    state: z.enum(deliveryStates),
    reason: z.enum(skipReasons).nullable(),
    attempt: z.int(),
    smtpCode: z.int().nullable(),
    smtpReply: z.string().nullable(),
    stage: z.string().nullable().meta({ description: 'how far the last SMTP dialogue came' }),
    relay: z.string().nullable(),
    isOnTheWire: z.boolean(),
    returned: z
      .object({ class: z.enum(returnedClasses), reason: z.string(), at: z.iso.datetime() })
      .nullable()
      .meta({ description: 'it was sent, and came back' }),
    settledAt: time,
    nextAttemptAt: time,
    sizeBytes: z.int().nullable(),
  })
  .meta({ id: 'Delivery' })

const retryHours = z.int().min(1).max(240).optional().meta({
  description: 'give up on deferred mails after so many hours; at most, and by default, the site’s RETRY_HOURS',
})
const blanks = 'with the blanks {stories}, {categories}, {weekday} and {lead}; empty: the site’s rule (DIGEST_SUBJECT)'
const senderWords = {
  subject: shortLine(mostOfWords.subject)
    .optional()
    .meta({ description: `of a digest, ${blanks}` }),
  preheader: shortLine(mostOfWords.preheader)
    .optional()
    .meta({ description: `what inboxes show after it, ${blanks}` }),
}
const trigger = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('manual'),
    categories: z
      .array(slug)
      .max(200)
      .optional()
      .meta({ description: 'slugs; none: all', example: ['politics'] }),
    ...senderWords,
    retryHours,
  }),
  z.strictObject({
    kind: z.literal('announcement'),
    subject: line(200),
    body: prose(20_000).meta({
      description:
        'Markdown without HTML: headings, emphasis, lists, quotations, links (http, https, mailto), pictures (https; a title such as "600x400" gives the size), and a button, which is a paragraph of only one link in bold',
      example: 'We have moved.\n\n**[See the new office](https://news.example/office)**',
    }),
    retryHours,
  }),
])

const scope = 'editions' as const
const tag = 'editions'

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
      return { items: await showEditions(web, items), next: next === null ? null : encodeCursor(next) }
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
    bodyLimit: 300_000,
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
  // Before /editions/:id, which would read `preview` as an id.
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
  endpoint({
    method: 'patch',
    path: '/editions/:id',
    scope,
    tag,
    summary: 'Write subject, preheader and introduction of an edition that waits',
    description: 'Only one that is awaiting_approval or held can be changed. What isn’t given stays as it is.',
    params: idParams,
    body: z.strictObject({ ...senderWords, intro: text(5000).optional() }),
    status: 200,
    answer: edition,
    async handle(web, { params, body, actor }) {
      await arrangeEdition(web, { editionId: params.id, arrangement: body, actor: actor.name })
      return showEdition(web, params.id)
    },
  }),
  ...moveEndpoints,
  endpoint({
    method: 'post',
    path: '/editions/:id/retry',
    scope,
    tag,
    summary: 'Send again what failed and can be sent again',
    description:
      'Left out: subscribers who unsubscribed, paused, are suppressed or were erased, and those who have had a later digest, which included these stories.',
    params: idParams,
    status: 200,
    answer: edition.extend({ retried: amount.meta({ description: 'mails that are being sent again' }) }),
    async handle(web, { params, actor }) {
      const retried = await retryFailed(web, { editionId: params.id, actor: actor.name })
      return { ...(await showEdition(web, params.id)), retried }
    },
  }),
  endpoint({
    method: 'post',
    path: '/editions/:id/uncertain',
    scope,
    tag,
    summary: 'Decide about mails that may have arrived: send them again, or count them as sent',
    params: idParams,
    description: 'Sent again only to subscribers who can be mailed now; the others stay undecided.',
    body: z.strictObject({ as: z.enum(['sent', 'resend']) }),
    status: 200,
    answer: edition.extend({ decided: amount.meta({ description: 'mails that this call decided about' }) }),
    async handle(web, { params, body, actor }) {
      const decided = await decideUncertain(web, { editionId: params.id, as: body.as, actor: actor.name })
      await wakeTick(web)
      return { ...(await showEdition(web, params.id)), decided }
    },
  }),
]

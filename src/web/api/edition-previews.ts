// A preview of an edition, or of the next digest: shown, or sent to one address as a test.

import { z } from 'zod'
import { audit } from '../../access/audit.ts'
import { Refusal } from '../../base/errors.ts'
import { testSend } from '../../digests/preview.ts'
import { readAddress } from '../../subscribers/subscribe.ts'
import { type Actor, endpoint, id, idParams } from '../endpoint.ts'
import { previewOf, testViewOf } from '../reads/previews.ts'
import type { WebContext } from '../web-context.ts'
import { amount } from './edition-shape.ts'
import { emailAddress, slug } from './texts.ts'

const scope = 'editions' as const
const tag = 'editions'

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
  subscriberId: id.optional().meta({ description: 'as this subscriber would get it' }),
}
const viewQuery = z.object({
  ...viewFields,
  categories: z
    .string()
    .max(2000)
    .regex(/^[a-z0-9-]+(,[a-z0-9-]+)*$/)
    .optional()
    .meta({ description: 'slugs, separated by commas' }),
})
const testBody = z.strictObject({
  ...viewFields,
  to: emailAddress.meta({ description: 'the one address that gets the test' }),
  categories: z.array(slug).max(200).optional(),
})
const queued = z.object({ deliveryId: z.int() })

async function showPreview(web: WebContext, editionId: number | null, query: z.output<typeof viewQuery>) {
  const categories = query.categories?.split(',')
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

export const previewEndpoints = [
  endpoint({
    method: 'get',
    path: '/editions/preview',
    scope,
    tag,
    summary: 'What the next digest would look like',
    query: viewQuery,
    status: 200,
    answer: preview,
    refuses: ['not_found'],
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

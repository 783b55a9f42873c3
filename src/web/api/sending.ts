// Whether sending is held for the whole site, and the operator's decision.

import { z } from 'zod'
import { findSendingHold } from '../../delivery/sending-hold.ts'
import { releaseSending } from '../../desk/release-sending.ts'
import { holdView } from '../../desk/sending-words.ts'
import { endpoint } from '../endpoint.ts'
import { wakeTick } from '../../editions/wake.ts'

const sending = z
  .object({
    isHeld: z.boolean(),
    since: z.string().nullable().meta({ description: 'when the hold was set' }),
    why: z.string().nullable().meta({ description: 'one sentence' }),
    knownUntil: z
      .string()
      .nullable()
      .meta({ description: 'what happened between this instant and `since` is missing; null: nothing, or not known' }),
    text: z.string().nullable().meta({ description: 'all of it in words' }),
  })
  .meta({ id: 'Sending' })

const scope = 'editions' as const
const tag = 'sending'

export const sendingEndpoints = [
  endpoint({
    method: 'get',
    path: '/sending',
    scope,
    tag,
    summary: 'Whether sending is held',
    description: 'After a restored backup and in a copy no mail goes out, of any kind, until an operator releases it.',
    status: 200,
    answer: sending,
    handle: async (web) => holdView(await findSendingHold(web.db)),
  }),
  endpoint({
    method: 'post',
    path: '/sending/release',
    scope,
    tag,
    summary: 'Release sending',
    description:
      'With `skipDue` what was due before now isn’t sent: open editions are cancelled, slots that have come are counted as missed, single mails that waited are skipped, and stories that are here count as read.',
    body: z.strictObject({ skipDue: z.boolean() }),
    status: 200,
    answer: sending,
    async handle(web, { body, actor }) {
      await releaseSending(web, { skipDue: body.skipDue, actor: actor.name })
      await wakeTick(web)
      return holdView(await findSendingHold(web.db))
    },
  }),
]

// A summary of why people unsubscribe, without names.

import { z } from 'zod'
import { unsubscribeReasons } from '../../db/schema.ts'
import { summariseUnsubscribes, unsubscribeWays } from '../../subscribers/unsubscribes.ts'
import { endpoint } from '../endpoint.ts'
import { amount } from './edition-shape.ts'

const counts = (keys: readonly string[]) => z.object(Object.fromEntries(keys.map((key) => [key, amount])))

const summary = z
  .object({
    days: z.int(),
    total: amount,
    undone: amount.meta({ description: 'of the total, those that were undone since' }),
    ways: counts(unsubscribeWays).meta({ description: 'how; their sum is the total' }),
    reasons: counts([...unsubscribeReasons, 'none']).meta({
      description: 'why, as far as it was said; their sum is total − undone',
    }),
  })
  .meta({ id: 'Unsubscribes' })

export const unsubscribeEndpoints = [
  endpoint({
    method: 'get',
    path: '/unsubscribes',
    scope: 'subscribers',
    tag: 'subscribers',
    summary: 'Count unsubscribes by way and reason',
    query: z.object({
      days: z.int().min(1).max(365).default(90).meta({ description: 'of the last so many days' }),
    }),
    status: 200,
    answer: summary,
    async handle(web, { query: { days } }) {
      const since = new Date(web.clock.now().getTime() - days * 86_400_000)
      return { days, ...(await summariseUnsubscribes(web.db, since)) }
    },
  }),
]

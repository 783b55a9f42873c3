// The default choice by API, for subscribers who didn't choose.

import { z } from 'zod'
import { frequencies } from '../../db/schema.ts'
import { defaultChoice, setDefaultChoice } from '../../subscribers/default-choice.ts'
import { endpoint } from '../endpoint.ts'
import { frequency } from './subscribers.ts'

const shared = {
  path: '/default-choice',
  scope: 'articles',
  tag: 'categories',
  status: 200,
  answer: z.object({
    frequency: z.record(z.string(), z.enum(frequencies)).meta({ description: 'category slug → frequency' }),
  }),
} as const

export const defaultChoiceEndpoints = [
  endpoint({
    ...shared,
    method: 'get',
    summary: 'What subscribers get who didn’t choose',
    description: 'Every category daily, until it is set.',
    async handle(web) {
      return { frequency: await defaultChoice(web.db) }
    },
  }),
  endpoint({
    ...shared,
    method: 'put',
    summary: 'Set what subscribers get who don’t choose',
    description:
      'Categories that aren’t named are off. null goes back to every category daily. Nothing changes for those who are subscribed.',
    body: z.strictObject({ frequency: frequency.nullable() }),
    async handle(web, { body, actor }) {
      return { frequency: await setDefaultChoice(web, body.frequency, actor.name) }
    },
  }),
]

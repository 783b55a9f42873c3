// Receives the webhooks of mail providers. No cookie, no session: the signature over the raw body counts.

import express, { Router, type RequestHandler } from 'express'
import { Counter } from 'prom-client'
import { safeFetch } from '../articles/safe-fetch.ts'
import { messagesFor } from '../messages/messages.ts'
import { Refusal } from '../base/errors.ts'
import { Webhooks } from '../inbound/webhooks.ts'
import { onlyMethods } from './methods.ts'
import type { WebContext } from './web-context.ts'
import { asRefusal, sendProblem } from './errors.ts'

/** A message of SNS has at most 256 kB, before its quotation marks are escaped. */
const readBody = express.raw({ type: () => true, limit: '1mb', inflate: false })

/** Mounted at /inbound. */
export function inboundRouter(web: WebContext): Router {
  const { feeds } = web.config
  const fetchOptions = { userAgent: feeds.userAgent, allowHosts: [], accept: '*/*', mostBytes: 65_536, timeoutMs: 5000 }
  const webhooks = new Webhooks(web, web.fetchFromSns ?? ((url) => safeFetch(url, fetchOptions)))
  const requests = new Counter({
    name: 'broadsheet_inbound_requests_total',
    help: 'Webhooks about mail that came back, by provider and what became of them',
    labelNames: ['provider', 'outcome'],
    registers: web.registry ? [web.registry] : [],
  })
  const onlyPost = onlyMethods(['post'])
  const isOpen: RequestHandler<{ provider: string }> = (request, response, next) => {
    if (!webhooks.isOpen(request.params.provider))
      throw new Refusal(
        'not_found',
        'Nothing is taken in from this provider: see INBOUND_SES_TOPIC, INBOUND_MAILGUN_KEY.',
      )
    if (request.method === 'POST') next()
    else onlyPost(request, response)
  }
  const router = Router({ strict: true, caseSensitive: true })
  router.all('/:provider', isOpen, readBody, async (request, response) => {
    const { provider } = request.params
    if (!webhooks.isOpen(provider)) return
    try {
      const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
      const outcome = await webhooks.take(provider, raw)
      requests.inc({ provider, outcome })
      response.type('text').send(`${outcome}\n`)
    } catch (error) {
      const refusal = asRefusal(error)
      requests.inc({ provider, outcome: refusal?.code === 'unavailable' ? 'unavailable' : 'refused' })
      if (!(error instanceof Refusal)) throw error
      web.log.info({ provider, reason: error.message }, 'a webhook was refused')
      sendProblem(response, error, messagesFor(web.config, 'en'))
    }
  })
  return router
}

// Where hubs come: GET to ask whether we meant a subscription, POST to bring news. No cookie, no session; what counts is the topic
// that we asked for, and the signature.

import express, { Router } from 'express'
import { receivePush, verifyHub } from '../../articles/websub.ts'
import type { WebContext } from '../web-context.ts'

/** To be mounted at /websub. */
export function websubRouter(web: WebContext): Router {
  const router = Router({ strict: true, caseSensitive: true })
  router.get('/:id/:key', async (request, response) => {
    const { id, key } = request.params
    const challenge = await verifyHub(web, feedId(id), key, request.query as Record<string, unknown>)
    if (challenge === null) response.status(404).type('text').send('not ours\n')
    else response.type('text').send(challenge)
  })
  router.post('/:id/:key', express.raw({ type: () => true, limit: '10mb' }), async (request, response) => {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
    const outcome = await receivePush(web, feedId(request.params.id), body, {
      signature: request.get('X-Hub-Signature'),
      contentType: request.get('Content-Type'),
    })
    // The same answer for a wrong signature: whoever sends it learns nothing. 410 ends a subscription to a feed that we have no more.
    response.status(outcome === 'gone' ? 410 : 202).end()
  })
  return router
}

function feedId(text: string | undefined): number {
  return /^[1-9]\d{0,8}$/.test(text ?? '') ? Number(text) : 0
}

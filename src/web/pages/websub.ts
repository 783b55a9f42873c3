// Where hubs come: GET to ask whether we meant a subscription, POST to bring news. No cookie, no session; what counts is the topic
// that we asked for, and the signature.

import express, { Router, type RequestHandler } from 'express'
import { isPushable, receivePush, verifyHub } from '../../articles/websub.ts'
import { largestInt, readId } from '../path-id.ts'
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
  const isOurs: RequestHandler<{ id: string; key: string }> = async ({ params }, response, next) => {
    // 410 ends a subscription to a feed that we have no more, or that was replaced by another.
    if (await isPushable(web, feedId(params.id), params.key)) next()
    else response.status(410).end()
  }
  const readBody = express.raw({ type: () => true, limit: '10mb' })
  router.post('/:id/:key', isOurs, readBody, async (request, response) => {
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
    const outcome = await receivePush(web, feedId(request.params.id), body, {
      signature: request.get('X-Hub-Signature'),
      contentType: request.get('Content-Type'),
    })
    // The same answer for a wrong signature: whoever sends it learns nothing.
    response.status(outcome === 'gone' ? 410 : 202).end()
  })
  return router
}

function feedId(text: string | undefined): number {
  return readId(text, largestInt) ?? 0
}

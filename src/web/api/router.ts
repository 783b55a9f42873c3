// /api/v1: every endpoint value behind the key, its scope checked before its body is read. What isn't listed in endpoints.ts
// doesn't exist, and without a key nothing does.

import express, { Router } from 'express'
import { handlerOf, type Endpoint } from '../endpoint.ts'
import type { WebContext } from '../web-context.ts'
import { apiKeyOf, requireKey, requireScope } from './guard.ts'
import { openApiDocument } from './openapi.ts'

export function apiRouter(web: WebContext, endpoints: readonly Endpoint[]): Router {
  const router = Router({ strict: true, caseSensitive: true })
  const document = openApiDocument(web.config, endpoints)
  router.get('/openapi.json', (_request, response) => {
    response.set('Cache-Control', 'max-age=300').json(document)
  })
  router.use(requireKey(web))
  for (const endpoint of endpoints)
    router[endpoint.method](
      endpoint.path,
      requireScope(endpoint.scope),
      express.json({ limit: endpoint.bodyLimit ?? 102_400 }),
      handlerOf(web, endpoint, (request) => {
        const { id, scope } = apiKeyOf(request)
        return { name: `api-key:${id}`, scope, apiKeyId: id }
      }),
    )
  return router
}

// /api/v1: every endpoint behind the key. The scope is checked before the body is read. Endpoints that aren't in endpoints.ts
// don't exist.

import { Router } from 'express'
import type { Endpoint } from '../endpoint.ts'
import { onlyMethods } from '../methods.ts'
import type { WebContext } from '../web-context.ts'
import { apiKeyOf, requireKey, requireScope } from './guard.ts'
import { handlerOf, readJson } from './handler.ts'
import { openApiDocument } from './openapi.ts'

export function apiRouter(web: WebContext, endpoints: readonly Endpoint[]): Router {
  const router = Router({ strict: true, caseSensitive: true })
  const document = openApiDocument(web.config, endpoints)
  router.get('/openapi.json', (_request, response) => {
    response.set('Cache-Control', 'max-age=300').json(document)
  })
  router.use(requireKey(web))
  router.all('/openapi.json', onlyMethods(['get']))
  // A path of fixed words comes before one with a parameter at the same position: `~` sorts after every letter.
  const sortKey = ({ path }: Endpoint) => path.replace(/:\w+/g, '~')
  const sorted = endpoints.toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
  for (const [path, group] of Map.groupBy(sorted, (endpoint) => endpoint.path)) {
    for (const endpoint of group)
      router[endpoint.method](
        path,
        requireScope(endpoint.scope),
        ...(endpoint.body ? [readJson(endpoint.bodyLimit ?? 102_400)] : []),
        handlerOf(web, endpoint, (request) => {
          const { id, scope } = apiKeyOf(request)
          return { name: `api-key:${id}`, scope, apiKeyId: id }
        }),
      )
    router.all(path, onlyMethods(group.map(({ method }) => method)))
  }
  return router
}

// The OpenAPI 3.1 document, made from the endpoint values themselves: what is documented is what is validated.

import { z } from 'zod'
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject } from 'zod-openapi'
import type { Config } from '../../base/config.ts'
import { type Endpoint } from '../endpoint.ts'

const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457: what went wrong, in words; `errors` names each bad field.' })

const replay = z.object({
  'Idempotency-Key': z
    .string()
    .max(200)
    .optional()
    .meta({ description: 'Repeat the request with the same key, and it is done once and answered alike, for a day.' }),
})

export function openApiDocument(config: Config, endpoints: readonly Endpoint[]) {
  const paths: ZodOpenApiPathsObject = {}
  for (const endpoint of endpoints) {
    const path = endpoint.path.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [endpoint.method]: operationOf(endpoint) }
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: `Broadsheet: the newsletter of ${config.site.name}`,
      version: '1',
      description:
        'Lists read `{items, next}`: pass `next` as `cursor` for the next page. Errors are `application/problem+json`.',
    },
    servers: [{ url: `${config.web.publicUrl}/api/v1` }],
    security: [{ key: [] }],
    tags: [...new Set(endpoints.map((endpoint) => endpoint.tag))].map((name) => ({ name })),
    components: { securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'An API key.' } } },
    paths,
  })
}

function operationOf(endpoint: Endpoint): ZodOpenApiOperationObject {
  const failure = (description: string) => ({
    description,
    content: { 'application/problem+json': { schema: problem } },
  })
  const content = endpoint.status === 204 ? {} : { content: { 'application/json': { schema: endpoint.answer } } }
  return {
    operationId: operationId(endpoint),
    tags: [endpoint.tag],
    summary: endpoint.summary,
    description: [endpoint.description, `Scope: \`${endpoint.scope}\`.`].filter(Boolean).join('\n\n'),
    requestParams: {
      ...(endpoint.params ? { path: endpoint.params } : {}),
      ...(endpoint.query ? { query: endpoint.query } : {}),
      ...(endpoint.method === 'post' ? { header: replay } : {}),
    },
    ...(endpoint.body
      ? { requestBody: { required: true, content: { 'application/json': { schema: endpoint.body } } } }
      : {}),
    responses: {
      [String(endpoint.status)]: { description: 'Done.', ...content },
      '400': failure('Something given can’t be taken; `errors` names the field.'),
      '401': failure('No good key.'),
      '403': failure('The key lacks the scope.'),
      ...(endpoint.params ? { '404': failure('There is no such thing.') } : {}),
      ...(endpoint.method === 'get' ? {} : { '409': failure('It doesn’t fit the present state.') }),
    },
  } as ZodOpenApiOperationObject
}

/** POST /editions/:id/test-send → postEditionsIdTestSend */
function operationId({ method, path }: Endpoint): string {
  return method + path.replace(/[/:-]+(\w)/g, (_, letter: string) => letter.toUpperCase())
}

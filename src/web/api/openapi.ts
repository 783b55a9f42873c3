// The OpenAPI 3.1 document, built from the endpoint values: it describes exactly what is validated.

import { z } from 'zod'
import {
  createDocument,
  type CreateDocumentOptions,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponseObject,
} from 'zod-openapi'
import type { RefusalCode } from '../../base/errors.ts'
import type { Config } from '../../base/config.ts'
import { type Endpoint, refusalsOf } from '../endpoint.ts'
import { statusOf } from '../errors.ts'
import { idempotencyKey } from './idempotency.ts'
import { addressOf } from '../../base/addresses.ts'

const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457: what went wrong, in words; `errors` names each bad field.' })

const reasons: Record<RefusalCode, string> = {
  invalid: 'Something given isn’t as described here; `errors` names the field.',
  unauthorized: 'No good key.',
  forbidden: 'The key lacks the scope.',
  not_found: 'There is no such thing, or something that is named doesn’t exist.',
  method_not_allowed: 'This path doesn’t have the method; `Allow` names those that it has.',
  conflict: 'It is well formed but doesn’t fit what is there.',
  too_large: 'The body is too large.',
  unsupported_type: 'The body isn’t application/json in UTF-8.',
  rate_limited: 'Too often.',
  unavailable: 'The database doesn’t answer at the moment.',
}

const retryAfter = { 'Retry-After': z.string().meta({ description: 'seconds' }) }
const headersOf: Partial<Record<RefusalCode, Record<string, z.ZodType>>> = {
  unauthorized: { 'WWW-Authenticate': z.string() },
  rate_limited: retryAfter,
  unavailable: retryAfter,
}

/** Every text of a request: handler.ts refuses U+0000 anywhere. */
const withoutNul: CreateDocumentOptions['override'] = ({ jsonSchema, io }) => {
  if (io === 'input' && jsonSchema.type === 'string' && !jsonSchema.pattern && !jsonSchema.enum && !jsonSchema.allOf)
    jsonSchema.pattern = '^[^\\u0000]*$'
}

export function openApiDocument(config: Config, endpoints: readonly Endpoint[]) {
  const paths: ZodOpenApiPathsObject = {}
  for (const endpoint of endpoints) {
    const path = endpoint.path.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [endpoint.method]: operationOf(endpoint) }
  }
  return createDocument(
    {
      openapi: '3.1.0',
      info: {
        title: `Broadsheet: the newsletter of ${config.site.name}`,
        version: '1',
        description:
          'Lists read `{items, next}`: pass `next` as `cursor` for the next page. Errors are `application/problem+json`. ' +
          'A request that is as described here is never answered 400. A method that a path doesn’t have is answered 405.',
      },
      servers: [{ url: addressOf(config, '/api/v1') }],
      security: [{ key: [] }],
      tags: [...new Set(endpoints.map((endpoint) => endpoint.tag))].map((name) => ({ name })),
      components: { securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'An API key.' } } },
      paths,
    },
    { override: withoutNul },
  )
}

function operationOf(endpoint: Endpoint): ZodOpenApiOperationObject {
  const { method, params, query, body } = endpoint
  return {
    operationId: operationId(endpoint),
    tags: [endpoint.tag],
    summary: endpoint.summary,
    description: [endpoint.description, `Scope: \`${endpoint.scope}\`.`].filter(Boolean).join('\n\n'),
    requestParams: {
      ...(params ? { path: params } : {}),
      ...(query ? { query } : {}),
      ...(method === 'post' ? { header: idempotencyKey } : {}),
    },
    ...(body ? { requestBody: { required: true, content: { 'application/json': { schema: body } } } } : {}),
    responses: { [String(endpoint.status)]: answerOf(endpoint), ...refusalAnswers(endpoint) },
  } as ZodOpenApiOperationObject
}

function answerOf({ method, status, answer }: Endpoint): ZodOpenApiResponseObject {
  return {
    description: 'Done.',
    ...(method === 'post' ? { headers: z.object({ 'Idempotency-Replayed': z.literal('true').optional() }) } : {}),
    ...(status === 204 ? {} : { content: { 'application/json': { schema: answer } } }),
  }
}

function refusalAnswers(endpoint: Endpoint): Record<string, ZodOpenApiResponseObject> {
  const codes = [...refusalsOf(endpoint)].toSorted((a, b) => statusOf[a] - statusOf[b])
  return Object.fromEntries(
    codes.map((code) => [
      String(statusOf[code]),
      {
        description: reasons[code],
        ...(headersOf[code] ? { headers: z.object(headersOf[code]) } : {}),
        content: { 'application/problem+json': { schema: problem } },
      },
    ]),
  )
}

/** POST /editions/:id/test-send → postEditionsIdTestSend */
function operationId({ method, path }: Endpoint): string {
  return method + path.replace(/[/:-]+(\w)/g, (_, letter: string) => letter.toUpperCase())
}

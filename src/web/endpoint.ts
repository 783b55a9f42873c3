// One API endpoint as one value: method, path, scope, what it takes, what it answers, what it does. The router, the validation
// and the OpenAPI document are all made from it, so they can't disagree.

import type { Request, RequestHandler } from 'express'
import { z } from 'zod'
import type { Actor as AuditActor } from '../access/audit.ts'
import type { Scope } from '../access/scopes.ts'
import { Refusal, type FieldProblem } from '../base/errors.ts'
import { answerOnce } from './api/idempotency.ts'
import { nulsIn, problemsOf } from './api/problems.ts'
import type { WebContext } from './web-context.ts'

export interface Actor {
  /** As the audit log writes it: `api-key:3`. */
  name: AuditActor
  /** What the key holds: access/scopes.ts. */
  scope: string
  apiKeyId: number
}

export interface Call<Params, Query, Body> {
  params: Params
  query: Query
  body: Body
  actor: Actor
  request: Request
}

export interface Endpoint {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** Below /api/v1, Express style: /editions/:id. */
  path: string
  /** A key must hold it; a key that holds `read` passes on GET too. */
  scope: Scope
  tag: string
  summary: string
  description?: string
  params?: z.ZodObject
  query?: z.ZodObject
  body?: z.ZodType
  /** Bytes of JSON that it takes. Default 100 kB. */
  bodyLimit?: number
  status: 200 | 201 | 202 | 204
  answer: z.ZodType
  handle(web: WebContext, call: Call<unknown, unknown, unknown>): Promise<unknown>
}

type Parsed<T> = T extends z.ZodType ? z.output<T> : undefined

/** Gives the handler the types of its schemas. */
export function endpoint<
  Params extends z.ZodObject | undefined = undefined,
  Query extends z.ZodObject | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
>(
  definition: Omit<Endpoint, 'params' | 'query' | 'body' | 'handle'> & {
    params?: Params
    query?: Query
    body?: Body
    handle(web: WebContext, call: Call<Parsed<Params>, Parsed<Query>, Parsed<Body>>): Promise<unknown>
  },
): Endpoint {
  return definition as unknown as Endpoint
}

/** A list's answer: {items, next}. */
export function listOf<T extends z.ZodType>(item: T) {
  return z.object({
    items: z.array(item),
    next: z.string().nullable().meta({ description: 'cursor of the next page; null: this is the last' }),
  })
}

/** limit and cursor of a list. */
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(200).optional(),
})

export const idParams = z.object({ id: z.coerce.number().int().positive() })

/** Validates, calls, answers. Problems name the field as the caller wrote it. `actorOf` is set by the API's guard. */
export function handlerOf(web: WebContext, definition: Endpoint, actorOf: (request: Request) => Actor): RequestHandler {
  return async (request, response) => {
    const problems: FieldProblem[] = []
    const read = (schema: z.ZodType | undefined, value: unknown): unknown => {
      if (!schema) return undefined
      problems.push(...nulsIn(value))
      const parsed = schema.safeParse(value)
      if (parsed.success) return parsed.data
      problems.push(...problemsOf(parsed.error.issues))
      return undefined
    }
    if (definition.body && request.body === undefined && !request.is('json'))
      throw new Refusal('unsupported_type', 'Send the body as application/json.')
    const call = {
      params: read(definition.params, request.params),
      query: read(definition.query, request.query),
      body: read(definition.body, request.body),
      actor: actorOf(request),
      request,
    }
    if (problems.length > 0)
      throw new Refusal('invalid', problems.map((p) => `${p.field}: ${p.message}`).join('; '), problems)
    const { status, body, isReplayed } = await answerOnce(web, call, definition.status, () =>
      definition.handle(web, call),
    )
    if (isReplayed) response.set('Idempotency-Replayed', 'true')
    response.status(status)
    if (status === 204) response.end()
    else response.json(body)
  }
}

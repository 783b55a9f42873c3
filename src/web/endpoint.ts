// One API endpoint as one value: method, path, scope, input, answer, and what it does. The router, the validation and the OpenAPI
// document are built from it, so they always agree. The document says which requests are well formed. A well-formed request is
// never refused as `invalid` (api/handler.ts), only because of the current data.

import type { Request } from 'express'
import { z } from 'zod'
import type { Actor as AuditActor } from '../access/audit.ts'
import type { Scope } from '../access/scopes.ts'
import type { RefusalCode } from '../base/errors.ts'
import { cursorPattern } from './api/cursors.ts'
import { largestInt } from './path-id.ts'
import type { WebContext } from './web-context.ts'

export interface Actor {
  /** As in the audit log: `api-key:3`. */
  name: AuditActor
  /** The key's scopes: access/scopes.ts. */
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
  /** The key must have it. For GET, `read` is enough. */
  scope: Scope
  tag: string
  summary: string
  description?: string
  params?: z.ZodObject
  /** Parameters that aren't listed here are refused. */
  query?: z.ZodObject
  body?: z.ZodType
  /** The most bytes of JSON. Default 100 kB. */
  bodyLimit?: number
  status: 200 | 201 | 202 | 204
  answer: z.ZodType
  /** Other refusals, besides those that follow from its shape: see refusalsOf. */
  refuses?: readonly RefusalCode[]
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

/** Every refusal that an endpoint may answer with. The document declares exactly these. */
export function refusalsOf({ method, params, query, body, refuses = [] }: Endpoint): Set<RefusalCode> {
  const codes: RefusalCode[] = ['invalid', 'unauthorized', 'forbidden', 'unavailable', ...refuses]
  if (params || body) codes.push('not_found')
  if (method !== 'get' || query) codes.push('conflict')
  if (body) codes.push('too_large', 'unsupported_type')
  return new Set(codes)
}

/** A list's answer: {items, next}. */
export function listOf<T extends z.ZodType>(item: T) {
  return z.object({
    items: z.array(item),
    next: z.string().nullable().meta({ description: 'cursor of the next page; null: this is the last' }),
  })
}

/** limit and cursor of a list. A list whose cursor contains more than an id extends it with its own pattern. */
export const pageQuery = z.object({
  limit: z.int().min(1).max(200).default(50),
  cursor: z.string().regex(cursorPattern).optional().meta({ description: '`next` of the page before' }),
})

/** Ids of tables that count in bigint; `intId` of the others. */
export const id = z.int().min(1)
export const idParams = z.object({ id })
export const intId = z.int().min(1).max(largestInt)
export const intIdParams = z.object({ id: intId })

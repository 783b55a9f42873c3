// From a request to an endpoint's answer: read, validate against the schemas of the document, call, answer. Problems name the
// field as the caller wrote it.

import express, { type Request, type RequestHandler } from 'express'
import { z } from 'zod'
import { Refusal, type FieldProblem } from '../../base/errors.ts'
import type { Actor, Endpoint } from '../endpoint.ts'
import { nulsIn } from '../text-rules.ts'
import type { WebContext } from '../web-context.ts'
import { answerOnce, idempotencyKey } from './idempotency.ts'
import { problemsOf } from './problems.ts'

export function handlerOf(web: WebContext, definition: Endpoint, actorOf: (request: Request) => Actor): RequestHandler {
  const readHeaders = definition.method === 'post' ? idempotencyKey : z.object({})
  return async (request, response) => {
    if (definition.body && request.body === undefined && !request.is('json'))
      throw new Refusal('unsupported_type', 'Send the body as application/json.')
    const problems: FieldProblem[] = []
    const read = <T>(schema: z.ZodType<T>, value: unknown): T | undefined => {
      const parsed = schema.safeParse(value)
      problems.push(...(parsed.success ? nulsIn(parsed.data) : problemsOf(parsed.error.issues)))
      return parsed.data
    }
    const headers = read(readHeaders, { 'Idempotency-Key': request.get('Idempotency-Key') })
    const call = {
      params: definition.params && read(definition.params, asNumbers(definition.params, request.params)),
      query: read(definition.query ?? z.object({}), readQuery(request, definition.query, problems)),
      body: definition.body && read(definition.body, emptyBodies.has(request) ? undefined : request.body),
      actor: actorOf(request),
      request,
    }
    if (problems.length > 0)
      throw new Refusal('invalid', problems.map((p) => `${p.field}: ${p.message}`).join('; '), problems)
    const key = headers?.['Idempotency-Key']
    const { status, body, isReplayed } = await answerOnce(web, { ...call, key }, definition.status, () =>
      definition.handle(web, call).catch(refuseWellFormed),
    )
    if (isReplayed) response.set('Idempotency-Replayed', 'true')
    response.status(status)
    if (status === 204) response.end()
    else response.json(body)
  }
}

/** For the parser, `{}` has no bytes; by the document it isn't a body. */
const emptyBodies = new WeakSet<object>()

/** JSON as UTF-8. Half of a surrogate pair isn't a character, and no text column accepts it, so it is replaced. */
export function readJson(limit: number): RequestHandler {
  const reviver = (_key: string, value: unknown) => (typeof value === 'string' ? value.toWellFormed() : value)
  const verify = (request: object, _response: unknown, bytes: Buffer) =>
    void (bytes.length === 0 && emptyBodies.add(request))
  return express.json({ limit, strict: false, reviver, verify })
}

/** The request was well formed by the document: the handler refuses it because of the current data. */
function refuseWellFormed(error: unknown): never {
  if (!(error instanceof Refusal)) throw error
  const problems = error.problems.map(({ field, message }) => ({
    field: field.replace(/\[([^\]]*)\]/g, '.$1'),
    message,
  }))
  throw new Refusal(error.code === 'invalid' ? 'conflict' : error.code, error.message, problems)
}

/** Each parameter once and by its full name: `limit[]=1` isn't `limit`. */
function readQuery(request: Request, schema: z.ZodObject | undefined, problems: FieldProblem[]) {
  const given: Record<string, string> = {}
  const [, text = ''] = /\?(.*)/s.exec(request.url) ?? []
  for (const [field, value] of new URLSearchParams(text)) {
    if (!schema || !Object.hasOwn(schema.shape, field))
      problems.push({ field, message: 'is not a parameter that is known here' })
    else if (Object.hasOwn(given, field)) problems.push({ field, message: 'is given more than once' })
    else given[field] = value
  }
  return schema ? asNumbers(schema, given) : given
}

/** Converts texts to numbers where the schema requires one. `1.0` is a whole number, by the rules of JSON Schema. */
function asNumbers(schema: z.ZodObject, given: Record<string, string | string[]>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(given).map(([name, text]) => [
      name,
      typeof text === 'string' && /^-?(0|[1-9]\d*)(\.0+)?$/.test(text) && wantsNumber(schema.shape[name])
        ? Number(text)
        : text,
    ]),
  )
}

function wantsNumber(schema: unknown): boolean {
  return (
    schema instanceof z.ZodNumber ||
    ((schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) && wantsNumber(schema.unwrap()))
  )
}

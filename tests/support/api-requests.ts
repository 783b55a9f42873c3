// Requests made from the OpenAPI document: those that it calls valid, and those with one thing broken.

import fc from 'fast-check'
import type { ApiDocument, JsonSchema, Operation } from './api-answers.ts'

export interface ApiRequest {
  method: string
  /** Below /api/v1, with its query, encoded. */
  path: string
  headers: Record<string, string>
  body: string | Buffer | undefined
}

/** What stands in the database: a valid request names it now and then, so that it gets past the look-up. */
export interface Known {
  texts: readonly string[]
  ids: readonly number[]
  /** By property or parameter: instead of anything random. */
  only: Record<string, readonly string[]>
}

interface Parts {
  path: Record<string, unknown>
  query: Record<string, unknown>
  headers: Record<string, string>
  body: unknown
}
type Mutable = Record<string, unknown> | unknown[]

export function validRequests(document: ApiDocument, known: Known, path: string, method: string) {
  return partsOf(document, known, document.paths[path]![method]!).map((parts) => written(path, method, parts))
}

export function brokenRequests(document: ApiDocument, known: Known, path: string, method: string) {
  const operation = document.paths[path]![method]!
  const valid = partsOf(document, known, operation)
  const fields = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query').map(({ name }) => name)
  const slots = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[0])
  const ways: fc.Arbitrary<ApiRequest>[] = [
    fc
      .tuple(valid, fc.oneof(fc.constantFrom(...fields, 'unknown'), fc.string({ maxLength: 8 })), oddTexts)
      .map(([parts, name, text]) => withQuery(written(path, method, parts), `${encodeURIComponent(name)}=${text}`)),
    fc
      .tuple(valid, fc.constantFrom('get', 'post', 'put', 'patch', 'delete', 'options', 'trace', 'propfind'))
      .map(([parts, other]) => ({ ...written(path, method, parts), method: other.toUpperCase() })),
    fc
      .tuple(valid, fc.constantFrom('', ' ', 'a b', 'é', 'x'.repeat(201), 'a,b'))
      .map(([parts, key]) => written(path, method, { ...parts, headers: { 'Idempotency-Key': key } })),
  ]
  if (slots.length > 0)
    ways.push(
      fc.tuple(valid, fc.constantFrom(...slots), oddTexts).map(([parts, slot, text]) => {
        const request = written(path, method, parts)
        return { ...request, path: written(path.replace(slot, text || '%20'), method, parts).path }
      }),
    )
  if (operation.requestBody)
    ways.push(
      fc.tuple(valid, fc.nat(), oddValues, fc.nat(3)).map(([parts, at, value, how]) => {
        const body: unknown = spoil(structuredClone(parts.body), at, value, how)
        return written(path, method, { ...parts, body })
      }),
      fc.tuple(valid, oddBodies).map(([parts, body]) => ({ ...written(path, method, parts), body })),
      fc.tuple(valid, oddTypes).map(([parts, headers]) => written(path, method, { ...parts, headers })),
    )
  return fc.oneof(...ways)
}

function written(path: string, method: string, parts: Parts): ApiRequest {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(parts.path[name])))
  const query = new URLSearchParams(
    Object.entries(parts.query).map(([name, value]) => [name, String(value)]),
  ).toString()
  return {
    method: method.toUpperCase(),
    path: query ? `${filled}?${query}` : filled,
    headers: parts.body === undefined ? parts.headers : { 'Content-Type': 'application/json', ...parts.headers },
    body: parts.body === undefined ? undefined : JSON.stringify(parts.body),
  }
}

function withQuery(request: ApiRequest, more: string): ApiRequest {
  return { ...request, path: `${request.path}${request.path.includes('?') ? '&' : '?'}${more}` }
}

function partsOf(document: ApiDocument, known: Known, operation: Operation): fc.Arbitrary<Parts> {
  const of = (place: string) => {
    const parameters = (operation.parameters ?? []).filter((parameter) => parameter.in === place)
    const arbitraries = parameters.map(({ name, schema }) => [name, valueOf(document, known, schema, name)] as const)
    const requiredKeys = parameters.filter(({ required }) => required).map(({ name }) => name)
    return fc.record(Object.fromEntries(arbitraries), { requiredKeys })
  }
  const body = operation.requestBody?.content['application/json'].schema
  return fc.record({
    path: of('path'),
    query: of('query'),
    headers: of('header') as fc.Arbitrary<Record<string, string>>,
    body: body ? valueOf(document, known, body, 'body') : fc.constant(undefined),
  })
}

function valueOf(document: ApiDocument, known: Known, schema: JsonSchema, name: string): fc.Arbitrary<unknown> {
  const inner = (one: unknown, as = name) => valueOf(document, known, one as JsonSchema, as)
  if (typeof schema['$ref'] === 'string') return inner(document.components.schemas[schema['$ref'].split('/').at(-1)!])
  const choices = (schema['anyOf'] ?? schema['oneOf']) as JsonSchema[] | undefined
  if (choices) return fc.oneof(...choices.map((choice) => inner(choice)))
  if ('const' in schema) return fc.constant(schema['const'])
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...(schema['enum'] as unknown[]))
  switch (schema['type']) {
    case 'string':
      return textOf(known, schema, name)
    case 'integer':
      return numberOf(known, schema)
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'array': {
      const size = {
        minLength: Number(schema['minItems'] ?? 0),
        maxLength: Math.min(Number(schema['maxItems'] ?? 4), 4),
      }
      return schema['uniqueItems']
        ? fc.uniqueArray(inner(schema['items']), size)
        : fc.array(inner(schema['items']), size)
    }
    case 'object':
      return objectOf(schema, inner)
    default:
      throw new Error(`the generator doesn't know ${JSON.stringify(schema)}`)
  }
}

function objectOf(schema: JsonSchema, inner: (one: unknown, as?: string) => fc.Arbitrary<unknown>) {
  const properties = (schema['properties'] ?? {}) as Record<string, JsonSchema>
  if (schema['propertyNames'])
    return fc.dictionary(
      inner(schema['propertyNames'], 'key') as fc.Arbitrary<string>,
      inner(schema['additionalProperties']),
      {
        maxKeys: 3,
      },
    )
  const arbitraries = Object.entries(properties).map(([key, one]) => [key, inner(one, key)] as const)
  return fc.record(Object.fromEntries(arbitraries), { requiredKeys: (schema['required'] ?? []) as string[] })
}

function textOf(known: Known, schema: JsonSchema, name: string): fc.Arbitrary<string> {
  if (known.only[name]) return fc.constantFrom(...known.only[name])
  const all = [schema, ...((schema['allOf'] ?? []) as JsonSchema[])]
  const patterns = all.flatMap(({ pattern }) => (typeof pattern === 'string' ? [new RegExp(pattern, 'u')] : []))
  const least = Number(schema['minLength'] ?? 0)
  const most = Number(schema['maxLength'] ?? 100)
  const fits = (text: string) =>
    [...text].length >= least && [...text].length <= most && patterns.every((pattern) => pattern.test(text))
  const free = fc.string({ unit: 'binary', minLength: least, maxLength: Math.min(most, 50) })
  const long = fc.string({ unit: 'grapheme-ascii', minLength: Math.min(most, 2000), maxLength: Math.min(most, 2000) })
  const wide = fc.constantFrom('🐋'.repeat(Math.min(most, 20_000)), '🐋'.repeat(Math.min(most, 20_000) - 1))
  const matching = patterns.map((pattern) => fc.stringMatching(pattern))
  const taken = known.texts.filter(fits)
  const random = fc.oneof(free, long, wide, ...matching, ...matching).filter(fits)
  return taken.length > 0 ? fc.oneof({ weight: 2, arbitrary: random }, fc.constantFrom(...taken)) : random
}

function numberOf(known: Known, schema: JsonSchema): fc.Arbitrary<number> {
  const min = Number(schema['minimum'] ?? Number.MIN_SAFE_INTEGER)
  const max = Number(schema['maximum'] ?? Number.MAX_SAFE_INTEGER)
  const taken = known.ids.filter((id) => id >= min && id <= max)
  const random = fc.oneof(fc.constantFrom(min, max), fc.integer({ min: Math.max(min, -1e9), max: Math.min(max, 1e9) }))
  return taken.length > 0 ? fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...taken) }, random) : random
}

const deep = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`

const oddTexts = fc.oneof(
  fc.constantFrom('', '0', '-1', '1.5', '1e3', '0x10', '%20', '%00', 'a%00b', '%', '%zz', '%ff%fe', '..%2F..', '%2F'),
  fc.constantFrom(
    '2147483647',
    '2147483648',
    '9007199254740990',
    '9007199254740993',
    '99999999999999999999',
    'NaN',
    'null',
  ),
  fc.constantFrom(
    '%F0%9F%90%8B',
    '%C2%A0',
    '%E2%80%AE',
    '%ED%A0%80',
    "'%20or%201=1--",
    '%5B%5D',
    'constructor',
    '__proto__',
  ),
  fc.constantFrom(
    'x'.repeat(300),
    '9999999999999-999999999',
    '8640000000000001-1',
    '1-9999999999',
    '99999999999999999',
  ),
  fc.string({ unit: 'binary', maxLength: 20 }).map((text) => encodeURIComponent(text)),
)

const oddValues = fc.oneof(
  fc.constantFrom<unknown>(null, true, '', ' ', 0, -1, 1.5, 2 ** 31, 2 ** 53, 1e308, [], {}, [[]], ['a'], { a: 1 }),
  fc.constantFrom<unknown>(
    '\0',
    'a\0b',
    '\ud800',
    'a\udc00b',
    '\u202e',
    '\ufeff',
    'x'.repeat(3000),
    JSON.parse(deep(500)),
  ),
  fc.constantFrom<unknown>(
    JSON.parse('{"__proto__": {"a": 1}}'),
    { constructor: 1 },
    '<script>',
    '-1',
    '1',
    'true',
    'NaN',
  ),
  fc.string({ unit: 'binary', maxLength: 50 }),
  fc.jsonValue(),
)

const oddBodies = fc.oneof(
  fc.constantFrom<string | Buffer>(
    '',
    ' ',
    'null',
    '1',
    '"text"',
    '[]',
    '{}',
    '{',
    '{"a":',
    '{"a":1e400}',
    '[1,]',
    "{'a':1}",
  ),
  fc.constantFrom<string | Buffer>(
    deep(2000),
    deep(40_000),
    '\ufeff{}',
    '{"a":1}{"b":2}',
    '{"__proto__":{}}',
    'x'.repeat(150_000),
  ),
  fc.constantFrom<string | Buffer>(Buffer.from([0xff, 0xfe, 0x7b, 0]), Buffer.from('{"a":"\xff"}', 'latin1')),
  fc.jsonValue().map((value) => JSON.stringify(value)),
)

const oddTypes = fc.constantFrom<Record<string, string>>(
  { 'Content-Type': 'text/plain' },
  { 'Content-Type': 'application/xml' },
  { 'Content-Type': '' },
  { 'Content-Type': 'application/json; charset=iso-8859-1' },
  { 'Content-Type': 'application/json; charset=nonsense' },
  { 'Content-Type': 'multipart/form-data' },
  { 'Content-Encoding': 'gzip' },
  { 'Content-Encoding': 'nonsense' },
)

/** Puts an odd value somewhere into a body, takes something out of it, or adds a field that isn't known. */
function spoil(body: unknown, at: number, value: unknown, how: number): unknown {
  const places: [Mutable, string | number][] = []
  const walk = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return
    for (const key of Object.keys(node)) {
      places.push([node as Mutable, key])
      walk((node as Record<string, unknown>)[key])
    }
  }
  walk(body)
  if (places.length === 0) return value
  const [node, key] = places[at % places.length]!
  if (how === 0 && !Array.isArray(node)) delete node[key as string]
  else if (how === 1 && !Array.isArray(node))
    Object.defineProperty(node, typeof value === 'string' ? value : 'unknown', { value, enumerable: true })
  else (node as Record<string, unknown>)[key] = value
  return body
}

// Holds every answer of the API against the OpenAPI document: status, content type, headers, schema, no undeclared fields, and
// `errors` that name what the caller wrote.

import assert from 'node:assert/strict'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { IncomingHttpHeaders } from 'node:http'

export interface Operation {
  parameters?: { in: 'path' | 'query' | 'header'; name: string; required?: boolean; schema: JsonSchema }[]
  requestBody?: { content: { 'application/json': { schema: JsonSchema } } }
  responses: Record<string, DeclaredAnswer>
}
interface DeclaredAnswer {
  content?: Record<string, { schema: JsonSchema }>
  headers?: Record<string, { required?: boolean; schema: JsonSchema }>
}
export type JsonSchema = Record<string, unknown>
export interface ApiDocument {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, JsonSchema> }
}

export interface Sent {
  method: string
  /** Below /api/v1, with its query. */
  path: string
  body?: unknown
}

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

const base = 'https://broadsheet.example/openapi.json'

export class ApiAnswers {
  readonly document: ApiDocument
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: true })
  readonly #compiled = new Map<string, ValidateFunction>()

  constructor(document: unknown) {
    this.document = document as ApiDocument
    addFormats.default(this.#ajv)
    this.#ajv.addSchema({ $id: base, ...(document as object) })
  }

  /** `pointer`: where the schema stands in the document. */
  validator(pointer: readonly string[]): ValidateFunction {
    const ref = `${base}#/${pointer.map((part) => encodeURIComponent(part.replace(/~/g, '~0').replace(/\//g, '~1'))).join('/')}`
    const known = this.#compiled.get(ref)
    if (known) return known
    const made = this.#ajv.compile({ $ref: ref })
    this.#compiled.set(ref, made)
    return made
  }

  /** The declared path that takes this address; fixed words before parameters. */
  pathOf(path: string): string | undefined {
    const parts = path.split('?')[0]!.split('/')
    const fits = (declared: string) => {
      const wanted = declared.split('/')
      return (
        wanted.length === parts.length &&
        wanted.every((word, i) => (word.startsWith('{') ? parts[i] : word === parts[i]))
      )
    }
    return Object.keys(this.document.paths)
      .filter(fits)
      .toSorted((a, b) => a.split('{').length - b.split('{').length)[0]
  }

  check(sent: Sent, response: Answer): void {
    const method = sent.method.toLowerCase()
    const what = `${sent.method} ${sent.path} answered ${response.status} ${response.text?.slice(0, 500)}`
    const path = this.pathOf(sent.path)
    const operation = path === undefined ? undefined : this.document.paths[path]![method]
    if (!operation) return this.#checkUndeclared(path, method, response, what)
    const declared = operation.responses[String(response.status)]
    assert.ok(declared, `undeclared status: ${what}`)
    for (const [name, header] of Object.entries(declared.headers ?? {}))
      assert.ok(!header.required || response.headers[name.toLowerCase()] !== undefined, `no ${name}: ${what}`)
    const type = response.headers['content-type']?.split(';')[0]
    const [wanted] = Object.keys(declared.content ?? {})
    assert.equal(type, wanted, what)
    if (wanted === undefined) return assert.equal(response.text, '', what)
    const body: unknown = JSON.parse(response.text)
    const validate = this.validator([
      'paths',
      path!,
      method,
      'responses',
      String(response.status),
      'content',
      wanted,
      'schema',
    ])
    assert.ok(validate(body), `${this.#ajv.errorsText(validate.errors)}: ${what}`)
    this.#checkFields(sent, operation, body as { errors?: { field: string }[] }, what)
  }

  #checkUndeclared(path: string | undefined, method: string, response: Answer, what: string): void {
    if (method === 'head') return
    assert.match(response.headers['content-type'] ?? '', /^application\/problem\+json/, what)
    if (path === undefined) return assert.ok([400, 401, 404].includes(response.status), what)
    assert.ok([401, 405].includes(response.status), what)
    if (response.status === 401) return
    const allowed = (response.headers['allow'] ?? '').split(', ').filter((each: string) => each !== 'HEAD')
    assert.deepEqual(
      allowed.toSorted(),
      Object.keys(this.document.paths[path]!)
        .map((m) => m.toUpperCase())
        .toSorted(),
      what,
    )
  }

  /** A parameter, a header, or a place in the body that was written or is missing. */
  #checkFields(sent: Sent, operation: Operation, body: { errors?: { field: string }[] }, what: string): void {
    const names = (operation.parameters ?? []).map((parameter) => parameter.name)
    const given = [...new URLSearchParams(sent.path.split('?')[1] ?? '').keys()]
    for (const { field } of body.errors ?? []) {
      if (field === 'body' || names.includes(field) || given.includes(field)) continue
      assert.ok(this.#isInBody(sent, operation, field), `${field} is nothing that the caller wrote: ${what}`)
    }
  }

  #isInBody(sent: Sent, operation: Operation, field: string): boolean {
    if (!operation.requestBody) return false
    const [first] = field.split('.')
    const written = typeof sent.body === 'string' ? parsed(sent.body) : sent.body
    if (
      typeof written === 'object' &&
      written !== null &&
      Object.keys(written).some((key) => field === key || field.startsWith(`${key}.`))
    )
      return true
    return JSON.stringify(this.#resolve(operation.requestBody.content['application/json'].schema)).includes(
      `"${first}":`,
    )
  }

  #resolve(schema: JsonSchema): unknown {
    const text = JSON.stringify(schema)
    return JSON.parse(
      text.replace(/\{"\$ref":"#\/components\/schemas\/(\w+)"\}/g, (_, name: string) =>
        JSON.stringify(this.document.components.schemas[name]),
      ),
    )
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

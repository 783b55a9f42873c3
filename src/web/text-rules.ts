// No text column accepts U+0000, so it is refused everywhere.

import type { RequestHandler } from 'express'
import type { FieldProblem } from '../base/errors.ts'
import { refusal } from '../messages/refusals.ts'

/** Texts with a NUL in the input, by the field's name: `email`, `articles.3.link`. */
export function nulsIn(value: unknown, whole = 'body', at: readonly PropertyKey[] = []): FieldProblem[] {
  if (typeof value === 'string')
    return value.includes('\0')
      ? [{ field: at.join('.') || whole, message: 'must not contain the character U+0000' }]
      : []
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) =>
    key.includes('\0') ? nulsIn(key, whole, at) : nulsIn(inner, whole, [...at, key]),
  )
}

/** An address with an encoded NUL has no page. The API names the parameter itself. */
export const refuseNulInAddress: RequestHandler = (request, _response, next) => {
  if (request.url.includes('%00') && !request.url.startsWith('/api/v1/')) throw refusal('invalid', 'common.oddAddress')
  next()
}

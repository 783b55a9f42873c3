// What is wrong with a request, by field, from zod's issues. A union's own "Invalid input" names nothing, so the problems of its
// most likely shape are reported.

import type { z } from 'zod'
import type { FieldProblem } from '../../base/errors.ts'

type Issue = z.core.$ZodIssue

/** `whole` is the name if there is no field: a body that isn't an object. */
export function problemsOf(issues: readonly Issue[], whole = 'body', at: readonly PropertyKey[] = []): FieldProblem[] {
  return issues.flatMap((issue) => {
    const path = [...at, ...issue.path]
    if (issue.code === 'invalid_union' && issue.message === 'Invalid input' && issue.errors.length)
      return problemsOf(likeliest(issue.errors), whole, path)
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({
        field: [...path, key].join('.'),
        message: 'is not a field that is known here',
      }))
    return [{ field: path.join('.') || whole, message: issue.message }]
  })
}

/** The shape that contains most of the given fields, then the one with the fewest issues. */
function likeliest(shapes: readonly (readonly Issue[])[]): readonly Issue[] {
  const unknown = (issues: readonly Issue[]) =>
    issues.reduce((sum, issue) => sum + (issue.code === 'unrecognized_keys' ? issue.keys.length : 0), 0)
  return shapes.toSorted((a, b) => unknown(a) - unknown(b) || a.length - b.length)[0]!
}

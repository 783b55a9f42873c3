// Refusals: what the domain says when it won't do as asked. The status codes live in one table in web/errors.ts.

export const refusalCodes = [
  'invalid',
  'unauthorized',
  'forbidden',
  'not_found',
  'method_not_allowed',
  'conflict',
  'too_large',
  'unsupported_type',
  'rate_limited',
  'unavailable',
] as const
export type RefusalCode = (typeof refusalCodes)[number]

export interface FieldProblem {
  /** The name as the caller wrote it: `email`, `frequency[politics]` in a form, `articles.3.link` in JSON. */
  field: string
  message: string
}

/** An expected "no". `message` is a sentence for people: what happened, to what, what to do. */
export class Refusal extends Error {
  override name = 'Refusal'
  readonly code: RefusalCode
  readonly problems: readonly FieldProblem[]
  constructor(code: RefusalCode, message: string, problems: readonly FieldProblem[] = []) {
    super(message)
    this.code = code
    this.problems = problems
  }
}

/** One bad field. */
export function invalid(field: string, message: string): Refusal {
  return new Refusal('invalid', message, [{ field, message }])
}

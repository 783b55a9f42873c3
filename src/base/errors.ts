// Refusals: errors that the caller can fix. web/errors.ts maps them to status codes.

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

/** The same sentence as a message with its values, for pages in other languages (messages/refusals.ts). */
export interface Said {
  key: string
  values: Readonly<Record<string, string | number>>
}

export interface FieldProblem {
  /** The name as the caller wrote it: `email`, `frequency[politics]` in a form, `articles.3.link` in JSON. */
  field: string
  /** In English. */
  message: string
  said?: Said
}

/** An expected error. `message` is a sentence for the screen: what was refused, and how to fix it. */
export class Refusal extends Error {
  override name = 'Refusal'
  readonly code: RefusalCode
  readonly problems: readonly FieldProblem[]
  readonly said: Said | undefined
  constructor(code: RefusalCode, message: string, problems: readonly FieldProblem[] = [], said?: Said) {
    super(message)
    this.code = code
    this.problems = problems
    this.said = said
  }
}

/** A refusal of one field. */
export function invalid(field: string, message: string): Refusal {
  return new Refusal('invalid', message, [{ field, message }])
}

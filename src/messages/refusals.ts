// Refusals that readers see: in English where they come from (API, command line, log), in the reader's language on pages.

import { IntlMessageFormat } from 'intl-messageformat'
import { type FieldProblem, Refusal, type RefusalCode, type Said } from '../base/errors.ts'
import { english, isKey, type Key } from './english.ts'
import type { Say, Values } from './messages.ts'

/** `key` is a message without tags. */
export function refusal(
  code: RefusalCode,
  key: Key,
  values: Values = {},
  problems: readonly FieldProblem[] = [],
): Refusal {
  return new Refusal(code, inEnglish(key, values), problems, { key, values })
}

export function problemWith(field: string, key: Key, values: Values = {}): FieldProblem {
  return { field, message: inEnglish(key, values), said: { key, values } }
}

/** One bad field. */
export function invalidField(field: string, key: Key, values: Values = {}): Refusal {
  const problem = problemWith(field, key, values)
  return new Refusal('invalid', problem.message, [problem], problem.said)
}

/** What a page says about it. What only programs can cause is in English alone. */
export function wordsOf(say: Say, { message, said }: { message: string; said?: Said | undefined }): string {
  return said && isKey(said.key) ? say(said.key, said.values) : message
}

function inEnglish(key: Key, values: Values): string {
  return String(new IntlMessageFormat(english[key], 'en').format(values))
}

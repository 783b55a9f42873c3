// What a reader may choose, and how a form or a caller says it: {category slug: frequency}. `off` and a missing slug are the
// same: no subscription. Everything that isn't understood is refused by its field, `frequency[<slug>]`.

import { isTimeZone } from '../base/time-zone.ts'
import { invalid, Refusal, type FieldProblem } from '../base/errors.ts'
import { frequencies, type Category, type Frequency } from '../db/schema.ts'

export type Choices = Record<string, Frequency>
/** As given; `off` is kept, as leaving a category is not the same as not naming it. */
export type GivenChoices = Record<string, Frequency | 'off'>

/** Refuses unknown categories and frequencies, all at once. Pure. */
export function readChoices(given: unknown, categories: readonly Category[]): GivenChoices {
  if (given === undefined || given === null || given === '') return {}
  if (typeof given !== 'object' || Array.isArray(given))
    throw invalid('frequency', 'Choose a frequency for each category, as in frequency[politics]=daily.')
  const problems: FieldProblem[] = []
  const choices: GivenChoices = {}
  for (const [slug, frequency] of Object.entries(given)) {
    const field = `frequency[${slug.slice(0, 60)}]`
    if (!categories.some((category) => category.slug === slug))
      problems.push({ field, message: 'There is no such category.' })
    else if (!isFrequency(frequency) && frequency !== 'off')
      problems.push({ field, message: 'Choose off, daily, weekly or monthly.' })
    else choices[slug] = frequency
  }
  if (problems.length > 0) throw new Refusal('invalid', 'One of the choices isn’t on offer.', problems)
  return choices
}

/** Without what is off. Pure. */
export function chosen(given: GivenChoices): Choices {
  return Object.fromEntries(Object.entries(given).filter((entry): entry is [string, Frequency] => entry[1] !== 'off'))
}

/** Empty or missing: the site's zone, null. */
export function readTimezone(given: unknown): string | null {
  if (given === undefined || given === null || given === '') return null
  if (typeof given !== 'string' || !isTimeZone(given))
    throw invalid('timezone', 'That isn’t a time zone we know. Choose one from the list.')
  return given
}

export function isFrequency(value: unknown): value is Frequency {
  return frequencies.includes(value as Frequency)
}

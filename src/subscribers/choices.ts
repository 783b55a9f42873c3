// The choice of categories and its form in requests: {category slug: frequency}. `off` and a missing slug are the same: no
// subscription. Invalid values are refused by field, `frequency[<slug>]`.

import { isTimeZone } from '../base/time-zone.ts'
import { invalid, type FieldProblem } from '../base/errors.ts'
import { frequencies, type Category, type Frequency } from '../db/schema.ts'
import { invalidField, problemWith, refusal } from '../messages/refusals.ts'

export type Choices = Record<string, Frequency>
/** As given. `off` is kept, because switching a category off isn't the same as not naming it. */
export type GivenChoices = Record<string, Frequency | 'off'>

/** "daily, weekly or monthly" */
export const anyFrequency = new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(frequencies)

/** Refuses all unknown categories and frequencies at once. Pure. */
export function readChoices(given: unknown, categories: readonly Category[]): GivenChoices {
  if (given === undefined || given === null || given === '') return {}
  if (typeof given !== 'object' || Array.isArray(given))
    throw invalid('frequency', 'Choose a frequency for each category, as in frequency[politics]=daily.')
  const problems: FieldProblem[] = []
  const choices: GivenChoices = {}
  for (const [slug, frequency] of Object.entries(given)) {
    const field = `frequency[${slug.slice(0, 60)}]`
    if (!categories.some((category) => category.slug === slug)) problems.push(problemWith(field, 'form.noCategory'))
    else if (!isFrequency(frequency) && frequency !== 'off') problems.push(problemWith(field, 'form.chooseFrequency'))
    else choices[slug] = frequency
  }
  if (problems.length > 0) throw refusal('invalid', 'form.notOffered', {}, problems)
  return choices
}

/** The categories in a sign-up form, as received. */
export interface SignupFields {
  /** {slug: frequency}. Empty for a category: no frequency of its own. */
  frequency: unknown
  /** The slug or slugs of the ticked categories. */
  categories: unknown
  /** For all ticked categories. */
  frequencyForAll: unknown
}

/**
 * The choice in a sign-up. A category's own frequency, including `off`, comes first. Without one, a ticked category gets the
 * frequency for all, and any other is off. A form with neither `frequency` nor `categories` chooses the site's default, `usual`,
 * at the frequency for all if it has one. Refuses unknown categories and an empty choice, by field. Pure.
 */
export function readSignupChoices(fields: SignupFields, offered: readonly Category[], usual: Choices): Choices {
  const { frequency, categories, frequencyForAll } = fields
  if (!isEmpty(frequencyForAll) && !isFrequency(frequencyForAll))
    throw invalidField('frequency_for_all', 'form.chooseForAll')
  const forAll = isFrequency(frequencyForAll) ? frequencyForAll : undefined
  if (isEmpty(frequency) && categories === undefined)
    return forAll ? Object.fromEntries(Object.keys(usual).map((slug) => [slug, forAll])) : usual
  const own = readChoices(withoutEmpty(frequency), offered)
  const list: unknown[] = Array.isArray(categories) ? categories : [categories]
  const ticked = list.filter((slug) => !isEmpty(slug))
  if (!ticked.every((slug) => offered.some((category) => category.slug === slug)))
    throw invalidField('categories', 'form.noCategory')
  const choices = chosen({
    ...Object.fromEntries(ticked.map((slug) => [slug, forAll ?? mostUsed(usual)])),
    ...own,
  })
  if (Object.keys(choices).length === 0) throw invalidField('frequency', 'form.chooseOne')
  return choices
}

const isEmpty = (given: unknown): boolean => given === undefined || given === null || given === ''

function withoutEmpty(frequency: unknown): unknown {
  if (typeof frequency !== 'object' || frequency === null || Array.isArray(frequency)) return frequency
  return Object.fromEntries(Object.entries(frequency).filter(([, value]) => value !== ''))
}

/** The most common frequency of the categories; `daily` for an empty choice. Pure. */
export function mostUsed(choices: Choices): Frequency {
  const used = Object.values(choices)
  const times = (frequency: Frequency) => used.filter((one) => one === frequency).length
  return frequencies.reduce((most, one) => (times(one) > times(most) ? one : most))
}

/** Without categories that are off. Pure. */
export function chosen(given: GivenChoices): Choices {
  return Object.fromEntries(Object.entries(given).filter((entry): entry is [string, Frequency] => entry[1] !== 'off'))
}

/** The browser's time zone. Some send `Etc/Unknown`, and programs send anything: then it is the site's zone, null. */
export function readGuessedTimezone(given: unknown): string | null {
  return typeof given === 'string' && isTimeZone(given) ? given : null
}

/** Empty or missing: the site's zone, null. */
export function readTimezone(given: unknown): string | null {
  if (given === undefined || given === null || given === '') return null
  if (typeof given !== 'string' || !isTimeZone(given)) throw invalidField('timezone', 'form.unknownZone')
  return given
}

export function isFrequency(value: unknown): value is Frequency {
  return frequencies.includes(value as Frequency)
}

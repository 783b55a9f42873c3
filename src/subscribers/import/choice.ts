// The choice of a row in a list: from its categories, tags and frequency, otherwise the site's default choice. The operator's
// `--category` and `--frequency` override both.

import { invalid } from '../../base/errors.ts'
import { type Category, type Frequency, frequencies } from '../../db/schema.ts'
import { anyFrequency, type Choices, isFrequency } from '../choices.ts'
import { type Column, halves, named } from './columns.ts'
import { elements, frequencyWord, isBlank, plain, yesOrNo } from './words.ts'

export interface ChoiceRules {
  /** Including retired ones: our own export names them. */
  categories: readonly Category[]
  default: Choices
  /** For all rows; empty: from the file or the default. */
  onlyCategories: readonly string[]
  frequency: Frequency | null
  /** `Tag:news=politics:daily`. */
  tagged: readonly Tagged[]
}

interface Tagged {
  column: string
  value: string
  slug: string
  frequency: Frequency
}

/** Throws a Refusal that names the option. */
export function readChoiceRules(
  given: { category: readonly string[]; frequency: string | null; choice: readonly string[] },
  categories: readonly Category[],
  standard: Choices,
): ChoiceRules {
  const { frequency } = given
  if (frequency !== null && !isFrequency(frequency)) throw invalid('--frequency', `--frequency must be ${anyFrequency}`)
  const known = (option: string, slug: string) => {
    if (!categories.some((one) => one.slug === slug && !one.retiredAt))
      throw invalid(option, `${option}: there is no category "${slug.slice(0, 60)}".`)
    return slug
  }
  return {
    categories,
    default: standard,
    onlyCategories: given.category.map((slug) => known('--category', slug)),
    frequency,
    tagged: given.choice.map((one) => {
      const [from, to] = halves('--choice', one)
      const [slug = '', often = 'daily', ...more] = to.split(':')
      const colon = from.lastIndexOf(':')
      if (colon < 1 || more.length > 0 || !isFrequency(often))
        throw invalid(
          '--choice',
          `--choice: "${one}" isn’t COLUMN:VALUE=CATEGORY:FREQUENCY, such as "Tag:news=politics:daily".`,
        )
      const column = from.slice(0, colon)
      return { column, value: plain(from.slice(colon + 1)), slug: known('--choice', slug), frequency: often }
    }),
  }
}

/** `fromFile`: the row contains a choice. Throws a Refusal that names the column. */
export function choiceOf(
  columns: readonly Column[],
  cells: readonly string[],
  rules: ChoiceRules,
): { choices: Choices; fromFile: boolean } {
  const said = saidChoice(columns, cells, rules)
  const chosen = said ?? rules.default
  const isOff = said !== null && Object.keys(said).length === 0
  // A row that switches everything off is a choice.
  if (isOff) return { choices: {}, fromFile: true }
  const slugs = rules.onlyCategories.length > 0 ? rules.onlyCategories : Object.keys(chosen)
  const often = (slug: string) => rules.frequency ?? chosen[slug] ?? rules.default[slug] ?? 'daily'
  return { choices: Object.fromEntries(slugs.map((slug) => [slug, often(slug)])), fromFile: said !== null }
}

/** null: the row contains no choice; {}: an empty choice. */
function saidChoice(columns: readonly Column[], cells: readonly string[], rules: ChoiceRules): Choices | null {
  const said: Record<string, Frequency | 'off'> = {}
  let general: Frequency | null = null
  columns.forEach(({ title, reading }, index) => {
    const cell = cells[index] ?? ''
    if (isBlank(cell)) return
    if (reading.as === 'category') said[reading.slug] = frequencyIn(title, cell, rules.default[reading.slug])
    else if (reading.as === 'field' && reading.field === 'frequency') general = generalFrequency(title, cell)
    else if (reading.as === 'tags')
      for (const slug of categoriesIn(cell, rules.categories)) said[slug] ??= rules.default[slug] ?? 'daily'
  })
  for (const { column, value, slug, frequency } of rules.tagged)
    for (const one of named(columns, column))
      if (elements(cells[columns.indexOf(one)] ?? '').some((element) => plain(element) === value))
        said[slug] = frequency
  if (general) {
    const slugs = Object.keys(said).length > 0 ? Object.keys(said) : Object.keys(rules.default)
    for (const slug of slugs) if (said[slug] !== 'off') said[slug] = general
  }
  if (Object.keys(said).length === 0) return null
  return Object.fromEntries(Object.entries(said).filter((entry): entry is [string, Frequency] => entry[1] !== 'off'))
}

function frequencyIn(title: string, cell: string, standard: Frequency = 'daily'): Frequency | 'off' {
  const word = frequencyWord(cell)
  if (word) return word
  const answer = yesOrNo(cell)
  if (answer === null) throw invalid(title, `must be off, ${frequencies.join(', ')}, not "${cell.slice(0, 60)}"`)
  return answer ? standard : 'off'
}

function generalFrequency(title: string, cell: string): Frequency {
  const word = frequencyWord(cell)
  if (!word || word === 'off')
    throw invalid(title, `must be one of ${frequencies.join(', ')}, not "${cell.slice(0, 60)}"`)
  return word
}

/** Tags with the name of a category. */
function categoriesIn(cell: string, categories: readonly Category[]): string[] {
  const words = elements(cell).map(plain)
  return categories
    .filter((one) => !one.retiredAt && (words.includes(plain(one.name)) || words.includes(plain(one.slug))))
    .map(({ slug }) => slug)
}

// What a message has to be filled with, and what is wrong with one that doesn't fit the English one. Pure.

import { IntlMessageFormat } from 'intl-messageformat'

type Elements = ReturnType<IntlMessageFormat['getAst']>

/** What the types of the parser's elements are: a text, a number, a date, a choice by a text, a plural, a tag. */
const kinds = { 1: 'text', 2: 'number', 3: 'date', 4: 'date', 5: 'choice', 6: 'number', 8: 'tag' } as const
type Kind = (typeof kinds)[keyof typeof kinds]

interface Found {
  /** By name. A name that is a number and a text is a number. */
  placeholders: Map<string, Kind>
  /** The cases that each plural names: `one`, `few`, `=0`. */
  plurals: { isOrdinal: boolean; cases: string[] }[]
}

/** Throws what the parser throws when the text isn't ICU MessageFormat. */
export function readPlaceholders(text: string, locale: string): Found {
  const found: Found = { placeholders: new Map(), plurals: [] }
  collect(new IntlMessageFormat(text, locale).getAst(), found)
  return found
}

function collect(elements: Elements, found: Found): void {
  for (const element of elements) {
    const kind = kinds[element.type as keyof typeof kinds]
    if (kind && 'value' in element) {
      const name = String(element.value)
      const before = found.placeholders.get(name)
      if (!before || before === 'text') found.placeholders.set(name, kind)
    }
    if ('children' in element) collect(element.children, found)
    if ('options' in element) {
      if ('pluralType' in element)
        found.plurals.push({ isOrdinal: element.pluralType === 'ordinal', cases: Object.keys(element.options) })
      for (const option of Object.values(element.options)) collect(option.value, found)
    }
  }
}

/** Whether `text` can take the place of the English message: null, or what is wrong, to follow the key. Every tag must be there, as
 * a link would be lost; any other placeholder may be left out, none may be new. */
export function problemOf(text: string, english: string, locale: string): string | null {
  let own: Found
  try {
    own = readPlaceholders(text, locale)
  } catch (error) {
    return `isn’t ICU MessageFormat (${(error as Error).message.split('\n')[0]})`
  }
  const known = readPlaceholders(english, 'en').placeholders
  for (const [name, kind] of own.placeholders) {
    const wanted = known.get(name)
    const written = kind === 'tag' ? `<${name}>` : `{${name}}`
    if (wanted === undefined || (kind === 'tag') !== (wanted === 'tag'))
      return `has ${written}, which this sentence doesn’t have`
    if ((kind === 'number' || kind === 'date') && kind !== wanted)
      return `uses ${written} as a ${kind}, and it is a ${wanted}`
  }
  const lost = [...known].find(([name, kind]) => kind === 'tag' && !own.placeholders.has(name))
  if (lost) return `lacks <${lost[0]}>…</${lost[0]}>`
  return canBeWritten(text, locale, own) ? null : 'has a format that doesn’t exist'
}

/** A number or date may name a format that nobody knows, which shows only when it is written. */
function canBeWritten(text: string, locale: string, { placeholders }: Found): boolean {
  const sample = { text: 'x', choice: 'x', number: 1, date: 0, tag: (parts: unknown[]) => parts.join('') }
  try {
    const values = Object.fromEntries([...placeholders].map(([name, kind]) => [name, sample[kind]]))
    new IntlMessageFormat(text, locale).format(values)
    return true
  } catch {
    return false
  }
}

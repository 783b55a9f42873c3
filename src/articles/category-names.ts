// A category's name and description in a language. Editors enter them per language. If a language has none, the category's own are
// shown.

import { invalid } from '../base/errors.ts'
import type { Category, CategoryTexts } from '../db/schema.ts'

/** The texts of a language: `de-AT` gets those of `de-AT`, otherwise those of `de`. Pure. */
export function givenFor<T>(texts: Readonly<Record<string, T>>, locale: string): T | undefined {
  return Object.hasOwn(texts, locale) ? texts[locale] : baseOf(texts, locale)
}

function baseOf<T>(texts: Readonly<Record<string, T>>, locale: string): T | undefined {
  const base = locale.split('-')[0]!
  return Object.hasOwn(texts, base) ? texts[base] : undefined
}

type Named = Pick<Category, 'name' | 'translations'>
type Described = Named & Pick<Category, 'description'>

/** A category's name in a language. Pure. */
export function categoryName({ name, translations }: Named, locale: string): string {
  return givenFor(translations, locale)?.name || name
}

/** The same category with name and description in a language. Pure. */
export function categoryIn<T extends Described>(category: T, locale: string): T {
  const given = givenFor(category.translations, locale)
  if (!given) return category
  return { ...category, name: given.name || category.name, description: given.description || category.description }
}

/** Categories with names and descriptions in a language, in the same order. Pure. */
export function categoriesIn<T extends Described>(categories: readonly T[], locale: string): T[] {
  return categories.map((category) => categoryIn(category, locale))
}

/** de_at → de-AT. Refuses an invalid language tag. */
export function languageTag(given: string, field: string): string {
  try {
    return Intl.getCanonicalLocales(given.trim().replaceAll('_', '-'))[0]!
  } catch {
    throw invalid(field, `“${given.slice(0, 40)}” is not a language tag, such as de or pt-BR.`)
  }
}

/**
 * New texts of a language replace the old ones. A language with only empty texts is removed; the others stay. `clean` checks a
 * name and names the field in a refusal.
 */
export function mergeTexts(
  before: Readonly<Record<string, CategoryTexts>>,
  given: Readonly<Record<string, CategoryTexts | null>>,
  clean: (name: string, field: string) => string,
): Record<string, CategoryTexts> {
  const merged = { ...before }
  for (const [key, texts] of Object.entries(given)) {
    const language = languageTag(key, 'translations')
    const name = texts?.name?.trim() ? clean(texts.name, `translations.${key}.name`) : ''
    const description = texts?.description?.trim() ?? ''
    if (name || description) merged[language] = { ...(name && { name }), ...(description && { description }) }
    else delete merged[language]
  }
  return merged
}

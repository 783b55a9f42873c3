// The language of a subscriber, as lists of other systems write it: `de`, `de_DE`, `German`, `Deutsch`, `Français (Canada)`.

import { readLocale } from '../preferences.ts'
import { plain } from './words.ts'

/** Languages that have a code of two letters, by their names in English and in themselves. */
const byName = new Map<string, string>()

function namesOf(): Map<string, string> {
  if (byName.size > 0) return byName
  const letters = 'abcdefghijklmnopqrstuvwxyz'
  for (const first of letters)
    for (const second of letters) {
      const code = first + second
      if (Intl.DisplayNames.supportedLocalesOf(code).length === 0) continue
      for (const locale of ['en', code])
        byName.set(plain(new Intl.DisplayNames(locale, { type: 'language' }).of(code) ?? code), code)
    }
  return byName
}

/** null: the file doesn't say, or says nothing that is a language. A file of ours is refused there: readLocale. Pure. */
export function languageIn(given: string, isOurs: boolean): string | null {
  if (isOurs) return readLocale(given, 'locale')
  const name = given.replace(/[(,;/].*$/, '')
  const named = namesOf().get(plain(name))
  if (named) return named
  try {
    return /^[a-z]{2,3}([-_][a-z0-9]{2,8})*$/i.test(given.trim()) ? readLocale(given.trim(), 'locale') : null
  } catch {
    return null
  }
}

// What the program says to readers, in their language: `const say = messagesFor(config, subscriber.locale)`, then
// `say('form.subscribe')`. Messages are whole sentences in ICU MessageFormat; docs/languages.md tells translators about them.

import { IntlMessageFormat } from 'intl-messageformat'
import type { Config } from '../base/config.ts'
import { formatDate } from '../base/dates.ts'
import { type Direction, isolate } from '../base/direction.ts'
import { canonical, type Catalogue, catalogueOf } from './catalogue.ts'
import { english, type Key } from './english.ts'

type Value = string | number
export type Values = Record<string, Value>
/** A tag of the message becomes whatever its function makes of what is within. */
type RichValues<T> = Record<string, Value | T | ((within: (string | T)[]) => T)>

export interface Say {
  /** The sentence as text. A value of the other direction is isolated within it. */
  (key: Key, values?: Values): string
  /** A sentence with tags, as a list for the `html` template, which escapes the texts in it:
   * `say.rich('form.agree', { a: (within) => html`<a href="…">${within}</a>` })`. */
  rich<T>(key: Key, values: RichValues<T>): (string | T)[]
  /** The message itself, unfilled: what `sayFrom` speaks with. */
  source(key: Key): string
  /** For `lang` and Intl: the language of the messages, with the region that was asked for (`de-AT`). */
  readonly locale: string
  /** The language of the messages: `de`. */
  readonly language: string
  readonly dir: Direction
  /** 12,345 */
  number(value: number): string
  /** A, B and C */
  list(items: readonly string[]): string
  date(at: Date, style: Parameters<typeof formatDate>[1], timeZone: string): string
  /** What a language is called in this one. */
  languageName(language: string): string
}

export type SpeakingConfig = Pick<Config, 'database'> & { site: Pick<Config['site'], 'locale'> }

/** The languages that there are messages in, the site's own first. */
export function languagesOf(config: SpeakingConfig): string[] {
  const site = messagesFor(config, null).language
  return [site, ...[...catalogueOf(config).texts.keys()].filter((language) => language !== site)]
}

/** The language that has messages for a tag: exact, else shorter (`de-AT`: `de`), else another region of it (`pt`: `pt-BR`). Pure. */
export function nearestLanguage(languages: Iterable<string>, tag: string): string | null {
  const asked = canonical(tag)
  if (!asked) return null
  const known = [...languages]
  const parts = asked.split('-')
  for (let length = parts.length; length > 0; length--) {
    const shorter = parts.slice(0, length).join('-')
    if (known.includes(shorter)) return shorter
  }
  const scriptOf = (each: string) => new Intl.Locale(each).maximize().script
  return known.find((each) => each.split('-')[0] === parts[0] && scriptOf(each) === scriptOf(asked)) ?? null
}

const made = new WeakMap<Catalogue, Map<string, Say>>()

/** null, or a language without messages: the site's (SITE_LOCALE), else English. */
export function messagesFor(config: SpeakingConfig, locale: string | null | undefined): Say {
  const catalogue = catalogueOf(config)
  let all = made.get(catalogue)
  if (!all) made.set(catalogue, (all = new Map()))
  const id = `${locale ?? ''} ${config.site.locale}`
  let say = all.get(id)
  if (!say) {
    // Subscribers bring their own tags, so the map is bounded.
    if (all.size > 200) all.clear()
    all.set(id, (say = make(catalogue, locale, config.site.locale)))
  }
  return say
}

/** Speaks with the given messages of one language, whatever this installation says. */
export function sayFrom(texts: Partial<Record<Key, string>>, language: string, locale: string): Say {
  return make({ texts: new Map([[language, texts]]) }, locale, locale)
}

function make({ texts }: Pick<Catalogue, 'texts'>, asked: string | null | undefined, siteLocale: string): Say {
  const found = [asked, siteLocale, 'en'].flatMap((tag) => {
    const language = tag ? nearestLanguage(texts.keys(), tag) : null
    return language ? [{ language, locale: localeOf(tag!, language) }] : []
  })
  const { language, locale } = found[0]!
  const dir: Direction = new Intl.Locale(locale).getTextInfo().direction === 'rtl' ? 'rtl' : 'ltr'
  // A sentence that a language lacks is looked for in the language without its region, the site's, and English.
  const sources = [
    found[0]!,
    ...[language.split('-')[0]!, ...found.slice(1).map((each) => each.language), 'en'].map((each) => ({
      language: each,
      locale: each,
    })),
  ]
  const formats = new Map<Key, IntlMessageFormat>()
  const find = (key: Key) => {
    const source = sources.find((each) => texts.get(each.language)?.[key] !== undefined)
    return { text: texts.get(source?.language ?? 'en')?.[key] ?? english[key], locale: source?.locale ?? 'en' }
  }
  const formatOf = (key: Key): IntlMessageFormat => {
    let format = formats.get(key)
    if (!format) {
      const { text, locale } = find(key)
      formats.set(key, (format = new IntlMessageFormat(text, locale)))
    }
    return format
  }
  const isolated = <T>(values: Record<string, T>): Record<string, T> =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        typeof value === 'string' ? (isolate(value, dir) as T) : value,
      ]),
    )
  const numbers = new Intl.NumberFormat(locale)
  const lists = new Intl.ListFormat(locale === 'en' ? 'en-GB' : locale, { type: 'conjunction' })
  return Object.assign((key: Key, values: Values = {}) => String(formatOf(key).format(isolated(values))), {
    rich<T>(key: Key, values: RichValues<T>): (string | T)[] {
      const said = formatOf(key).format<T>(isolated(values) as never)
      return Array.isArray(said) ? said : [said]
    },
    source: (key: Key) => find(key).text,
    locale,
    language,
    dir,
    number: (value: number) => numbers.format(value),
    list: (items: readonly string[]) => lists.format(items.map((item) => isolate(item, dir))),
    date: (at: Date, style: Parameters<typeof formatDate>[1], timeZone: string) =>
      formatDate(at, style, timeZone, locale),
    languageName: (tag: string) => nameOf(tag, locale),
  })
}

/** A region that was asked for stays, for dates and numbers: `de-AT` with the messages of `de`. */
function localeOf(tag: string, language: string): string {
  const asked = canonical(tag)
  return asked?.startsWith(`${language}-`) && Intl.DateTimeFormat.supportedLocalesOf(asked).length > 0
    ? asked
    : language
}

/** What a language is called, in `locale`; in itself by default: "Deutsch". Begins with a capital where its script has them. */
export function nameOf(tag: string, locale = tag): string {
  const name = new Intl.DisplayNames(locale, { type: 'language' }).of(tag) ?? tag
  const [first = ''] = name
  return first.toLocaleUpperCase(locale) + name.slice(first.length)
}

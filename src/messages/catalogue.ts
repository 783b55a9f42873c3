// All messages of this installation: the languages that come with the program, and what DATA_DIR/messages changes or adds.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { Config } from '../base/config.ts'
import { areaNames, english, isKey, type Key } from './english.ts'
import { problemOf } from './placeholders.ts'

/** The languages that come with the program. */
export const ownLanguages = ['en', 'de', 'fr', 'es', 'ar'] as const

type Texts = Partial<Record<Key, string>>

export interface Catalogue {
  /** By language tag. */
  texts: Map<string, Texts>
  /** Files and keys that are ignored, one sentence each. */
  problems: string[]
  /** Languages that a file adds, and the keys that it lacks. */
  incomplete: { language: string; missing: Key[] }[]
  /** How many sentences each file changes or adds. */
  changed: Map<string, number>
}

const own = new Map<string, Texts>(
  ownLanguages.map((language) => [
    language,
    language === 'en'
      ? english
      : Object.assign(
          {},
          ...areaNames.map((area) => readJson(path.join(import.meta.dirname, language, `${area}.json`))),
        ),
  ]),
)

/** Reads DATA_DIR/messages. A folder that isn't there is no problem. */
export function readCatalogue(dataDir: string): Catalogue {
  const catalogue: Catalogue = { texts: new Map(own), problems: [], incomplete: [], changed: new Map() }
  const folder = path.join(dataDir, 'messages')
  if (!existsSync(folder)) return catalogue
  for (const file of readdirSync(folder).toSorted()) if (file.endsWith('.json')) add(catalogue, folder, file)
  for (const [language, texts] of catalogue.texts) {
    const missing = Object.keys(english).filter((key): key is Key => isKey(key) && !(key in texts))
    if (missing.length > 0) catalogue.incomplete.push({ language, missing })
  }
  return catalogue
}

function add(catalogue: Catalogue, folder: string, file: string): void {
  const place = `messages/${file}`
  const language = canonical(path.basename(file, '.json'))
  if (!language)
    return void catalogue.problems.push(
      `${place} is ignored: its name is no language. Name it like sv.json or pt-BR.json.`,
    )
  let given: unknown
  try {
    given = readJson(path.join(folder, file))
  } catch (error) {
    return void catalogue.problems.push(`${place} is ignored: it isn’t JSON (${(error as Error).message}).`)
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return void catalogue.problems.push(`${place} is ignored: it must be one object, {"form.subscribe": "…"}.`)
  const good: Texts = {}
  for (const [key, text] of Object.entries(given)) {
    const problem = !isKey(key)
      ? 'is no key of this version'
      : typeof text !== 'string' || text.trim() === ''
        ? 'must be a text'
        : problemOf(text, english[key], language)
    if (problem) catalogue.problems.push(`${place}: ${key} is ignored, as it ${problem}.`)
    else good[key as Key] = text as string
  }
  if (Object.keys(good).length === 0) return
  catalogue.texts.set(language, { ...catalogue.texts.get(language), ...good })
  catalogue.changed.set(language, Object.keys(good).length)
}

function readJson(file: string): unknown {
  return JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''))
}

/** A language tag as it is written: `pt-BR`, without extensions. null: it is none. */
export function canonical(tag: string): string | null {
  try {
    const { language, script, region } = new Intl.Locale(tag.replaceAll('_', '-'))
    return [language, script, region].filter(Boolean).join('-')
  } catch {
    return null
  }
}

type Place = Pick<Config, 'database'>

const catalogues = new Map<string, Catalogue>()

/** What this process says: read once. */
export function catalogueOf({ database }: Place): Catalogue {
  return catalogues.get(database.dataDir) ?? reloadCatalogue({ database })
}

/** To be called when a process starts. */
export function reloadCatalogue({ database }: Place): Catalogue {
  const read = readCatalogue(database.dataDir)
  catalogues.set(database.dataDir, read)
  return read
}

// The columns of a file and how each is read: as the operator says, otherwise by its system, its title, or its values.

import { invalid, Refusal } from '../../base/errors.ts'
import type { Category } from '../../db/schema.ts'
import {
  against,
  type Field,
  field,
  fields,
  inFavour,
  neutral,
  nothing,
  type Reading,
  status,
  tags,
} from './readings.ts'
import type { Row } from './records.ts'
import { type Standing, standings } from './standing.ts'
import type { System } from './system-entry.ts'
import { recognise } from './systems.ts'
import { isAmbiguous, readTitle } from './titles.ts'
import { frequencyWord, isBlank, plain, statusWord, yesOrNo } from './words.ts'

export interface Column {
  /** As the file writes it. */
  title: string
  reading: Reading
  /** By value, without accents and case: what the operator says that it means; null: nothing. */
  values: ReadonlyMap<string, Standing | null>
}

/** The operator's instructions: `--map`, `--choice`, `--ignore-column`. */
export interface Instructions {
  map: readonly string[]
  choice: readonly string[]
  ignored: readonly string[]
}

/** The columns of one file. Throws a Refusal that names the column and how to fix it. */
export function readColumns(
  titles: readonly string[],
  sample: readonly Row[],
  emailAt: number,
  told: Instructions,
  categories: readonly Category[],
): { columns: Column[]; system: System | undefined } {
  const system = recognise(titles)
  const columns = titles.map((title, index): Column => {
    const values = sample.flatMap(({ cells }) => cells[index] ?? [])
    return { title, reading: readingOf(title, values, system, categories), values: new Map() }
  })
  const isAsked = told.map.some((one) => plain(one.slice(one.lastIndexOf('=') + 1)) === 'email')
  if (!isAsked)
    columns.forEach((column, index) => {
      if (index === emailAt) column.reading = field('email')
      else if (isField(column.reading, 'email')) column.reading = neutral
    })
  doubtEmpty(columns, sample)
  for (const one of told.ignored) for (const column of named(columns, one)) column.reading = nothing
  for (const one of told.map) applyMap(columns, one, categories)
  checkColumns(columns, titles, categories)
  return { columns, system }
}

/** A column that should say who wants mail but names nobody isn't understood, unless another column says it. */
function doubtEmpty(columns: readonly Column[], sample: readonly Row[]): void {
  const says = (index: number) => sample.some(({ cells }) => !isBlank(cells[index] ?? ''))
  const isSaid = columns.some(({ reading }, index) => ['status', 'flag'].includes(reading.as) && says(index))
  if (isSaid) return
  columns.forEach((column, index) => {
    const { reading } = column
    if (reading.as === 'flag' && reading.blankIfUnsaid && !says(index)) column.reading = { as: 'doubt' }
  })
}

const isField = (reading: Reading, name: Field) => reading.as === 'field' && reading.field === name

/** Columns with that title, in any spelling. */
export function named<T extends { title: string }>(columns: readonly T[], title: string): T[] {
  const exact = columns.filter((column) => column.title === title)
  return exact.length > 0 ? exact : columns.filter((column) => plain(column.title) === plain(title))
}

function readingOf(
  title: string,
  values: readonly string[],
  system: System | undefined,
  categories: readonly Category[],
): Reading {
  const known = system?.columns[plain(title)]
  if (known) return known
  const reading = readTitle(title)
  const category = categories.find(({ name, slug }) => plain(name) === plain(title) || slug === title.toLowerCase())
  if (category && values.every((value) => isBlank(value) || frequencyWord(value) !== null || yesOrNo(value) !== null))
    return { as: 'category', slug: category.slug }
  return isAmbiguous(title) ? byValues(reading, values) : reading
}

/** The values decide what a title such as `State` or `Newsletter` means. */
function byValues(reading: Reading, values: readonly string[]): Reading {
  const said = values.filter((value) => !isBlank(value))
  const share = (test: (value: string) => boolean) => said.filter(test).length / Math.max(1, said.length)
  if (share((value) => yesOrNo(value) !== null) > 0.9) return inFavour('unsubscribed')
  if (share((value) => statusWord(value) !== null) > 0.5) return status()
  return reading.as === 'tags' ? reading : neutral
}

/** `Adresse=email`, `Segment:Gold=subscribed`. */
function applyMap(columns: readonly Column[], told: string, categories: readonly Category[]): void {
  const [from, to] = halves('--map', told)
  const target = plain(to).replaceAll(' ', '_')
  const whole = named(columns, from)
  if (whole.length > 0) {
    const reading = mapped(target, to, categories)
    for (const column of whole) column.reading = reading
    return
  }
  const colon = from.lastIndexOf(':')
  const column = colon > 0 ? named(columns, from.slice(0, colon))[0] : undefined
  if (!column) return
  const standing = standings.find((one) => one === target) ?? (target === 'nothing' ? null : statusWord(to))
  if (standing === null && target !== 'nothing')
    throw invalid('--map', `--map: "${to}" isn’t one of ${standings.join(', ')} and nothing.`)
  column.values = new Map([...column.values, [plain(from.slice(colon + 1)), standing]])
  if (column.reading.as !== 'status' && column.reading.as !== 'flag') column.reading = status()
}

function mapped(target: string, given: string, categories: readonly Category[]): Reading {
  if (target === 'status') return status()
  if (target === 'nothing') return nothing
  if (target === 'tags') return tags
  if (target === 'subscribed') return inFavour('unsubscribed')
  if (target === 'confirmed') return inFavour('pending', 'confirmed_at')
  const standing = standings.find((one) => one === target)
  if (standing) return against(standing, standing === 'unsubscribed' ? 'unsubscribed_at' : 'suppressed_at')
  const slug = /^frequency\[(.+)\]$/.exec(given.trim())?.[1]
  if (slug && categories.some((one) => one.slug === slug)) return { as: 'category', slug }
  const one = fields.find((each) => each === target)
  if (!one)
    throw invalid(
      '--map',
      `--map: "${given}" isn’t anything that a column can be. Say email, status, subscribed, confirmed, unsubscribed, bounced, complained, blocked, tags, nothing, or one of the columns that export writes.`,
    )
  return one === 'unsubscribed_at' || one === 'suppressed_at' || one === 'confirmed_at' ? readTitle(one) : field(one)
}

/** At the last equals sign. */
export function halves(option: string, told: string): [string, string] {
  const at = told.lastIndexOf('=')
  if (at < 1 || at === told.length - 1) throw invalid(option, `${option}: "${told}" has no "=" between two words.`)
  return [told.slice(0, at).trim(), told.slice(at + 1).trim()]
}

function checkColumns(columns: readonly Column[], titles: readonly string[], categories: readonly Category[]): void {
  const emails = columns.filter((column) => isField(column.reading, 'email'))
  if (emails.length === 0)
    throw new Refusal(
      'invalid',
      `No column holds the addresses, among ${titles
        .slice(0, 20)
        .map((title) => `"${title.slice(0, 60)}"`)
        .join(', ')}. Say which one: --map "COLUMN=email".`,
    )
  if (emails.length > 1)
    throw invalid(
      '--map',
      `Only one column can be mapped to the address: ${emails.map(({ title }) => title).join(', ')}.`,
    )
  for (const { title, reading } of columns)
    if (reading.as === 'category' && !categories.some(({ slug }) => slug === reading.slug))
      throw new Refusal(
        'invalid',
        `The column "${title}" is for a category that isn’t here. Add it first (category add), or leave the column out: --ignore-column "${title}".`,
      )
}

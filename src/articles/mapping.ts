// Maps a feed's entries to our categories: by feed, by the item's own labels (if a category has the same name), by rules. A rule
// without a category leaves the item out. Retired categories get nothing. Pure.

import type { Category, FeedRulesTable } from '../db/schema.ts'
import type { Entry, Label } from './entry.ts'
import { labelKey, labelKeys } from './label-keys.ts'

export type MappingRule = Pick<FeedRulesTable, 'field' | 'match' | 'pattern' | 'scheme' | 'categoryId'>

export interface Mapping {
  /** Offered ones only. */
  categories: readonly Pick<Category, 'id' | 'slug' | 'name'>[]
  feedCategoryIds: readonly number[]
  /** In order. */
  rules: readonly MappingRule[]
}

type Mapped = Pick<Entry, 'title' | 'link'> & { labels: readonly Label[] }

/** The categories of an entry, with the first reason for each, in display order. */
export interface Placing {
  places: { id: number; because: string }[]
  /** The rule that left it out. */
  leftOutBy: string | null
}

/** null: a rule leaves it out. Ids in display order. */
export function mapEntry(entry: Mapped, mapping: Mapping): number[] | null {
  const { places, leftOutBy } = placeEntry(entry, mapping)
  return leftOutBy === null ? places.map(({ id }) => id) : null
}

export function placeEntry(entry: Mapped, mapping: Mapping): Placing {
  const labels = entry.labels.map((label) => ({ ...label, keys: labelKeys(label.name) }))
  const reasons = new Map<number, string>(mapping.feedCategoryIds.map((id) => [id, 'all its stories go there']))
  for (const rule of mapping.rules) {
    if (!fits(rule, entry, labels)) continue
    if (rule.categoryId === null) return { places: [], leftOutBy: inWords(rule) }
    if (!reasons.has(rule.categoryId)) reasons.set(rule.categoryId, `rule “${inWords(rule)}”`)
  }
  const labelOf = new Map(labels.toReversed().flatMap(({ name, keys }) => keys.map((key) => [key, name] as const)))
  const places = mapping.categories.flatMap(({ id, name, slug }) => {
    const label = labelOf.get(labelKey(name)) ?? labelOf.get(labelKey(slug))
    const because = reasons.get(id) ?? (label === undefined ? null : `label “${label}”`)
    return because === null ? [] : [{ id, because }]
  })
  return { places, leftOutBy: null }
}

function fits(rule: MappingRule, entry: Mapped, labels: readonly (Label & { keys: string[] })[]): boolean {
  if (rule.field !== 'label')
    return compare(
      rule,
      (rule.field === 'title' ? entry.title : entry.link)?.toLowerCase() ?? '',
      rule.pattern.toLowerCase(),
    )
  const pattern = labelKey(rule.pattern)
  return labels.some(
    ({ scheme, keys }) =>
      (rule.scheme === null || isSameScheme(rule.scheme, scheme)) && keys.some((key) => compare(rule, key, pattern)),
  )
}

function compare({ match }: MappingRule, text: string, pattern: string): boolean {
  return match === 'equals' ? text === pattern : match === 'begins' ? text.startsWith(pattern) : text.includes(pattern)
}

function isSameScheme(wanted: string, scheme: string | null): boolean {
  const bare = (text: string) => text.trim().toLowerCase().replace(/\/$/, '')
  return scheme !== null && bare(wanted) === bare(scheme)
}

/** As editors write it: `label begins in https://x.example: Sport = sports`, without defaults. */
export function inWords({ field, match, pattern, scheme }: Omit<MappingRule, 'categoryId'>): string {
  const isUsual = match === usualMatch(field)
  return `${field}${isUsual ? '' : ` ${match}`}${scheme === null ? '' : ` in ${scheme}`}: ${pattern}`
}

/** A label is compared as a whole, a title or link by what it contains. */
export function usualMatch(field: MappingRule['field']): MappingRule['match'] {
  return field === 'label' ? 'equals' : 'contains'
}

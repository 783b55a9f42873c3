// From a feed's words to our categories: by feed, by the item's own labels (those named like one of ours), by rules. A rule
// without a category leaves the item out. What isn't offered goes to nobody. Pure.

import type { Category } from '../db/schema.ts'
import type { Entry } from './entry.ts'

export interface MappingRule {
  field: 'label' | 'title' | 'link'
  pattern: string
  categoryId: number | null
}

export interface Mapping {
  /** Offered ones only. */
  categories: readonly Pick<Category, 'id' | 'slug' | 'name'>[]
  feedCategoryIds: readonly number[]
  /** In order. */
  rules: readonly MappingRule[]
}

/** null: a rule leaves it out. Ids in display order. */
export function mapEntry(entry: Pick<Entry, 'title' | 'link' | 'categories'>, mapping: Mapping): number[] | null {
  const labels = new Set(entry.categories.map((label) => label.toLowerCase()))
  const wanted = new Set(mapping.feedCategoryIds)
  for (const rule of mapping.rules) {
    if (!fits(rule, entry, labels)) continue
    if (rule.categoryId === null) return null
    wanted.add(rule.categoryId)
  }
  return mapping.categories
    .filter(({ id, name, slug }) => wanted.has(id) || labels.has(name.toLowerCase()) || labels.has(slug))
    .map(({ id }) => id)
}

function fits(rule: MappingRule, entry: Pick<Entry, 'title' | 'link'>, labels: ReadonlySet<string>): boolean {
  const pattern = rule.pattern.toLowerCase()
  if (rule.field === 'label') return labels.has(pattern)
  return (rule.field === 'title' ? entry.title : entry.link)?.toLowerCase().includes(pattern) ?? false
}

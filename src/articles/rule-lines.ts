// A mapping rule as people write it: `label: Parliament = politics`. In the console a line each, on the command line an argument.

import { invalid } from '../base/errors.ts'
import type { FeedRule } from './feeds.ts'

export function ruleLine(rule: FeedRule): string {
  return `${rule.field}: ${rule.pattern} = ${rule.category ?? '-'}`
}

export function readRules(text: string): FeedRule[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line, index) => {
      const match = /^(label|title|link)\s*:\s*(.+?)\s*=\s*(-|[a-z0-9-]+)$/i.exec(line)
      if (!match) throw invalid('rules', `Rule ${index + 1} can’t be read: write “label: Parliament = politics”.`)
      const [, where, pattern, category] = match
      return {
        field: where!.toLowerCase() as FeedRule['field'],
        pattern: pattern!,
        category: category === '-' ? null : category!,
      }
    })
}

// A mapping rule as text: `label: Parliament = politics`. In the console one per line, on the command line one per argument.

import { invalid } from '../base/errors.ts'
import type { FeedRule } from './feed-rules.ts'
import { inWords, usualMatch } from './mapping.ts'

export function ruleLine({ field, match = usualMatch(field), pattern, scheme = null, category }: FeedRule): string {
  return `${inWords({ field, match, pattern, scheme })} = ${category ?? '-'}`
}

const writtenRule =
  /^(label|title|link)(?: +(equals|begins|contains))?(?: +in +(\S+))? *: *(\S.*?)\s*=\s*(-|[a-z0-9-]+)$/i

export function readRules(text: string): FeedRule[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean)
    .map((line, index) => {
      // A longer line than the longest pattern and domain together isn't a rule.
      const match = line.length > 1000 ? null : writtenRule.exec(line)
      if (!match) throw invalid('rules', `Rule ${index + 1} can’t be read: write “label: Parliament = politics”.`)
      const [, where, how, scheme, pattern, category] = match
      return {
        field: where!.toLowerCase() as FeedRule['field'],
        match: how?.toLowerCase() as FeedRule['match'],
        scheme,
        pattern: pattern!,
        category: category === '-' ? null : category!,
      }
    })
}

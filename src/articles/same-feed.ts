// One feed in two formats: WordPress names /feed/ and /feed/atom/, others /rss.xml and /atom.xml. An editor shouldn't have to
// choose between them. Pure.

import { canonicalLink } from './canonical-link.ts'
import type { ParsedFeed } from './entry.ts'

export interface NamedFormat {
  url: string
  title: string
  type: string
}

/** Words that only name the format. */
const ofFormat = /^(?:(?:rss|atom|rdf)\d*|xml|json|feeds?|jsonfeed|syndication|format|type|alt|via|by|in|as|the)$/
const version = /\b(?:0\.9\d|0\.3|[12]\.[01])\b/g

/** The words of a title or an address that don't name a format. */
function otherWords(text: string): string {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
  return words.filter((word) => !ofFormat.test(word)).join(' ')
}

/** Two names of one feed: their titles are the same except for the format; or their addresses are, and titles don't contradict. */
function isSameName(a: NamedFormat, b: NamedFormat): boolean {
  const [one, other] = [new URL(a.url), new URL(b.url)]
  if (one.host !== other.host) return false
  const [title, otherTitle] = [a, b].map((named) => otherWords(named.title.replace(version, '')))
  if (title && otherTitle) return title === otherTitle && (a.type !== b.type || a.title !== b.title)
  return otherWords(one.pathname + one.search) === otherWords(other.pathname + other.search)
}

/** The first of each feed, in the order given. */
export function withoutOtherFormats<T extends NamedFormat>(named: readonly T[]): T[] {
  const kept: T[] = []
  for (const one of named) if (!kept.some((first) => isSameName(first, one))) kept.push(one)
  return kept
}

/** The same entries in two formats. */
export function isSameContent(a: ParsedFeed, b: ParsedFeed): boolean {
  const linksOf = (feed: ParsedFeed) => new Set(feed.entries.flatMap(({ link }) => (link && canonicalLink(link)) ?? []))
  const [links, others] = [linksOf(a), linksOf(b)]
  return a.format !== b.format && links.size > 0 && links.symmetricDifference(others).size === 0
}

// Decides whether two entries are one story if a key alone isn't enough: titles that a feed repeats, numbers that two feeds of a
// site both use, and stories that two feeds of a site bring with different guids and links. Pure.

import { canonicalLink } from './canonical-link.ts'
import { type Identified, isOfItsSite, type KeyKind, titleKeyOf } from './identity.ts'
import type { SameTitle, Stored } from './ingest-store.ts'

const hourMs = 3_600_000
/** Two feeds of one site bring the same story under one title with published times within an hour. */
const sameMs = hourMs

/**
 * Whether an article that a key leads to is the story: a number or a name that two feeds of a site may both use needs the same
 * link or title.
 */
export function agreement(
  stored: ReadonlyMap<number, Stored>,
  feedId: number,
): (kind: KeyKind, story: Identified, articleId: number) => boolean {
  return (kind, story, articleId) => {
    const article = stored.get(articleId)
    if (!article) return false
    if (kind !== 'guid' || article.feedId === feedId || !isOfItsSite(story.entry)) return true
    return story.keys.link === canonicalLink(article.link) || story.titleKey === titleKeyOf(article.link, article.title)
  }
}

/**
 * The story that another feed of the same site has already brought: the same title, and published within an hour or with the same
 * excerpt. A title that one feed repeats identifies nothing.
 */
export function sameElsewhere(
  unknown: readonly Identified[],
  titles: ReadonlyMap<string, SameTitle>,
  taken: ReadonlySet<number>,
  feedId: number,
  now: Date,
): Map<Identified, number> {
  const found = new Map<Identified, number>()
  const here = Map.groupBy(unknown, ({ titleKey }) => titleKey)
  for (const [key, stories] of here) {
    const recent = key ? titles.get(key)?.recent : undefined
    const [story] = stories
    if (!recent || !story || stories.length > 1) continue
    const feeds = recent.flatMap((one) => one.feedId ?? [])
    if (feeds.includes(feedId) || new Set(feeds).size < feeds.length) continue
    const publishedMs = (story.publishedAt ?? now).getTime()
    const same = recent.find(
      (one) =>
        one.feedId !== null &&
        !taken.has(one.id) &&
        (Math.abs(Date.parse(one.publishedAt) - publishedMs) <= sameMs ||
          (one.excerpt !== '' && one.excerpt === story.entry.excerpt)),
    )
    if (same) found.set(story, same.id)
  }
  return found
}

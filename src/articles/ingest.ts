// Entries → articles: known stories are updated, new ones get a seq in each of their categories, and all others are reported with
// a reason. Safe to repeat: the same document brings nothing new. After a crash, either the whole document is stored or nothing.
//
// No lock is held while a document is read and compared. The statement that writes takes the seq lock and fails if another process
// stored one of its keys meanwhile. Then the comparison is repeated, so two feeds can't both store a story as new.

import type { Compilable } from 'kysely'
import type { Db } from '../db/connect.ts'
import type { Feed } from '../db/schema.ts'
import { dateThatCounts, isAhead, isFarAhead, mostDaysAhead } from './embargo.ts'
import type { Entry } from './entry.ts'
import { cutAtWord } from './html-text.ts'
import { identify, type Identified, type KeyKind, match, shownTitle, titleKeyOf, unknownKeys } from './identity.ts'
import {
  type Edit,
  findKeys,
  findSameTitles,
  findStored,
  type NewRow,
  Stale,
  type Stored,
  writeDocument,
  type Writes,
} from './ingest-store.ts'
import { type Mapping, mapEntry } from './mapping.ts'
import { siteNameOf } from './source.ts'
import { agreement, sameElsewhere } from './same-story.ts'

export interface IngestReport {
  entries: number
  taken: number
  changed: number
  unchanged: number
  ignored: number
  /** Ignored entries whose date is so far ahead that they will be stored later. */
  later: number
  /** At most 50 of the ignored entries, by title. */
  reasons: { title: string; why: string }[]
}

export interface IngestSource {
  feed: Pick<Feed, 'id' | 'url' | 'siteUrl' | 'isSample' | 'ignoresDatesAhead'> & { title: string }
  mapping: Mapping
  /** Older entries are history. */
  takeFrom: Date
}

export function ignoredBecause(entry: Entry): string | null {
  if (entry.isCut) return 'the document breaks off in it'
  if (!entry.link) return 'it has no link'
  if (!/^https?:\/\//i.test(entry.link)) return 'its link is relative, and nothing says to what'
  if (!entry.title && !entry.excerpt) return 'it has neither title nor text'
  return null
}

/** `also` builds the update of the feed's row that is stored with the document. */
export async function ingestEntries(
  db: Db,
  source: IngestSource,
  entries: readonly Entry[],
  now: Date,
  also: (report: IngestReport) => Compilable & { execute(): Promise<unknown> },
): Promise<IngestReport> {
  for (let attempt = 1; ; attempt++) {
    const { report, writes } = await planEntries(db, source, entries, now)
    try {
      const isQuiet = Object.values(writes).every((list: unknown[]) => list.length === 0)
      // Most polls bring nothing new, and take no lock.
      if (isQuiet) await also(report).execute()
      else await writeDocument(db, writes, also(report))
      return report
    } catch (error) {
      if (!(error instanceof Stale) || attempt === mostAttempts) throw error
    }
  }
}

/** Each failure means that another process stored something. A poll never meets this many. */
const mostAttempts = 10

async function planEntries(
  db: Db,
  source: IngestSource,
  entries: readonly Entry[],
  now: Date,
): Promise<{ report: IngestReport; writes: Writes }> {
  const report: IngestReport = {
    entries: entries.length,
    taken: 0,
    changed: 0,
    unchanged: 0,
    ignored: 0,
    later: 0,
    reasons: [],
  }
  const ignore = (entry: Entry, why: string) => {
    report.ignored++
    if (report.reasons.length < 50) report.reasons.push({ title: cutAtWord(entry.title ?? entry.link ?? '', 120), why })
  }
  const usable: { entry: Entry; publishedAt: Date | null; place: number }[] = []
  for (const [place, entry] of entries.entries()) {
    const why = ignoredBecause(entry)
    if (why) ignore(entry, why)
    else
      usable.push({ entry, publishedAt: dateThatCounts(entry.publishedAt, now, source.feed.ignoresDatesAhead), place })
  }
  const { stories, duplicates } = identify(usable, source.feed)
  for (const entry of duplicates) ignore(entry, 'it is in the document twice')

  const keys = await findKeys(db, stories)
  const articleOf = (kind: KeyKind, key: string) => keys.get(`${kind} ${key}`)
  const stored = await findStored(db, [...new Set(keys.values())])
  const matched = match(stories, articleOf, agreement(stored, source.feed.id))
  const unknown = stories.filter((story) => !matched.has(story))
  const titles = await findSameTitles(db, unknown, now)
  for (const [story, id] of sameElsewhere(unknown, titles, new Set(matched.values()), source.feed.id, now))
    matched.set(story, id)
  for (const [id, article] of await findStored(
    db,
    [...matched.values()].filter((id) => !stored.has(id)),
  ))
    stored.set(id, article)

  const writes: Writes = { rows: [], edits: [], keys: [], pairs: [] }
  const pairs: (Writes['pairs'][number] & { publishedAt: number; place: number })[] = []
  const learn = (story: Identified, articleId: number) => {
    for (const [kind, key] of unknownKeys(story, articleId, articleOf)) {
      writes.keys.push({ kind, key, article_id: articleId })
      keys.set(`${kind} ${key}`, articleId)
    }
  }
  for (const story of stories) {
    const { entry, place } = story
    const categoryIds = mapEntry(entry, source.mapping)
    const article = stored.get(matched.get(story) ?? -1)
    if (article) {
      learn(story, article.id)
      for (const id of article.isPushed ? [] : (categoryIds ?? []))
        if (!article.categoryIds.includes(id))
          pairs.push({
            article_id: article.id,
            category_id: id,
            waits: article.sendableAt === null,
            publishedAt: article.publishedAt.getTime(),
            place,
          })
      const edit = editOf(article, story, source, now)
      if (edit) writes.edits.push(edit)
      if (edit) report.changed++
      else report.unchanged++
      continue
    }
    const { publishedAt } = story
    if (categoryIds === null) ignore(entry, 'a rule leaves it out')
    // The next poll couldn't tell it from this one.
    else if (unknownKeys(story, null, articleOf).length === 0) ignore(entry, 'it is in the document twice')
    else if (publishedAt && publishedAt < source.takeFrom) ignore(entry, 'it is older than what a new feed brings')
    else if (publishedAt && isFarAhead(publishedAt, now)) {
      ignore(entry, `it is dated more than ${mostDaysAhead} days ahead and taken later`)
      report.later++
    } else {
      const row = newArticle(-1 - writes.rows.length, story, source, now)
      const isFirst = writes.rows.every(({ title_key }) => title_key !== row.title_key)
      writes.rows.push({ ...row, title_after: isFirst ? (titles.get(row.title_key ?? '')?.last ?? 0) : null })
      learn(story, row.place)
      for (const id of categoryIds)
        pairs.push({
          article_id: row.place,
          category_id: id,
          waits: row.sendable_at === null,
          publishedAt: row.published_at.getTime(),
          place,
        })
      if (categoryIds.length) report.taken++
      else ignore(entry, 'none of its categories is offered')
    }
  }
  // The newest gets the highest number. Documents list the newest first.
  pairs.sort((a, b) => a.publishedAt - b.publishedAt || b.place - a.place)
  writes.pairs = pairs.map(({ article_id, category_id, waits }) => ({ article_id, category_id, waits }))
  return { report, writes }
}

/**
 * The changes of an edit; null: none. The date of a waiting story follows its feed. The date of any other stays, unless it was
 * only the time of the first poll. Only the feed that brought the story first edits it (otherwise two feeds with two wordings
 * would overwrite each other forever), and a publisher's push outranks all feeds.
 */
function editOf(article: Stored, { entry, publishedAt }: Identified, source: IngestSource, now: Date): Edit | null {
  if (article.isPushed || (article.feedId !== null && article.feedId !== source.feed.id)) return null
  const mayDate =
    article.sendableAt === null ||
    (article.dateSource === 'first-seen' && publishedAt !== null && !isAhead(publishedAt, now))
  const date = mayDate ? publishedAt : null
  const next = {
    id: article.id,
    was_updated_at: article.updatedAt,
    feed_id: source.feed.id,
    title: shownTitle(entry),
    title_key: titleKeyOf(entry.link, shownTitle(entry)),
    link: entry.link!,
    excerpt: entry.excerpt || article.excerpt,
    image_url: entry.image ?? article.imageUrl,
    image_alt: entry.image ? entry.imageAlt : article.imageAlt,
    image_ratio: entry.image ? entry.imageRatio : article.imageRatio,
    author: entry.author ?? article.author,
    labels: [...new Set(entry.categories)],
    published_at: date ?? article.publishedAt,
    date_source: date ? ('feed' as const) : article.dateSource,
    updated_at: now,
  }
  const isSame =
    next.title === article.title &&
    next.link === article.link &&
    next.excerpt === article.excerpt &&
    next.image_url === article.imageUrl &&
    next.image_alt === article.imageAlt &&
    next.image_ratio === article.imageRatio &&
    next.author === article.author &&
    next.date_source === article.dateSource &&
    next.published_at.getTime() === article.publishedAt.getTime() &&
    article.feedId !== null &&
    JSON.stringify(next.labels) === JSON.stringify(article.labels)
  return isSame ? null : next
}

function newArticle(place: number, story: Identified, source: IngestSource, now: Date): NewRow {
  const { entry, publishedAt: date } = story
  return {
    place,
    feed_id: source.feed.id,
    title: shownTitle(entry),
    title_key: story.titleKey,
    link: entry.link!,
    excerpt: entry.excerpt,
    image_url: entry.image,
    image_alt: entry.imageAlt,
    image_ratio: entry.imageRatio,
    author: entry.author,
    source: entry.source ?? siteNameOf(source.feed.title, source.feed.siteUrl ?? source.feed.url),
    labels: [...new Set(entry.categories)],
    published_at: date ?? now,
    date_source: date ? 'feed' : 'first-seen',
    first_seen_at: now,
    sendable_at: date && isAhead(date, now) ? null : now,
    updated_at: now,
    is_sample: source.feed.isSample,
  }
}

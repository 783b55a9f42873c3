// Entries → articles, one transaction per document: known stories are updated in place, new ones get a seq in each of their
// categories, everything else is reported with its reason. Safe to repeat with the same document: nothing is new then.
//
// The surprise: the seq lock is taken before the keys are looked up, so that two feeds that bring the same story at the same
// moment can't both find it new. A crash leaves all of a document or nothing.

import { sql } from 'kysely'
import type { Trx } from '../db/connect.ts'
import type { Feed } from '../db/schema.ts'
import type { Entry } from './entry.ts'
import { cutAtWord } from './html-text.ts'
import { identify, type Identified, keyOrder, match } from './identity.ts'
import { type Mapping, mapEntry } from './mapping.ts'
import { lockSeq, type Sendable } from './seq.ts'

export interface IngestReport {
  entries: number
  taken: number
  changed: number
  unchanged: number
  ignored: number
  /** At most 50 of the ignored, by name. */
  reasons: { title: string; why: string }[]
}

export interface IngestSource {
  feed: Pick<Feed, 'id' | 'url' | 'siteUrl' | 'isSample'> & { title: string }
  mapping: Mapping
  /** Entries dated before are history. */
  takeFrom: Date
}

/** A date more than a day ahead counts as missing. */
const aheadMs = 24 * 3_600_000

export function ignoredBecause(entry: Entry): string | null {
  if (entry.isCut) return 'the document breaks off in it'
  if (!entry.link) return 'it has no link'
  if (!/^https?:\/\//i.test(entry.link)) return 'its link is relative, and nothing says to what'
  if (!entry.title && !entry.excerpt) return 'it has neither title nor text'
  return null
}

/** The feed's date where it can be true, else null. */
export function believableDate(entry: Entry, now: Date): Date | null {
  return entry.publishedAt && entry.publishedAt.getTime() <= now.getTime() + aheadMs ? entry.publishedAt : null
}

interface Stored {
  id: number
  feedId: number | null
  title: string
  link: string
  excerpt: string
  imageUrl: string | null
  author: string | null
  labels: string[]
  publishedAt: Date
  dateSource: 'feed' | 'first-seen'
  /** By API: it has a publisher's id. */
  isPushed: unknown
}

export async function ingestEntries(
  trx: Trx,
  source: IngestSource,
  entries: readonly Entry[],
  now: Date,
): Promise<IngestReport> {
  const report: IngestReport = { entries: entries.length, taken: 0, changed: 0, unchanged: 0, ignored: 0, reasons: [] }
  const ignore = (entry: Entry, why: string) => {
    report.ignored++
    if (report.reasons.length < 50) report.reasons.push({ title: cutAtWord(entry.title ?? entry.link ?? '', 120), why })
  }
  const usable: { entry: Entry; publishedAt: Date | null; place: number }[] = []
  for (const [place, entry] of entries.entries()) {
    const why = ignoredBecause(entry)
    if (why) ignore(entry, why)
    else usable.push({ entry, publishedAt: believableDate(entry, now), place })
  }
  const { stories, duplicates } = identify(usable, source.feed)
  for (const entry of duplicates) ignore(entry, 'it is in the document twice')

  await lockSeq(trx)
  const keys = await findKeys(trx, stories)
  const matched = match(stories, (kind, key) => keys.get(`${kind} ${key}`))
  const stored = await findStored(trx, [...new Set(matched.values())])

  const fresh: Identified[] = []
  const changes: NonNullable<ReturnType<typeof changeOf>>[] = []
  const learned: { kind: string; key: string; articleId: number }[] = []
  const pairs: (Sendable & { publishedAt: number; place: number })[] = []
  const learn = (story: Identified, articleId: number) => {
    for (const kind of keyOrder) {
      const key = story.keys[kind]
      if (key && keys.get(`${kind} ${key}`) === undefined) learned.push({ kind, key, articleId })
    }
  }
  for (const story of stories) {
    const article = stored.get(matched.get(story) ?? -1)
    const categoryIds = mapEntry(story.entry, source.mapping)
    if (!article) {
      const publishedAt = believableDate(story.entry, now)
      if (categoryIds === null) ignore(story.entry, 'a rule leaves it out')
      else if (publishedAt && publishedAt < source.takeFrom)
        ignore(story.entry, 'it is older than what a new feed brings')
      else fresh.push(story)
      continue
    }
    learn(story, article.article.id)
    // The publisher's own word outranks any feed's, else the two would change it to and fro.
    const isPushed = Boolean(article.article.isPushed)
    for (const categoryId of categoryIds ?? [])
      if (!isPushed && !article.categoryIds.has(categoryId))
        pairs.push({
          articleId: article.article.id,
          categoryId,
          publishedAt: article.article.publishedAt.getTime(),
          place: story.place,
        })
    // Only the feed that brought it first edits it: two feeds with two wordings would swap them for ever.
    const isOwner = !isPushed && (article.article.feedId === null || article.article.feedId === source.feed.id)
    const change = isOwner ? changeOf(article.article, story.entry, source, now) : null
    if (change) changes.push(change)
    if (change) report.changed++
    else report.unchanged++
  }

  // Until they have their ids, new articles are known by negative numbers: their place among the new ones.
  const rows = fresh.map((story, index) => newArticle(-1 - index, story, source, now))
  for (const [index, story] of fresh.entries()) {
    const row = rows[index]!
    const categoryIds = mapEntry(story.entry, source.mapping) ?? []
    learn(story, row.place)
    for (const categoryId of categoryIds)
      pairs.push({ articleId: row.place, categoryId, publishedAt: row.published_at.getTime(), place: story.place })
    if (categoryIds.length) report.taken++
    else ignore(story.entry, 'none of its categories is offered')
  }
  // The newest gets the highest number; documents list the newest first.
  pairs.sort((a, b) => a.publishedAt - b.publishedAt || b.place - a.place)
  await updateArticles(trx, changes, now)
  await write(trx, rows, learned, pairs)
  return report
}

async function findKeys(trx: Trx, stories: readonly Identified[]): Promise<Map<string, number>> {
  const wanted = stories.flatMap(({ keys }) =>
    keyOrder.flatMap((kind) => (keys[kind] ? [{ kind, key: keys[kind] }] : [])),
  )
  if (wanted.length === 0) return new Map()
  const { rows } = await sql<{ kind: string; key: string; articleId: number }>`
    select article_keys.kind, article_keys.key, article_keys.article_id
    from jsonb_to_recordset(${JSON.stringify(wanted)}::jsonb) as wanted (kind text, key text)
    join article_keys on article_keys.kind = wanted.kind and article_keys.key = wanted.key`.execute(trx)
  return new Map(rows.map((row) => [`${row.kind} ${row.key}`, row.articleId]))
}

async function findStored(
  trx: Trx,
  ids: readonly number[],
): Promise<Map<number, { article: Stored; categoryIds: Set<number> }>> {
  if (ids.length === 0) return new Map()
  const articles = await trx
    .selectFrom('articles')
    .select(['id', 'feedId', 'title', 'link', 'excerpt', 'imageUrl', 'author', 'labels', 'publishedAt', 'dateSource'])
    .select((eb) =>
      eb
        .exists(
          eb
            .selectFrom('articleKeys')
            .select('kind')
            .whereRef('articleKeys.articleId', '=', 'articles.id')
            .where('kind', '=', 'publisher'),
        )
        .as('isPushed'),
    )
    .where('id', '=', sql<number>`any(${`{${ids.join(',')}}`}::int[])`)
    .execute()
  const categories = await trx
    .selectFrom('articleCategories')
    .select(['articleId', 'categoryId'])
    .where('articleId', '=', sql<number>`any(${`{${ids.join(',')}}`}::int[])`)
    .execute()
  const found = new Map(articles.map((article) => [article.id, { article, categoryIds: new Set<number>() }]))
  for (const row of categories) found.get(row.articleId)?.categoryIds.add(row.categoryId)
  return found
}

function shownTitle(entry: Entry): string {
  return entry.title ?? cutAtWord(entry.excerpt, 80)
}

/** What an edit changes; null: nothing. The date stays what it was, unless it was only the time of first sight. */
function changeOf(article: Stored, entry: Entry, source: IngestSource, now: Date) {
  const date = article.dateSource === 'first-seen' ? believableDate(entry, now) : null
  const next = {
    id: article.id,
    feed_id: source.feed.id,
    title: shownTitle(entry),
    link: entry.link!,
    excerpt: entry.excerpt || article.excerpt,
    image_url: entry.image ?? article.imageUrl,
    author: entry.author ?? article.author,
    labels: [...new Set(entry.categories)],
    published_at: date ?? article.publishedAt,
    date_source: date ? ('feed' as const) : article.dateSource,
  }
  const isSame =
    next.title === article.title &&
    next.link === article.link &&
    next.excerpt === article.excerpt &&
    next.image_url === article.imageUrl &&
    next.author === article.author &&
    next.date_source === article.dateSource &&
    article.feedId !== null &&
    JSON.stringify(next.labels) === JSON.stringify(article.labels)
  return isSame ? null : next
}

function newArticle(place: number, story: Identified, source: IngestSource, now: Date) {
  const { entry } = story
  const date = believableDate(entry, now)
  return {
    place,
    feed_id: source.feed.id,
    title: shownTitle(entry),
    link: entry.link!,
    excerpt: entry.excerpt,
    image_url: entry.image,
    author: entry.author,
    source: source.feed.title || null,
    labels: [...new Set(entry.categories)],
    published_at: date ?? now,
    date_source: date ? 'feed' : 'first-seen',
    first_seen_at: now,
    updated_at: now,
    is_sample: source.feed.isSample,
  }
}

async function updateArticles(
  trx: Trx,
  changes: readonly NonNullable<ReturnType<typeof changeOf>>[],
  now: Date,
): Promise<void> {
  if (changes.length === 0) return
  await sql`
    update articles set feed_id = changed.feed_id, title = changed.title, link = changed.link, excerpt = changed.excerpt,
      image_url = changed.image_url, author = changed.author, labels = changed.labels, published_at = changed.published_at,
      date_source = changed.date_source, updated_at = ${now}
    from jsonb_to_recordset(${JSON.stringify(changes)}::jsonb) as changed (id int, feed_id int, title text, link text,
      excerpt text, image_url text, author text, labels jsonb, published_at timestamptz, date_source text)
    where articles.id = changed.id`.execute(trx)
}

/** New articles, learned keys and seqs in one statement: every round trip here is time under the lock (40 entries in one instead of
 * four: a third more documents a second). */
async function write(
  trx: Trx,
  rows: readonly ReturnType<typeof newArticle>[],
  keys: readonly { kind: string; key: string; articleId: number }[],
  pairs: readonly Sendable[],
): Promise<void> {
  if (rows.length + keys.length + pairs.length === 0) return
  await sql`
    with fresh as materialized (
      select nextval(pg_get_serial_sequence('articles', 'id'))::int as id, given.*
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as given (place int, feed_id int, title text, link text,
        excerpt text, image_url text, author text, source text, labels jsonb, published_at timestamptz, date_source text,
        first_seen_at timestamptz, updated_at timestamptz, is_sample boolean)
    ), added as (
      insert into articles (id, feed_id, title, link, excerpt, image_url, author, source, labels, published_at, date_source,
        first_seen_at, updated_at, is_sample)
      select id, feed_id, title, link, excerpt, image_url, author, source, labels, published_at, date_source,
        first_seen_at, updated_at, is_sample
      from fresh
    ), learned as (
      insert into article_keys (kind, key, article_id)
      select kind, key, coalesce(fresh.id, article_id)
      from jsonb_to_recordset(${JSON.stringify(keys.map((one) => ({ ...one, article_id: one.articleId })))}::jsonb)
        as one (kind text, key text, article_id int)
      left join fresh on fresh.place = one.article_id
      on conflict do nothing
    )
    insert into article_categories (article_id, category_id, seq)
    select article_id, category_id, nextval('article_seq')
    from (
      select coalesce(fresh.id, pair.article_id) as article_id, pair.category_id
      from jsonb_to_recordset(${JSON.stringify(pairs.map((pair, at) => ({ at, article_id: pair.articleId, category_id: pair.categoryId })))}::jsonb)
        as pair (at int, article_id int, category_id int)
      left join fresh on fresh.place = pair.article_id
      order by pair.at
    ) as ordered
    on conflict (article_id, category_id) do update set seq = excluded.seq`.execute(trx)
}

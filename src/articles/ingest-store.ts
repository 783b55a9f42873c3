// Reads and writes for ingesting. Reading takes no lock. Writing is one statement, so a document is stored whole or not at all,
// and there is no round trip under the seq lock. If the data has changed since it was read, the statement fails as `Stale`, and
// the caller reads again.
//
// The lock is a CTE that every writing part joins, so it is taken before the first row of any of them. A statement sees what was
// committed when it began, before it waited for the lock. Keys are safe nevertheless, because their primary key is checked at the
// write, and edits compare `updated_at` in the row itself.

import { type Compilable, sql } from 'kysely'
import type { Db } from '../db/connect.ts'
import { type Identified, type KeyKind, keyOrder } from './identity.ts'
import { seqLock } from './seq.ts'

export interface Stored {
  id: number
  feedId: number | null
  title: string
  link: string
  excerpt: string
  imageUrl: string | null
  imageAlt: string | null
  imageRatio: number | null
  author: string | null
  labels: string[]
  publishedAt: Date
  dateSource: 'feed' | 'first-seen'
  /** null: it waits for its date. */
  sendableAt: Date | null
  updatedAt: Date
  categoryIds: number[]
  /** Pushed by API: it has a publisher's id. */
  isPushed: boolean
}

/** The article of each key: one index look-up per key, whatever the table's statistics are. */
export async function findKeys(db: Db, stories: readonly Identified[]): Promise<Map<string, number>> {
  const wanted = (kind: KeyKind) => JSON.stringify(stories.flatMap(({ keys }) => keys[kind] ?? []))
  const found = new Map<string, number>()
  if (stories.length === 0) return found
  const { rows } = await sql<{ kind: string; key: string; articleId: number }>`
    ${sql.join(
      keyOrder.map(
        (kind) => sql`select kind, key, article_id from article_keys where kind = ${sql.lit(kind)}
          and key = any(array(select jsonb_array_elements_text(${wanted(kind)}::jsonb)))`,
      ),
      sql` union all `,
    )}`.execute(db)
  for (const row of rows) found.set(`${row.kind} ${row.key}`, row.articleId)
  return found
}

/** Stories of the last weeks with this title at this site, and the newest such article of any time. */
export interface SameTitle {
  last: number
  recent: { id: number; feedId: number | null; publishedAt: string; excerpt: string }[]
}

/** A title that its feed repeats is remembered for so long. */
const repeatDays = 30

export async function findSameTitles(
  db: Db,
  stories: readonly Identified[],
  now: Date,
): Promise<Map<string, SameTitle>> {
  const wanted = [...new Set(stories.flatMap(({ titleKey }) => titleKey ?? []))]
  if (wanted.length === 0) return new Map()
  const { rows } = await sql<SameTitle & { titleKey: string }>`
    select title_key as "titleKey", max(id) as last, coalesce(json_agg(json_build_object('id', id, 'feedId', feed_id,
        'publishedAt', published_at, 'excerpt', excerpt) order by id)
        filter (where first_seen_at > ${now}::timestamptz - ${repeatDays} * interval '1 day'), '[]') as recent
    from articles where title_key = any(array(select jsonb_array_elements_text(${JSON.stringify(wanted)}::jsonb)))
    group by title_key`.execute(db)
  return new Map(rows.map((row) => [row.titleKey, row]))
}

export async function findStored(db: Db, ids: readonly number[]): Promise<Map<number, Stored>> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('articles')
    .select([
      'id',
      'feedId',
      'title',
      'link',
      'excerpt',
      'imageUrl',
      'imageAlt',
      'imageRatio',
      'author',
      'labels',
      'publishedAt',
      'dateSource',
    ])
    .select([
      'updatedAt',
      'sendableAt',
      sql<
        number[]
      >`(select coalesce(json_agg(category_id), '[]') from article_categories where article_id = articles.id)`.as(
        'categoryIds',
      ),
      sql<boolean>`exists (select from article_keys where article_id = articles.id and kind = 'publisher')`.as(
        'isPushed',
      ),
    ])
    .where('id', '=', sql<number>`any(${`{${ids.join(',')}}`}::int[])`)
    .execute()
  return new Map(rows.map((row) => [row.id, row]))
}

/** Column names of the database. New articles are identified by their `place`, a negative number, until they have an id. */
export interface NewRow {
  place: number
  feed_id: number
  title: string
  /** Site and title (identity.ts). */
  title_key: string | null
  link: string
  excerpt: string
  image_url: string | null
  image_alt: string | null
  image_ratio: number | null
  author: string | null
  source: string | null
  labels: string[]
  published_at: Date
  date_source: 'feed' | 'first-seen'
  first_seen_at: Date
  sendable_at: Date | null
  updated_at: Date
  is_sample: boolean
  /** The newest article with the same title key when this one was compared, so that two feeds can't both store it as new. */
  title_after?: number | null
}

export interface Edit extends Omit<
  NewRow,
  'place' | 'source' | 'first_seen_at' | 'sendable_at' | 'is_sample' | 'title_after'
> {
  id: number
  was_updated_at: Date
}

export interface Writes {
  rows: NewRow[]
  edits: Edit[]
  /** Keys that were unknown. `article_id` may be a place. */
  keys: { kind: KeyKind; key: string; article_id: number }[]
  /** In the order of their future seq. A waiting story gets none. `article_id` may be a place. */
  pairs: { article_id: number; category_id: number; waits: boolean }[]
}

/** The data was changed meanwhile. Nothing was stored. */
export class Stale extends Error {
  override name = 'Stale'
}

/** Writes all of it together with `also` (an update of the feed's row), or nothing. Throws Stale; then read and plan again. */
export async function writeDocument(db: Db, writes: Writes, also: Compilable): Promise<void> {
  const { rows, edits, keys, pairs } = writes
  const json = (list: readonly object[]) => sql`${JSON.stringify(list)}::jsonb`
  const statement = sql`
    with locked as materialized (select pg_advisory_xact_lock(${sql.lit(seqLock)})),
    fresh as materialized (
      select nextval(pg_get_serial_sequence('articles', 'id'))::int as id, given.*
      from locked, jsonb_to_recordset(${json(rows)}) as given (place int, feed_id int, title text, title_key text,
        title_after int, link text, excerpt text, image_url text, image_alt text, image_ratio float8, author text, source text, labels jsonb, published_at timestamptz, date_source text,
        first_seen_at timestamptz, sendable_at timestamptz, updated_at timestamptz, is_sample boolean)
    ), added as (
      insert into articles (id, feed_id, title, title_key, title_after, link, excerpt, image_url, image_alt, image_ratio, author, source, labels,
        published_at, date_source, first_seen_at, sendable_at, updated_at, is_sample)
      select id, feed_id, title, title_key, title_after, link, excerpt, image_url, image_alt, image_ratio, author, source, labels,
        published_at, date_source, first_seen_at, sendable_at, updated_at, is_sample
      from fresh
    ), edited as (
      update articles set feed_id = edit.feed_id, title = edit.title, link = edit.link, excerpt = edit.excerpt,
        title_key = edit.title_key,
        title_after = case when articles.title_key is distinct from edit.title_key then -articles.id else title_after end,
        image_url = edit.image_url, image_alt = edit.image_alt, image_ratio = edit.image_ratio, author = edit.author, labels = edit.labels, published_at = edit.published_at,
        date_source = edit.date_source, updated_at = edit.updated_at
      from locked, jsonb_to_recordset(${json(edits)}) as edit (id int, was_updated_at timestamptz, feed_id int, title text,
        title_key text, link text, excerpt text, image_url text, image_alt text, image_ratio float8, author text, labels jsonb, published_at timestamptz, date_source text,
        updated_at timestamptz)
      where articles.id = edit.id and date_trunc('milliseconds', articles.updated_at) = edit.was_updated_at
      returning articles.id
    ), learned as (
      insert into article_keys (kind, key, article_id)
      select kind, key, coalesce(fresh.id, article_id)
      from locked, jsonb_to_recordset(${json(keys)}) as one (kind text, key text, article_id int)
      left join fresh on fresh.place = one.article_id
    ), sendable as (
      insert into article_categories (article_id, category_id, seq)
      select article_id, category_id, case when waits then null else nextval('article_seq') end
      from (
        select coalesce(fresh.id, (pair ->> 'article_id')::int) as article_id, (pair ->> 'category_id')::int as category_id,
          (pair ->> 'waits')::boolean as waits
        from locked, jsonb_array_elements(${json(pairs)}) with ordinality as listed (pair, place)
        left join fresh on fresh.place = (pair ->> 'article_id')::int
        order by listed.place
      ) as ordered
      on conflict (article_id, category_id) do nothing
    ), feed as (${also})
    -- There is no quieter way to fail in plain SQL: fewer edited than planned is no number.
    select (case when (select count(*) from edited) = ${edits.length}::int then '0' else 'stale' end)::int`
  try {
    await statement.execute(db)
  } catch (error) {
    if (staleCodes.has((error as { code?: string }).code ?? '')) throw new Stale('', { cause: error })
    throw error
  }
}

/** A key that is known now, an article or category that is gone, a deadlock, fewer edits than planned. */
const staleCodes = new Set(['23505', '23503', '40P01', '22P02'])

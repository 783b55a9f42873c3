import { type Kysely, sql } from 'kysely'
import { canonicalHost } from '../src/articles/canonical-link.ts'
import { homesOf, linkKeysOf, titleKeyOf } from '../src/articles/identity.ts'

const chunkSize = 2000

/**
 * A link counts with its fragment and with names such as `ref` and `from`, and for stories with a guid only with a title or a time.
 * The keys of what is stored are made again from its link, by the functions that read feeds: a poll after this finds nothing new.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table article_keys drop constraint article_keys_kind_check`.execute(db)
  await sql`alter table article_keys add constraint article_keys_kind_check
    check (kind in ('guid', 'feed-guid', 'link', 'link-title', 'link-time', 'hash', 'publisher'))`.execute(db)
  await sql`alter table articles add column title_key text, add column title_after int`.execute(db)
  for (let last = 0; ;) {
    const rows = await readChunk(db, last)
    if (rows.length === 0) break
    last = rows.at(-1)!.id
    await writeChunk(db, rows)
  }
  await sql`create unique index articles_title on articles (title_key, title_after)`.execute(db)
}

interface Row {
  id: number
  title: string
  link: string
  publishedAt: Date
  dateSource: 'feed' | 'first-seen'
  isPushed: boolean
  url: string | null
  siteUrl: string | null
  linkKeys: string[]
  guids: string[]
}

async function readChunk(db: Kysely<unknown>, after: number): Promise<Row[]> {
  const keys = (kind: 'link' | 'guid') =>
    sql`(select coalesce(json_agg(key), '[]') from article_keys where article_id = a.id and kind = ${sql.lit(kind)})`
  const { rows } = await sql<Row>`
    select a.id, a.title, a.link, a.published_at as "publishedAt", a.date_source as "dateSource", f.url, f.site_url as "siteUrl",
      exists (select from article_keys where article_id = a.id and kind = 'publisher') as "isPushed",
      ${keys('link')} as "linkKeys", ${keys('guid')} as "guids"
    from articles a left join feeds f on f.id = a.feed_id where a.id > ${after} order by a.id limit ${chunkSize}`.execute(
    db,
  )
  return rows
}

async function writeChunk(db: Kysely<unknown>, rows: readonly Row[]): Promise<void> {
  const dropped: string[] = []
  const moved: { was: string; key: string }[] = []
  const added: { kind: string; key: string; id: number }[] = []
  const titles: { id: number; key: string }[] = []
  for (const row of rows) {
    const { id, title, link, linkKeys, guids, isPushed } = row
    const homes = row.url ? homesOf({ url: row.url, siteUrl: row.siteUrl }) : undefined
    const publishedAt = row.dateSource === 'feed' ? new Date(row.publishedAt) : null
    const made = linkKeysOf(link, title, publishedAt, homes)
    const was = formerLink(link)
    // Keys of links that it had before stay: a story keeps all it was ever known by.
    if (was !== null && was !== made.link && linkKeys.includes(was)) dropped.push(was)
    for (const [kind, key] of Object.entries(made)) if (key) added.push({ kind, key, id })
    for (const guid of guids) {
      const key = guid.replace(/^[^\s/:]+(?= )/, canonicalHost)
      if (key !== guid) moved.push({ was: guid, key })
    }
    const titleKey = isPushed ? null : titleKeyOf(link, title)
    if (titleKey) titles.push({ id, key: titleKey })
  }
  await sql`delete from article_keys where kind = 'link'
    and key in (select jsonb_array_elements_text(${JSON.stringify(dropped)}::jsonb))`.execute(db)
  await sql`insert into article_keys (kind, key, article_id)
    select kind, key, id from jsonb_to_recordset(${JSON.stringify(added)}::jsonb) as one (kind text, key text, id int)
    order by id on conflict do nothing`.execute(db)
  await sql`insert into article_keys (kind, key, article_id)
    select 'guid', moved.key, k.article_id from jsonb_to_recordset(${JSON.stringify(moved)}::jsonb) as moved (was text, key text)
    join article_keys k on k.kind = 'guid' and k.key = moved.was on conflict do nothing`.execute(db)
  // Negative: articles that come later name the newest one before them, which is never this.
  await sql`update articles set title_key = made.key, title_after = -articles.id
    from jsonb_to_recordset(${JSON.stringify(titles)}::jsonb) as made (id int, key text) where made.id = articles.id`.execute(
    db,
  )
}

const formerlyDropped =
  /^(?:utm_.*|at_(?:medium|campaign|custom\d?)|mc_[ce]id|fbclid|gclid|dclid|yclid|msclkid|igshid|_ga|_gl|ns_.*|ito|cmpid|cmp|ocid|ncid|sr_share|smid|smtyp|partner|emc|traffic_source|source|ref|ref_src|rss|feed|ftag|xtor|wt_mc|spm|from|guccounter|__twitter_impression|amp)$/i

/** The key that a link had until now. */
function formerLink(link: string): string | null {
  const url = URL.parse(link.trim())
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) return null
  const host = url.hostname.replace(/^www\./, '').replace(/\.$/, '')
  const port = url.port && url.port !== '80' && url.port !== '443' ? `:${url.port}` : ''
  const kept = [...url.searchParams]
    .filter(([name]) => !formerlyDropped.test(name))
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  const query = kept.length ? `?${new URLSearchParams(kept).toString()}` : ''
  const fragment = /^#!?\/./.test(url.hash) ? url.hash : ''
  return `${host}${port}${url.pathname.replace(/\/+$/, '')}${query}${fragment}`
}

// A database as it was before links counted with their fragment and all their names: after the upgrade no story is new again.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fs from 'node:fs/promises'
import path from 'node:path'
import { sql } from 'kysely'
import { FileMigrationProvider, Migrator } from 'kysely/migration'
import { parseFeed } from '../../src/articles/feed-formats.ts'
import { storeFeed } from '../../src/articles/feed-store.ts'
import { readConfig } from '../../src/base/config.ts'
import { createLog } from '../../src/base/log.ts'
import { openEmbedded } from '../../src/db/connect.ts'
import type { Context } from '../../src/db/context.ts'
import { migrate } from '../../src/db/migrate.ts'
import { type Item, rss } from '../support/feed-server.ts'

const now = new Date('2026-03-06T07:00:00Z')
const date = new Date('2026-03-06T05:00:00Z')
const site = 'https://lantern.example'

/** Entries as the feed gives them, and the keys they had. */
const before: [Item, ...[kind: string, key: string][]][] = [
  [{ title: 'With ref', link: `${site}/a?ref=rss`, date }, ['link', 'lantern.example/a'], ['hash', 'h1']],
  [
    { title: 'With a guid and a fragment', guid: 'urn:b', link: `${site}/live#b`, date },
    ['guid', 'urn:b'],
    ['link', 'lantern.example/live'],
  ],
  [{ title: 'With a fragment', link: `${site}/other#1`, date }, ['hash', 'h2']],
  [{ title: 'With another', link: `${site}/other#2`, date }, ['hash', 'h3']],
  [{ title: 'One link', link: `${site}/same`, date }, ['hash', 'h4']],
  [{ title: 'Two titles', link: `${site}/same`, date: new Date('2026-03-06T04:00:00Z') }, ['hash', 'h5']],
  [{ title: 'At home', guid: `${site}/#1`, link: `${site}/#1`, date }, ['hash', 'h6']],
  [
    { title: 'On telephones', guid: '77', link: 'https://m.lantern.example/77', date },
    ['guid', 'm.lantern.example 77'],
    ['link', 'm.lantern.example/77'],
  ],
  [
    { title: 'In a session', link: `${site}/s;jsessionid=1`, date },
    ['link', 'lantern.example/s;jsessionid=1'],
    ['hash', 'h7'],
  ],
  [{ title: 'Plain', guid: `${site}/?p=1`, link: `${site}/plain/`, date }, ['link', 'lantern.example/plain']],
]

test('after the upgrade polls bring nothing new, together, alone, by other feeds or without their guids', async () => {
  await using database = await openBefore()
  const { db } = database
  await sql`insert into feeds (url, site_url, take_from, is_sample) values
    ('https://feeds.example/1', ${`${site}/`}, '2026-03-05', false), ('https://feeds.example/2', ${`${site}/`}, '2026-03-05', false)`.execute(
    db,
  )
  await sql`insert into categories (slug, name) values ('politics', 'Politics')`.execute(db)
  await sql`insert into feed_categories (feed_id, category_id) values (1, 1), (2, 1)`.execute(db)
  for (const [{ title, link, date: publishedAt }, ...keys] of before) {
    const { rows } = await sql<{ id: number }>`
      insert into articles (feed_id, title, link, published_at, first_seen_at, updated_at)
      values (1, ${title}, ${link}, ${publishedAt}, ${now}, ${now}) returning id`.execute(db)
    for (const [kind, key] of keys)
      await sql`insert into article_keys (kind, key, article_id) values (${kind}, ${key}, ${rows[0]!.id})`.execute(db)
    await sql`insert into article_categories (article_id, category_id, seq) values (${rows[0]!.id}, 1, nextval('article_seq'))`.execute(
      db,
    )
  }

  await migrate(db)
  const ctx: Context = { db, clock: { now: () => now }, config: readConfig({}), log: createLog('silent') }
  const poll = async (feedId: number, items: Item[]) => {
    const reading = parseFeed(Buffer.from(rss(items, { site: `${site}/` })))
    assert.equal(reading.outcome, 'feed')
    const feed = await db.selectFrom('feeds').selectAll().where('id', '=', feedId).executeTakeFirstOrThrow()
    return storeFeed(ctx, feed, (reading as Extract<typeof reading, { outcome: 'feed' }>).feed, now, {})
  }
  const items = before.map(([item]) => item)
  for (const item of items) assert.equal((await poll(1, [item])).taken, 0, item.title)
  assert.equal((await poll(1, items)).taken, 0, 'together')
  assert.equal((await poll(2, items)).taken, 0, 'by another feed')
  const withoutGuids = items.map((item) => ({ ...item, guid: '' }))
  assert.equal((await poll(1, withoutGuids)).taken, 0, 'without guids')
  assert.equal((await db.selectFrom('articleCategories').selectAll().execute()).length, items.length)
  const news = [{ title: 'Another', guid: 'urn:c', link: `${site}/live#c`, date }]
  assert.equal((await poll(1, news)).taken, 1, 'what is new is new')
})

async function openBefore() {
  const database = await openEmbedded('memory://')
  const files = new FileMigrationProvider({
    fs,
    path,
    migrationFolder: path.join(import.meta.dirname, '../../migrations'),
  })
  const getMigrations = async () =>
    Object.fromEntries(Object.entries(await files.getMigrations()).filter(([name]) => name < '0110'))
  const { error } = await new Migrator({ db: database.db, provider: { getMigrations } }).migrateToLatest()
  if (error) throw error
  return Object.assign(database, { [Symbol.asyncDispose]: () => database.close() })
}

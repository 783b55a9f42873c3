// Nothing is forgotten when an installation moves: every table and every column that could hold a text is decided about.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import type { Database } from '../../src/db/connect.ts'
import { withoutKeys } from '../../src/installation/anonymous-rules.ts'
import { readShape } from '../../src/installation/shape.ts'
import { leftOut, tables } from '../../src/installation/tables.ts'
import { openMigrated } from '../support/embedded.ts'

let database: Database
before(async () => {
  database = await openMigrated()
})
after(() => database.close())

test('every table is copied, or left out for a reason', async () => {
  const { rows } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables where table_schema = 'public'`.execute(database.db)
  assert.deepEqual(
    rows.map(({ name }) => name).filter((name) => !(name in tables) && !(name in leftOut)),
    [],
    'say in src/installation/tables.ts what becomes of them',
  )
  const known = rows.map(({ name }) => name)
  assert.deepEqual(
    [...Object.keys(tables), ...Object.keys(leftOut)].filter((name) => !known.includes(name)),
    [],
  )
})

test('every column that could hold a text is decided about, for copies without the people', async () => {
  for (const { name, columns } of await readShape(database.db)) {
    const rules = tables[name as keyof typeof tables] as string | Record<string, unknown>
    if (typeof rules === 'string') continue
    const undecided = columns.filter((column) => column.isText && !(column.name in rules)).map((column) => column.name)
    assert.deepEqual(undecided, [], `say in src/installation/tables.ts what becomes of these columns of ${name}`)
    const names = columns.map((column) => column.name)
    assert.deepEqual(
      Object.keys(rules).filter((rule) => rule !== 'row' && !names.includes(rule)),
      [],
      name,
    )
  }
})

test('a table is filled after those that it refers to', async () => {
  const order = (await readShape(database.db)).map(({ name }) => name)
  for (const [first, second] of [
    ['feeds', 'articles'],
    ['articles', 'article_categories'],
    ['subscribers', 'consents'],
    ['brakes', 'dead_answers'],
  ])
    assert.ok(order.indexOf(first!) < order.indexOf(second!), `${first} before ${second}`)
})

test('a feed’s address keeps what says which feed it is, and loses what could be a key', () => {
  const cases = [
    ['https://news.example/feed/?feed=rss2', 'https://news.example/feed/?feed=rss2'],
    ['https://news.example/world-news-2026-edition/rss.xml', 'https://news.example/world-news-2026-edition/rss.xml'],
    ['https://u:p@news.example/feed', 'https://news.example/feed?anonymous-feed=7'],
    ['https://news.example/feed?cat=4&key=abc', 'https://news.example/feed?cat=4&anonymous-feed=7'],
    ['https://news.example/p/9f8e7d6c5b4a39281706/rss', 'https://news.example/p/left-out/rss?anonymous-feed=7'],
    ['nonsense', 'https://feed-7.anonymous.invalid/'],
  ] as const
  for (const [given, expected] of cases) assert.equal(withoutKeys(given, '7'), expected)
})

// A slug has a letter and isn't `feed`: a number in the archive's addresses is an edition, and feed.xml the feed of all categories.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sql } from 'kysely'
import { up } from '../../migrations/0203_category_slugs.ts'
import { addCategory, renameCategory } from '../../src/articles/categories.ts'
import { importFeeds } from '../../src/articles/feed-import.ts'
import { slugFor } from '../../src/articles/site-categories.ts'
import { isSlug, slugify } from '../../src/articles/slugs.ts'
import { listCategories } from '../../src/articles/store.ts'
import { story } from '../support/house.ts'
import { openApi } from '../support/keys.ts'

test('slugs that are made from a name have a letter and aren’t reserved', () => {
  for (const [name, slug] of [
    ['World News', 'world-news'],
    ['2024', 'c-2024'],
    ['  20/24 ', 'c-20-24'],
    ['Feed', 'feed-1'],
    ['feeds', 'feeds'],
    ['90s', '90s'],
    ['1'.repeat(80), `c-${'1'.repeat(58)}`],
    ['新闻', ''],
  ] as const) {
    assert.equal(slugify(name), slug)
    assert.ok(slug === '' || isSlug(slug), slug)
  }
  for (const odd of ['2024', '20-24', 'feed', '', '-a', 'a-', 'A', 'ä', 'a--b', 'a'.repeat(61)])
    assert.ok(!isSlug(odd), odd)
  const site = { id: 7, slug: '2024', name: '新闻', description: '', count: 3, feedUrl: '', isUnfiled: false }
  for (const one of [site, { ...site, slug: 'feed', name: 'Feed' }, { ...site, slug: '新闻' }] as never[])
    assert.ok(isSlug(slugFor(one)), slugFor(one))
})

story(
  'the API refuses other slugs, lists of feeds make fitting ones, and the database holds no others',
  async (house) => {
    const { ctx, db } = house
    assert.equal((await addCategory(ctx, { name: '2024' })).slug, 'c-2024')
    for (const slug of ['2025', 'feed']) {
      await assert.rejects(addCategory(ctx, { name: 'Odd', slug }), /can't be a slug.*with a letter/)
      await assert.rejects(renameCategory(ctx, { slug: 'c-2024', newSlug: slug }), /can't be a slug/)
    }
    const api = await openApi(house)
    for (const [slug, status] of [
      ['2025', 400],
      ['feed', 409],
    ] as const) {
      await api('post', '/categories').send({ name: 'Odd', slug }).expect(status)
      await api('patch', '/categories/c-2024').send({ slug }).expect(status)
    }
    await importFeeds(
      ctx,
      [
        { url: 'https://one.example/feed', title: 'One', categories: ['2026'] },
        { url: 'https://two.example/feed', title: 'Two', categories: ['Feed'] },
      ],
      'cli',
    )
    assert.deepEqual(
      (await listCategories(db)).map(({ slug }) => slug),
      ['c-2024', 'c-2026', 'feed-1'],
    )
    for (const slug of ['2025', 'feed'])
      await assert.rejects(
        db.insertInto('categories').values({ slug, name: 'Odd', createdAt: new Date() }).execute(),
        /categories_slug/,
      )
  },
)

story('a migration renames those that are there, with what names them', async ({ db }) => {
  await sql`alter table categories drop constraint categories_slug`.execute(db)
  for (const slug of ['c-2024', '2024', 'feed', '20-24', 'politics'])
    await sql`insert into categories (slug, name) values (${slug}, ${slug})`.execute(db)
  await sql`insert into settings (key, value) values ('default_choice', '{"2024": "daily", "feed": "weekly", "politics": "daily"}')`.execute(
    db,
  )
  await sql`insert into subscribers (email, email_key, email_hash, status, created_at) values ('a@b.example', 'a@b.example', 'x', 'pending', now())`.execute(
    db,
  )
  await sql`insert into signup_requests (subscriber_id, choices, consent_version, requested_at)
    select id, '{"20-24": "monthly", "politics": "daily"}', 'v', now() from subscribers`.execute(db)
  await up(db as never)
  const { rows } = await sql<{ name: string; slug: string }>`select name, slug from categories order by id`.execute(db)
  assert.deepEqual(
    rows.map(({ name, slug }) => [name, slug]),
    [
      ['c-2024', 'c-2024'],
      ['2024', 'c-2024-2'],
      ['feed', 'feed-1'],
      ['20-24', 'c-20-24'],
      ['politics', 'politics'],
    ],
  )
  const setting = await db
    .selectFrom('settings')
    .select('value')
    .where('key', '=', 'default_choice')
    .executeTakeFirstOrThrow()
  assert.deepEqual(setting.value, { 'c-2024-2': 'daily', 'feed-1': 'weekly', politics: 'daily' })
  const request = await db.selectFrom('signupRequests').select('choices').executeTakeFirstOrThrow()
  assert.deepEqual(request.choices, { 'c-20-24': 'monthly', politics: 'daily' })
})

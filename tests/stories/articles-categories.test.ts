import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { fixedClock } from '../../src/base/clock.ts'
import { readConfig } from '../../src/base/config.ts'
import { createLog } from '../../src/base/log.ts'
import { Refusal } from '../../src/base/errors.ts'
import * as categories from '../../src/articles/categories.ts'
import { categoryIn, categoryName } from '../../src/articles/category-names.ts'
import { releaseSeq } from '../../src/articles/seq.ts'
import { readSiteTexts, setSiteTexts, siteTextsIn } from '../../src/articles/site-texts.ts'
import { countsByCategory, latestArticles, listCategories } from '../../src/articles/store.ts'
import type { Database } from '../../src/db/connect.ts'
import type { Context } from '../../src/db/context.ts'
import { openMigrated } from '../support/embedded.ts'

const now = new Date('2026-03-06T07:00:00Z')
let database: Database
let ctx: Context

before(async () => {
  database = await openMigrated()
  ctx = { db: database.db, clock: fixedClock(now), config: readConfig({}), log: createLog('silent') }
})
after(() => database.close())

async function addArticle(title: string, publishedAt = now): Promise<number> {
  const { id } = await ctx.db
    .insertInto('articles')
    .values({
      title,
      link: `https://news.example/${title}`,
      publishedAt,
      firstSeenAt: now,
      sendableAt: now,
      updatedAt: now,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  return id
}

test('a category has a page on the site, which must be a web address', async () => {
  const page = 'https://news.example/tides'
  const { slug, pageUrl } = await categories.addCategory(ctx, { name: 'Tides', pageUrl: page })
  assert.equal(pageUrl, page)
  assert.equal((await categories.renameCategory(ctx, { slug, name: 'Tide' })).pageUrl, page)
  for (const wrong of ['news.example/tides', 'javascript:alert(1)', `${page}/${'x'.repeat(2000)}`])
    await assert.rejects(categories.renameCategory(ctx, { slug, pageUrl: wrong }), /The page must be an http/)
  assert.equal((await categories.renameCategory(ctx, { slug, pageUrl: '' })).pageUrl, null)
  await ctx.db.deleteFrom('categories').where('slug', '=', slug).execute()
})

test('a category and the site’s own sentences have texts per language', async () => {
  const german = { name: ' Gezeiten ', description: 'Ebbe und Flut' }
  const added = await categories.addCategory(ctx, {
    name: 'Tides',
    translations: { de: german, fr: { name: 'Marées' } },
  })
  assert.equal(categoryName(added, 'de-AT'), 'Gezeiten')
  assert.deepEqual([categoryName(added, 'fr'), categoryName(added, 'es')], ['Marées', 'Tides'])
  const { slug } = added
  const translations = { FR: null, pt_br: { name: 'Marés' }, es: { name: ' ' } }
  const changed = await categories.renameCategory(ctx, { slug, translations })
  assert.deepEqual(Object.keys(changed.translations).sort(), ['de', 'pt-BR'])
  assert.equal(categoryIn(changed, 'de').description, 'Ebbe und Flut')
  for (const [language, name] of [
    ['de', '<b>'],
    ['no language', 'Tides'],
  ] as const)
    await assert.rejects(categories.renameCategory(ctx, { slug, translations: { [language]: { name } } }), Refusal)
  await ctx.db.deleteFrom('categories').where('slug', '=', slug).execute()

  await setSiteTexts(ctx, 'de', { tagline: 'Nachrichten für Sie', disclaimer: '' }, 'cli')
  const { tagline, disclaimer } = siteTextsIn(ctx.config, await readSiteTexts(ctx.db), 'de')
  assert.deepEqual(tagline, { text: 'Nachrichten für Sie', language: 'de' })
  // The trial's own one is there in each language.
  assert.equal(disclaimer?.language, 'de')
  assert.notEqual(disclaimer?.text, ctx.config.site.disclaimer)
})

test('categories are added, renamed, reordered and retired', async () => {
  await categories.addCategory(ctx, { name: ' World   News ' })
  await categories.addCategory(ctx, { name: 'Politics' })
  await categories.addCategory(ctx, { name: 'Économie', slug: 'economy' })
  assert.deepEqual(
    (await listCategories(ctx.db)).map((c) => [c.slug, c.name]),
    [
      ['world-news', 'World News'],
      ['politics', 'Politics'],
      ['economy', 'Économie'],
    ],
  )
  await categories.renameCategory(ctx, { slug: 'world-news', name: 'World' })
  await categories.reorderCategories(ctx, ['economy', 'politics'])
  await categories.retireCategory(ctx, 'politics')
  assert.deepEqual(
    (await listCategories(ctx.db)).map((c) => c.name),
    ['Économie', 'World'],
  )
  assert.equal((await listCategories(ctx.db, { withRetired: true })).length, 3)
  await categories.restoreCategory(ctx, 'politics')
  assert.equal((await listCategories(ctx.db)).length, 3)
})

test('a category that exists, a bad name and an unknown slug are refused with the field', async () => {
  for (const [attempt, code, field] of [
    [() => categories.addCategory(ctx, { name: 'Politics' }), 'conflict', 'slug'],
    [() => categories.addCategory(ctx, { name: '  ' }), 'invalid', 'name'],
    [() => categories.addCategory(ctx, { name: '政治' }), 'invalid', 'slug'],
    [() => categories.retireCategory(ctx, 'sports'), 'not_found', 'slug'],
    [() => categories.reorderCategories(ctx, ['sports']), 'not_found', 'order'],
  ] as const)
    await assert.rejects(
      attempt,
      (error) => error instanceof Refusal && error.code === code && error.problems[0]?.field === field,
    )
})

test('readers see what is offered, neither held nor withdrawn, newest first, and the counts agree', async () => {
  const politics = (await categories.getCategory(ctx, 'politics')).id
  const economy = (await categories.getCategory(ctx, 'economy')).id
  const older = await addArticle('older', new Date('2026-03-05T07:00:00Z'))
  const newer = await addArticle('newer')
  const held = await addArticle('held')
  await addArticle('uncategorised')
  await ctx.db.transaction().execute(async (trx) => {
    await releaseSeq(trx, newer, [politics, economy])
    await releaseSeq(trx, older, [politics])
    await releaseSeq(trx, held, [politics])
  })
  await ctx.db.updateTable('articles').set({ heldAt: now }).where('id', '=', held).execute()
  const ids = async (options: { categoryId?: number }) =>
    (await latestArticles(ctx.db, { ...options, limit: 10 })).map((article) => article.id)
  assert.deepEqual(await ids({}), [newer, older])
  assert.deepEqual(await ids({ categoryId: politics }), [newer, older])
  assert.deepEqual(await ids({ categoryId: economy }), [newer])
  const counts = await countsByCategory(ctx.db)
  assert.equal(counts.get(politics), 2)
  assert.equal(counts.get(economy), 1)
  await categories.retireCategory(ctx, 'politics')
  assert.deepEqual(await ids({}), [newer])
  assert.equal((await countsByCategory(ctx.db)).has(politics), false)
})

test('a second release gives a higher number, in the order given', async () => {
  const article = await addArticle('again')
  const [a, b] = await listCategories(ctx.db)
  const seqs = async () =>
    (
      await ctx.db
        .selectFrom('articleCategories')
        .select(['categoryId', 'seq'])
        .where('articleId', '=', article)
        .orderBy('seq')
        .execute()
    ).map((row) => [row.categoryId, row.seq!] as const)
  await ctx.db.transaction().execute((trx) => releaseSeq(trx, article, [b!.id, a!.id]))
  const first = await seqs()
  assert.deepEqual(
    first.map(([id]) => id),
    [b!.id, a!.id],
  )
  await ctx.db.transaction().execute((trx) => releaseSeq(trx, article, [b!.id]))
  const second = await seqs()
  assert.equal(second.at(-1)![0], b!.id)
  assert.ok(second.at(-1)![1] > first.at(-1)![1])
})

import assert from 'node:assert/strict'
import { sql } from 'kysely'
import type { ClaimedDelivery, Composed, Mail } from '../../src/delivery/composer.ts'
import { renameCategory } from '../../src/articles/categories.ts'
import { announcementComposer } from '../../src/digests/announce.ts'
import { digestComposer } from '../../src/digests/compose.ts'
import { previewDigest, testComposer, testSend } from '../../src/digests/preview.ts'
import { makeSnapshot } from '../../src/digests/snapshot.ts'
import { triggerAnnouncement, triggerDigest } from '../../src/planning/trigger.ts'
import { readMail } from '../support/digest-mail.ts'
import { story, type House } from '../support/house.ts'
import { addCategories, addReader, addStory, tick } from '../support/newsroom.ts'
import { sendWaitingMail } from '../support/post.ts'

const now = new Date('2026-03-02T06:00:00Z')

story('each reader gets the stories of the categories that are due and not yet seen, in one mail', async (house) => {
  await seedEdition(house)
  const composed = await compose(house, [1, 2, 3], 1)
  const ada = await read(composed[0]!)
  assert.deepEqual(headings(ada.html), ['Arts', 'Politics'])
  assert.deepEqual(record(composed[0]!).articleIds, [4, 5, 2, 3])
  assert.deepEqual(record(composed[0]!).watermarks, { 1: 100, 2: 100 })
  assert.match(ada.text, /Politics \(daily\)|Arts \(daily\)/)
  // Bob's Politics is weekly and not due; he has seen story 4.
  assert.deepEqual(record(composed[1]!).articleIds, [5])
  // Cleo has seen everything.
  assert.deepEqual(composed[2], { outcome: 'skip', reason: 'nothing_new' })
})

story('a story that is withdrawn or held after the snapshot was made is sent to nobody', async (house) => {
  await seedEdition(house)
  const composer = digestComposer(house.ctx)
  assert.deepEqual(record((await compose(house, [1], 1, composer))[0]!).articleIds, [4, 5, 2, 3])
  await house.db.updateTable('articles').set({ withdrawnAt: now }).where('id', '=', 5).execute()
  await house.db.updateTable('articles').set({ heldAt: now }).where('id', '=', 2).execute()
  const [ada, bob] = await compose(house, [1, 2], 1, composer)
  assert.deepEqual(record(ada!).articleIds, [4, 3])
  assert.deepEqual(bob, { outcome: 'skip', reason: 'withdrawn' })
})

story('what may have arrived before carries the same stories again, less what was withdrawn', async (house) => {
  await seedEdition(house)
  await house.db.updateTable('articles').set({ withdrawnAt: now }).where('id', '=', 2).execute()
  await house.db
    .updateTable('reading')
    .set({ watermarks: JSON.stringify({ 1: 100, 2: 100 }) })
    .execute()
  const run = await digestComposer(house.ctx).prepare([delivery(1, 1, [4, 2, 3])])
  const again = await run(delivery(1, 1, [4, 2, 3]))
  assert.deepEqual(record(again).articleIds, [4, 3])
  const run2 = await digestComposer(house.ctx).prepare([delivery(1, 1, [2])])
  assert.deepEqual(await run2(delivery(1, 1, [2])), { outcome: 'skip', reason: 'withdrawn' })
})

story('a snapshot of an older version is rendered again, and one of a newer version is refused', async (house) => {
  const { db } = house
  await seedEdition(house)
  const stored = async () => (await db.selectFrom('editionSnapshots').selectAll().executeTakeFirstOrThrow()).snapshot
  const snapshot = await stored()
  const older = JSON.stringify({ version: 2, html: {}, text: {}, categories: [], stories: {} })
  await db.updateTable('editionSnapshots').set({ snapshot: older }).execute()
  assert.deepEqual(record((await compose(house, [1], 1))[0]!).articleIds, [4, 5, 2, 3])
  assert.deepEqual(await stored(), snapshot)
  const newer = JSON.stringify({ version: 99 })
  await db.updateTable('editionSnapshots').set({ snapshot: newer }).execute()
  await assert.rejects(compose(house, [1], 1), /edition 1 was rendered by a newer version/)
  assert.deepEqual(await stored(), { version: 99 })
})

story('“12 more” leads to the page of the category, else to its archive', async (house) => {
  const { db } = house
  await seedEdition(house)
  const more = async () => {
    const { html, text } = await read((await compose(house, [1], 1))[0]!)
    const pages = [...html.matchAll(/<a href="([^"]*)"[^>]*>\d+ more in (\w+)</g)].map(([, page, name]) => [name, page])
    for (const [name, page] of pages) assert.ok(text.includes(` more in ${name}:\n${page}\n`), text)
    return pages
  }
  // Story 1 can be counted, not shown.
  assert.deepEqual(await more(), [['Politics', `${house.ctx.config.web.publicUrl}/archive/politics`]])
  const feed = { url: 'https://stories.example/politics/feed/', siteUrl: 'https://stories.example/' }
  await db.insertInto('feeds').values(feed).execute()
  await db.insertInto('feedCategories').values({ feedId: 1, categoryId: 1 }).execute()
  await makeSnapshot(house.ctx, 1)
  assert.deepEqual(await more(), [['Politics', 'https://stories.example/politics/']])
  await renameCategory(house.ctx, { slug: 'politics', pageUrl: ' https://news.example/politics?a=1 ' })
  await makeSnapshot(house.ctx, 1)
  assert.deepEqual(await more(), [['Politics', 'https://news.example/politics?a=1']])
})

story('of three thousand new stories every one is shown or counted', async (house) => {
  const { ctx, db } = house
  const [politics, world] = await addCategories(db, 'politics', 'world')
  await sql`
    with added as (
      insert into articles (title, link, published_at, first_seen_at, sendable_at, updated_at)
      select 'Title ' || n, 'https://stories.example/' || n, ${now}::timestamptz - n * interval '1 second', ${now}, ${now}, ${now}
      from generate_series(1, 3000) n returning id
    ), both_categories as (
      select id, c from added cross join unnest(array[${politics!}::int, ${world!}::int]) c where c = ${politics!} or id % 10 = 0
    )
    insert into article_categories select id, c, nextval('article_seq') from both_categories`.execute(db)
  await addReader(ctx, { choice: { [politics!]: 'daily', [world!]: 'daily' } })
  house.clock.set('2026-03-02T07:00:00Z')
  await tick(ctx)
  const { due, subscriberId } = await db.selectFrom('deliveries').selectAll().executeTakeFirstOrThrow()
  const composed = (await compose(house, [subscriberId!], due))[0]!
  const { html, text } = await read(composed)
  assert.equal(record(composed).articleIds.length, 13)
  for (const part of [html, text]) assert.match(part, /2,987 more in politics/)
  assert.doesNotMatch(text, /more in world/)
  const kept = await db.selectFrom('editionArticles').select('articleId').execute()
  // Sixty per category at most, and here that many: the newest came first.
  assert.ok(kept.length <= 120, `${kept.length} stories kept`)
})

story('an announcement is an editor’s words, the same for all but for the links', async (house) => {
  await seedEdition(house)
  await house.db
    .insertInto('editions')
    .values({
      kind: 'announcement',
      state: 'sending',
      createdAt: now,
      content: JSON.stringify({ subject: 'A note', body: 'First <b>.\n\nSee https://news.example/about.' }),
    })
    .execute()
  const deliveries = [1, 2].map((id) => ({ ...delivery(id, 0), editionId: 2, kind: 'announcement' as const }))
  const run = await announcementComposer(house.ctx).prepare(deliveries)
  const [one, two] = await Promise.all(deliveries.map(run))
  const first = await read(one!)
  assert.equal(mailOf(one!).subject, 'A note')
  assert.match(first.html, /First &lt;b&gt;\./)
  assert.match(first.html, /href="http[^"]*news\.example\/about"/)
  assert.match(first.text, /unsubscribe\?token=1\.0\./)
  assert.match((await read(two!)).text, /unsubscribe\?token=2\.0\./)
})

story('a preview and a test mail show the next digest, change nothing and can unsubscribe nobody', async (house) => {
  await seedEdition(house)
  const count = async () =>
    Promise.all(
      (['editions', 'deliveries', 'reading', 'editionArticles', 'editionSnapshots'] as const).map((table) =>
        house.db.selectFrom(table).selectAll().execute(),
      ),
    )
  const before = await count()
  const forAda = await previewDigest(house.ctx, { subscriberId: 1 })
  assert.deepEqual(headings(forAda!.html), ['Arts', 'Politics'])
  const politics = await previewDigest(house.ctx, { categories: ['politics'] })
  assert.deepEqual(headings(politics!.html), ['Politics'])
  assert.equal(politics!.subject, 'Title 3')
  assert.match(politics!.text, /unsubscribe\?token=0\.0\./)
  assert.ok(politics!.htmlBytes > 5000 && politics!.htmlBytes <= 100_000)
  assert.equal((await previewDigest(house.ctx, { editionId: 1, subscriberId: 3 }))?.subject, undefined)
  await assert.rejects(previewDigest(house.ctx, { categories: ['nothing'] }), /no category nothing/)
  assert.deepEqual(await count(), before)

  const id = await house.db
    .transaction()
    .execute((trx) => testSend(trx, 'editor@news.example', { categories: ['arts'] }))
  const row = await house.db.selectFrom('deliveries').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
  const mail = { ...delivery(0, 0), ...row, kind: 'test' as const, articleIds: null }
  const composed = await (await testComposer(house.ctx).prepare([mail]))(mail)
  assert.equal(mailOf(composed).subject, '[Test] Title 5')
  assert.equal((composed as { record: unknown }).record, null)
})

async function seedEdition({ db, ctx }: House) {
  await db
    .insertInto('categories')
    .values([
      { slug: 'politics', name: 'Politics', position: 1 },
      { slug: 'arts', name: 'Arts', position: 2 },
    ])
    .execute()
  for (let id = 1; id <= 5; id++)
    await db
      .insertInto('articles')
      .values({
        title: `Title ${id}`,
        link: `https://stories.example/${id}`,
        publishedAt: new Date(now.getTime() + id * 1000),
        firstSeenAt: now,
        sendableAt: now,
        updatedAt: now,
      })
      .execute()
  await db
    .insertInto('articleCategories')
    .values([1, 2, 3, 4, 5].map((articleId) => ({ articleId, categoryId: articleId <= 3 ? 1 : 2, seq: articleId })))
    .execute()
  await db
    .insertInto('editions')
    .values({ kind: 'scheduled', state: 'sending', slotAt: now, cutoffSeq: 100, createdAt: now })
    .execute()
  await db
    .insertInto('editionArticles')
    .values(
      [2, 3, 4, 5].map((articleId) => ({
        editionId: 1,
        categoryId: articleId <= 3 ? 1 : 2,
        articleId,
        seq: articleId,
        position: articleId,
      })),
    )
    .execute()
  for (const name of ['ada', 'bob', 'cleo'])
    await db
      .insertInto('subscribers')
      .values({
        email: `${name}@x.example`,
        emailKey: `${name}@x.example`,
        emailHash: name,
        status: 'active',
        createdAt: now,
      })
      .execute()
  await db
    .insertInto('subscriptions')
    .values([
      { subscriberId: 1, categoryId: 1, frequency: 'daily', position: 2 },
      { subscriberId: 1, categoryId: 2, frequency: 'daily', position: 1 },
      { subscriberId: 2, categoryId: 1, frequency: 'weekly', position: 0 },
      { subscriberId: 2, categoryId: 2, frequency: 'daily', position: 0 },
      { subscriberId: 3, categoryId: 1, frequency: 'daily', position: 0 },
    ])
    .execute()
  await db
    .insertInto('reading')
    .values([
      { subscriberId: 2, watermarks: JSON.stringify({ 2: 3 }), seen: [4] },
      { subscriberId: 3, watermarks: JSON.stringify({ 1: 100 }) },
    ])
    .execute()
  await makeSnapshot(ctx, 1)
  await makeSnapshot(ctx, 1)
}

function delivery(subscriberId: number, due: number, articleIds: number[] | null = null): ClaimedDelivery {
  return {
    id: subscriberId,
    kind: 'digest',
    lane: 'digest',
    editionId: 1,
    subscriberId,
    recipient: 'someone@x.example',
    due,
    attempt: 0,
    articleIds,
    payload: null,
  }
}

async function compose({ ctx }: House, subscriberIds: number[], due: number, composer = digestComposer(ctx)) {
  const deliveries = subscriberIds.map((id) => delivery(id, due))
  const run = await composer.prepare(deliveries)
  return Promise.all(deliveries.map(run))
}

function mailOf(composed: Composed): Mail {
  assert.equal(composed.outcome, 'mail')
  return (composed as { mail: Mail }).mail
}

function record(composed: Composed) {
  assert.equal(composed.outcome, 'mail')
  return (composed as { record: { articleIds: number[]; watermarks: Record<string, number> } }).record
}

const read = (composed: Composed) => readMail(mailOf(composed))
const headings = (html: string) => [...html.matchAll(/<h2[^>]*>([^<]*)</g)].map(([, name]) => name)

story('lines that begin with dots arrive as they were written', async (house) => {
  const [politics] = await addCategories(house.db, 'politics')
  await addReader(house.ctx, { choice: { [politics!]: 'daily' } })
  const id = await addStory(house.ctx, 'dots', [politics!])
  await house.db.updateTable('articles').set({ title: '.a title' }).where('id', '=', id).execute()
  await triggerDigest(house.ctx, { actor: 'cli' })
  await triggerAnnouncement(house.ctx, { subject: '.a note', body: '.first\n\n.\n\n..second', actor: 'cli' })
  await tick(house.ctx)
  await sendWaitingMail(house)
  const arrived = new Map(house.inbox.received.map(({ mail }) => [mail.subject, mail]))
  assert.deepEqual(linesWithDots(arrived.get('.a title')?.text), ['.a title'])
  assert.deepEqual(linesWithDots(arrived.get('.a note')?.text), ['.a note', '.first', '.', '..second'])
  assert.match(arrived.get('.a note')?.html ?? '', />\s*\.\s*</)
})

const linesWithDots = (text = '') => text.split(/\r?\n/).filter((line) => line.startsWith('.'))

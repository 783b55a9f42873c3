// The trial's rows in the database: its start, four categories, four feeds of the sample site and their stories. All are marked
// `is_sample`, so that `trial leave` can remove them and leave an empty site.

import { sql } from 'kysely'
import { addressOf } from '../base/addresses.ts'
import { addCategory } from '../articles/categories.ts'
import { findCategory } from '../articles/store.ts'
import { Refusal } from '../base/errors.ts'
import type { Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import { findSetting, keepSetting, setSetting } from '../db/settings.ts'
import { feedPath, sampleSiteName } from './sample-feed.ts'
import { sampleCategories } from './stories.ts'

const firstStarts = new WeakMap<object, Date>()

/** The start of the trial: the first call stores it, for every process and restart. */
export async function readFirstStart(ctx: Pick<Context, 'db' | 'clock'>): Promise<Date> {
  const known = firstStarts.get(ctx.db)
  if (known) return known
  const firstStart = new Date(await keepSetting(ctx.db, 'trial_first_start', ctx.clock.now().toISOString()))
  firstStarts.set(ctx.db, firstStart)
  return firstStart
}

/**
 * Runs at every start of a trial. The first time it adds the sample categories and feeds; later it only updates their port.
 * Changes by the operator (removed, renamed, retired) stay. After a crash in the middle, the next start completes it.
 */
export async function seedTrial(ctx: Context): Promise<void> {
  await readFirstStart(ctx)
  const isSeeded = (await findSetting<boolean>(ctx.db, 'trial_seeded')) ?? false
  for (const sample of sampleCategories) {
    const url = addressOf(ctx.config, feedPath(sample.slug))
    const feed = await ctx.db
      .selectFrom('feeds')
      .select(['id', 'url'])
      .where('isSample', '=', true)
      .where('url', 'like', `%${feedPath(sample.slug)}`)
      .executeTakeFirst()
    if (feed) {
      // Polled at each start, so that today's stories are there at once.
      await ctx.db
        .updateTable('feeds')
        .set({ url, nextPollAt: ctx.clock.now(), failures: 0, lastError: null })
        .where('id', '=', feed.id)
        .execute()
    } else if (!isSeeded) {
      const category =
        (await findCategory(ctx.db, sample.slug)) ?? (await addCategory(ctx, { ...sample, isSample: true }))
      await ctx.db
        .transaction()
        .execute((trx) => addSampleFeed(trx, { url, title: sample.name, categoryId: category.id }))
    }
  }
  await setSetting(ctx.db, 'trial_seeded', true)
}

async function addSampleFeed(trx: Trx, feed: { url: string; title: string; categoryId: number }): Promise<void> {
  const { id } = await trx
    .insertInto('feeds')
    .values({
      url: feed.url,
      title: `${feed.title} – ${sampleSiteName}`,
      isSample: true,
      nextPollAt: sql<Date>`now()`,
      intervalSeconds: 120,
    })
    .returning('id')
    .executeTakeFirstOrThrow()
  await trx.insertInto('feedCategories').values({ feedId: id, categoryId: feed.categoryId }).execute()
}

export interface Left {
  feeds: number
  stories: number
  categories: string[]
  /** Sample categories with stories or feeds of the site's own: they stay. */
  kept: string[]
}

/**
 * Removes the sample feeds, stories and categories, in one transaction. Subscribers and sent mails stay. Refuses if there is
 * nothing of the trial, and while an edition is open.
 */
export async function leaveTrial(ctx: Context): Promise<Left> {
  return ctx.db.transaction().execute(async (trx) => {
    const open = await trx
      .selectFrom('editions')
      .select('id')
      .where('state', 'not in', ['closed', 'cancelled', 'missed'])
      .executeTakeFirst()
    if (open) throw new Refusal('conflict', `Edition ${open.id} is under way. Wait until it is closed, or cancel it.`)
    const stories = await trx
      .deleteFrom('articles')
      .where((eb) =>
        eb.or([
          eb('isSample', '=', true),
          eb('feedId', 'in', eb.selectFrom('feeds').select('feeds.id').where('feeds.isSample', '=', true)),
        ]),
      )
      .executeTakeFirst()
    const feeds = await trx.deleteFrom('feeds').where('isSample', '=', true).executeTakeFirst()
    const { rows: kept } = await sql<{ slug: string }>`
      update categories set is_sample = false
      where is_sample and (exists (select from feed_categories where category_id = categories.id)
        or exists (select from article_categories where category_id = categories.id))
      returning slug`.execute(trx)
    const categories = await trx.deleteFrom('categories').where('isSample', '=', true).returning('slug').execute()
    // The subscriptions were deleted with their categories; the summary that planning reads must follow.
    await sql`
      update subscribers s set frequencies = left_over.bits
      from (select s2.id, coalesce(bit_or(case n.frequency when 'daily' then 1 when 'weekly' then 2 else 4 end), 0) as bits
        from subscribers s2 left join subscriptions n on n.subscriber_id = s2.id group by s2.id) left_over
      where left_over.id = s.id and left_over.bits <> s.frequencies`.execute(trx)
    await sql`delete from due_times t using subscribers s where s.id = t.subscriber_id and s.frequencies = 0`.execute(
      trx,
    )
    const left = {
      feeds: Number(feeds.numDeletedRows),
      stories: Number(stories.numDeletedRows),
      categories: categories.map((row) => row.slug),
      kept: kept.map((row) => row.slug),
    }
    if (left.feeds + left.stories + left.categories.length + left.kept.length === 0)
      throw new Refusal('not_found', 'There is nothing of the trial here: no sample feeds, stories or categories.')
    return left
  })
}

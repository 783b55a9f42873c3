// A newsroom for tests of planning: categories, stories and subscribers in one line each, and a post office that settles what is
// due as the delivery worker does, without SMTP: it claims, selects, and moves what readers have read.

import { sql } from 'kysely'
import { releaseSeqs } from '../../src/articles/seq.ts'
import type { Db } from '../../src/db/connect.ts'
import type { Context } from '../../src/db/context.ts'
import { type Frequency, frequencyBits } from '../../src/db/schema.ts'
import { addCount } from '../../src/digests/editions.ts'
import { dueAfter } from '../../src/digests/schedules.ts'
import { type EditionStories, type Selection, selectStories } from '../../src/digests/selection.ts'
import { runTick, type TickOptions, type TickResult } from '../../src/digests/tick.ts'

export async function addCategories(db: Db, ...slugs: string[]): Promise<number[]> {
  const rows = await db
    .insertInto('categories')
    .values(slugs.map((slug, index) => ({ slug, name: slug, position: index })))
    .returning('id')
    .execute()
  return rows.map((row) => row.id)
}

/** A story in these categories, sendable now. */
export async function addStory(ctx: Context, title: string, categoryIds: readonly number[]): Promise<number> {
  const now = ctx.clock.now()
  return ctx.db.transaction().execute(async (trx) => {
    const { id } = await trx
      .insertInto('articles')
      .values({ title, link: `https://news.example/${title}`, publishedAt: now, firstSeenAt: now, updatedAt: now })
      .returning('id')
      .executeTakeFirstOrThrow()
    await releaseSeqs(
      trx,
      categoryIds.map((categoryId) => ({ articleId: id, categoryId })),
    )
    return id
  })
}

export interface NewReader {
  email?: string
  choice: Record<number, Frequency>
  timezone?: string | null
  sendHour?: number | null
  weeklyDay?: number | null
  monthlyDay?: number | null
}

let readers = 0

/** An active subscriber, due at the next slot. */
export async function addReader(ctx: Context, reader: NewReader): Promise<number> {
  const now = ctx.clock.now()
  const email = reader.email ?? `reader-${++readers}@mail.example`
  const choices = Object.entries(reader.choice)
  const own = {
    timezone: reader.timezone ?? null,
    sendHour: reader.sendHour ?? null,
    weeklyDay: reader.weeklyDay ?? null,
    monthlyDay: reader.monthlyDay ?? null,
    frequencies: choices.reduce((bits, [, frequency]) => bits | frequencyBits[frequency], 0),
    pausedUntil: null,
  }
  const { id } = await ctx.db
    .insertInto('subscribers')
    .values({ ...own, email, emailKey: email, emailHash: email, status: 'active', createdAt: now, confirmedAt: now })
    .returning('id')
    .executeTakeFirstOrThrow()
  await ctx.db
    .updateTable('subscribers')
    .set({ nextDueAt: dueAfter(own, ctx.config.digest, now) })
    .where('id', '=', id)
    .execute()
  await ctx.db
    .insertInto('subscriptions')
    .values(
      choices.map(([categoryId, frequency], position) => ({
        subscriberId: id,
        categoryId: Number(categoryId),
        frequency,
        position,
      })),
    )
    .execute()
  return id
}

/** The tick, without rendering mails. */
export async function tick(ctx: Context, options: TickOptions = {}): Promise<TickResult> {
  return runTick(ctx, { makeSnapshot: blankSnapshot, ...options })
}

export async function blankSnapshot(ctx: Context, editionId: number): Promise<void> {
  await ctx.db
    .insertInto('editionSnapshots')
    .values({ editionId, snapshot: '{}', madeAt: ctx.clock.now() })
    .onConflict((conflict) => conflict.column('editionId').doNothing())
    .execute()
}

export interface Posted {
  editionId: number
  subscriberId: number
  selection: Selection | null
}

/** Sends everything that is open in editions that are sending. `crashed` names deliveries that are left uncertain. */
export async function postAll(
  ctx: Context,
  options: { crashed?: (subscriberId: number) => boolean; limit?: number } = {},
): Promise<Posted[]> {
  const { rows } = await sql<{ id: number; editionId: number; subscriberId: number; due: number; kind: string }>`
    select d.id, d.edition_id, d.subscriber_id, d.due, d.kind from deliveries d
    join editions e on e.id = d.edition_id join subscribers s on s.id = d.subscriber_id
    where e.state = 'sending' and d.next_attempt_at is not null and d.state in ('queued', 'deferred')
      and s.status = 'active' order by d.id limit ${options.limit ?? 1_000_000}`.execute(ctx.db)
  const posted: Posted[] = []
  for (const { id, editionId, subscriberId, due } of rows) {
    const edition = await editionStories(ctx.db, editionId)
    const selection = selectStories(edition.stories, await readerState(ctx.db, subscriberId), due, {
      stories: ctx.config.digest.stories,
      minimum: ctx.config.digest.minimum,
      alsoLike: 2,
      onlyCategories: edition.categoryIds,
      rendered: ctx.config.digest.stories * 3,
    })
    const crashed = selection !== null && (options.crashed?.(subscriberId) ?? false)
    await ctx.db.transaction().execute(async (trx) => {
      await trx
        .updateTable('deliveries')
        .set({
          state: selection === null ? 'skipped' : crashed ? 'uncertain' : 'sent',
          reason: selection === null ? 'nothing_new' : null,
          nextAttemptAt: null,
          settledAt: sql<Date>`now()`,
        })
        .where('id', '=', id)
        .execute()
      await addCount(trx, editionId, selection === null ? 'skipped:nothing_new' : crashed ? 'uncertain' : 'sent', 1)
      if (selection) {
        const stories = `{${[...selection.sections.flatMap((section) => section.articleIds), ...selection.alsoLike].join(',')}}`
        await sql`
          insert into reading (subscriber_id, watermarks, seen)
          values (${subscriberId}, ${JSON.stringify(selection.watermarks)}::jsonb, ${stories}::int[])
          on conflict (subscriber_id) do update set watermarks = reading.watermarks || excluded.watermarks,
            seen = reading.seen || excluded.seen`.execute(trx)
      }
    })
    posted.push({ editionId, subscriberId, selection })
  }
  return posted
}

async function editionStories(
  db: Db,
  editionId: number,
): Promise<{ stories: EditionStories; categoryIds: number[] | null }> {
  const edition = await db.selectFrom('editions').selectAll().where('id', '=', editionId).executeTakeFirstOrThrow()
  const rows = await db
    .selectFrom('editionArticles')
    .selectAll()
    .where('editionId', '=', editionId)
    .where('isDropped', '=', false)
    // What was held or withdrawn since the edition was frozen, as digests/compose.ts leaves it out.
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('articles')
          .select('articles.id')
          .whereRef('articles.id', '=', 'editionArticles.articleId')
          .where('heldAt', 'is', null)
          .where('withdrawnAt', 'is', null),
      ),
    )
    .orderBy('isPinned', 'desc')
    .orderBy('position')
    .execute()
  const offered = await db.selectFrom('categories').selectAll().where('retiredAt', 'is', null).execute()
  const categories = offered.filter((each) => !edition.categoryIds || edition.categoryIds.includes(each.id))
  return {
    categoryIds: edition.categoryIds,
    stories: {
      cutoffSeq: edition.cutoffSeq!,
      categories: new Map(
        categories.map(({ id, position }) => [
          id,
          { id, position, stories: rows.filter((row) => row.categoryId === id) },
        ]),
      ),
    },
  }
}

async function readerState(db: Db, subscriberId: number) {
  const subscriptions = await db
    .selectFrom('subscriptions')
    .select(['categoryId', 'frequency', 'position'])
    .where('subscriberId', '=', subscriberId)
    .execute()
  const reading = await db.selectFrom('reading').selectAll().where('subscriberId', '=', subscriberId).executeTakeFirst()
  return { subscriptions, watermarks: reading?.watermarks ?? {}, seen: reading?.seen ?? [] }
}

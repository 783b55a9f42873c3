// A newsroom: categories, stories and subscribers in one line each.

import { releaseSeqs } from '../../src/articles/seq.ts'
import type { Db } from '../../src/db/connect.ts'
import type { Context } from '../../src/db/context.ts'
import type { Frequency } from '../../src/db/schema.ts'
import { runTick, type TickOptions, type TickResult } from '../../src/planning/tick.ts'
import { setDueTime } from '../../src/calendar/due-times.ts'
import { whenDue } from '../../src/subscribers/subscriptions.ts'

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
      .values({
        title,
        link: `https://news.example/${encodeURIComponent(title)}`,
        publishedAt: now,
        firstSeenAt: now,
        sendableAt: now,
        updatedAt: now,
      })
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
    status: 'active' as const,
    timezone: reader.timezone ?? null,
    sendHour: reader.sendHour ?? null,
    weeklyDay: reader.weeklyDay ?? null,
    monthlyDay: reader.monthlyDay ?? null,
    pausedUntil: null,
  }
  const chosen = choices.map(([, frequency]) => ({ frequency }))
  const { frequencies, nextDueAt } = whenDue(ctx.config, own, chosen, now)
  const { id } = await ctx.db
    .insertInto('subscribers')
    .values({ ...own, frequencies, email, emailKey: email, emailHash: email, createdAt: now, confirmedAt: now })
    .returning('id')
    .executeTakeFirstOrThrow()
  await ctx.db.transaction().execute((trx) => setDueTime(trx, id, nextDueAt))
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

export async function tick(ctx: Context, options: TickOptions = {}): Promise<TickResult> {
  return runTick(ctx, options)
}

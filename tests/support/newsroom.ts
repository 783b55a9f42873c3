// A newsroom for tests of planning: categories, stories and subscribers in one line each, and a post office that composes what is
// due and settles it as the delivery worker does, without SMTP.

import { sql } from 'kysely'
import { releaseSeqs } from '../../src/articles/seq.ts'
import type { Db } from '../../src/db/connect.ts'
import type { Context } from '../../src/db/context.ts'
import type { Frequency } from '../../src/db/schema.ts'
import { digestComposer } from '../../src/digests/compose.ts'
import { runTick, type TickOptions, type TickResult } from '../../src/planning/tick.ts'
import { setDueTime } from '../../src/calendar/due-times.ts'
import { whenDue } from '../../src/subscribers/subscriptions.ts'
import { addCount } from '../../src/editions/account.ts'

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
        link: `https://news.example/${title}`,
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

export interface Posted {
  editionId: number
  subscriberId: number
  /** null: no mail, as there was nothing new. */
  articleIds: number[] | null
}

/** Sends everything that is open in editions that are sending. `crashed` names deliveries that are left uncertain. */
export async function postAll(
  ctx: Context,
  options: { crashed?: (subscriberId: number) => boolean; limit?: number } = {},
): Promise<Posted[]> {
  const { rows } = await sql<{ id: number; editionId: number; subscriberId: number; recipient: string; due: number }>`
    select d.id, d.edition_id as "editionId", d.subscriber_id as "subscriberId", d.recipient, d.due from deliveries d
    join editions e on e.id = d.edition_id join subscribers s on s.id = d.subscriber_id
    where e.state = 'sending' and d.next_attempt_at is not null and d.state in ('queued', 'deferred')
      and s.status = 'active' order by d.id limit ${options.limit ?? 1_000_000}`.execute(ctx.db)
  const posted: Posted[] = []
  const composer = digestComposer(ctx)
  for (const row of rows) {
    const delivery = { ...row, kind: 'digest', lane: 'digest', attempt: 0, articleIds: null, payload: null } as const
    const composed = await (await composer.prepare([delivery]))(delivery)
    const { id, editionId, subscriberId } = row
    const outcome =
      composed.outcome === 'skip' ? 'skipped' : options.crashed?.(subscriberId) ? ('uncertain' as const) : 'sent'
    const reason = composed.outcome === 'skip' ? composed.reason : null
    await ctx.db.transaction().execute(async (trx) => {
      await trx
        .updateTable('deliveries')
        .set({ state: outcome, reason, nextAttemptAt: null, settledAt: sql<Date>`now()` })
        .where('id', '=', id)
        .execute()
      await addCount(trx, editionId, reason === null ? outcome : `skipped:${reason}`, 1)
      if (composed.outcome === 'mail')
        await sql`
          insert into reading (subscriber_id, watermarks, seen)
          values (${subscriberId}, ${JSON.stringify(composed.record!.watermarks)}::jsonb, ${`{${composed.record!.articleIds.join(',')}}`}::int[])
          on conflict (subscriber_id) do update set watermarks = reading.watermarks || excluded.watermarks,
            seen = reading.seen || excluded.seen`.execute(trx)
    })
    posted.push({
      editionId,
      subscriberId,
      articleIds: composed.outcome === 'mail' ? composed.record!.articleIds : null,
    })
  }
  return posted
}

// The history of a seeded site: a closed edition per day, with its stories, its deliveries and what its subscribers have read.

import { sql } from 'kysely'
import { listCategories } from '../../articles/store.ts'
import type { Context } from '../../db/context.ts'
import { emptyAccount } from '../../editions/account.ts'
import { addArticles } from './seed-articles.ts'

/** So many subscribers have a history: enough for millions of deliveries over two months. */
const mostReaders = 50_000
const storiesPerDay = 8
const dayMs = 86_400_000

export async function seedHistory(
  ctx: Context,
  past: { days: number; first: number; last: number; now: Date; signal: AbortSignal | undefined },
): Promise<void> {
  const readers = Math.min(mostReaders, past.last - past.first + 1)
  for (let day = past.days; day >= 1; day--) {
    past.signal?.throwIfAborted()
    const slot = new Date(Math.floor((past.now.getTime() - day * dayMs) / 3_600_000) * 3_600_000)
    await addArticles(ctx, storiesPerDay, new Date(slot.getTime() - 60_000))
    await pastEdition(ctx, slot, past.first, past.first + readers - 1)
  }
  await sql`update subscribers set created_at = ${past.now}::timestamptz - ${past.days + 1} * interval '1 day',
    confirmed_at = ${past.now}::timestamptz - ${past.days + 1} * interval '1 day'
    where id between ${past.first} and ${past.first + readers - 1}`.execute(ctx.db)
}

async function pastEdition(ctx: Context, slot: Date, first: number, last: number): Promise<void> {
  const over = new Date(slot.getTime() + 120_000)
  const offered = (await listCategories(ctx.db)).map((category) => category.id)
  await ctx.db.transaction().execute(async (trx) => {
    const stories = await trx
      .selectFrom('articles')
      .select('id')
      .where('sendableAt', 'is not', null)
      .orderBy('id', 'desc')
      .limit(storiesPerDay)
      .execute()
    const { cutoffSeq } = await trx
      .selectFrom('articleCategories')
      .select(sql<number>`coalesce(max(seq), 0)`.as('cutoffSeq'))
      .executeTakeFirstOrThrow()
    const made = await trx
      .insertInto('editions')
      .values({
        kind: 'scheduled',
        slotAt: slot,
        state: 'closed',
        cutoffSeq,
        note: 'Made by the command seed.',
        createdAt: slot,
        plannedAt: slot,
        closedAt: over,
        progressAt: over,
      })
      .onConflict((conflict) => conflict.column('slotAt').where('kind', '=', 'scheduled').doNothing())
      .returning('id')
      .executeTakeFirst()
    if (!made) return
    await sql`
      insert into edition_articles (edition_id, category_id, article_id, seq, position)
      select ${made.id}, category_id, article_id, seq, row_number() over (partition by category_id order by seq desc)
      from article_categories where article_id = any(${`{${stories.map(({ id }) => id).join(',')}}`}::int[])`.execute(
      trx,
    )
    const ids = `{${stories
      .slice(0, 4)
      .map(({ id }) => id)
      .join(',')}}`
    const { numAffectedRows } = await sql`
      insert into deliveries (edition_id, subscriber_id, recipient, kind, lane, state, due, attempt, created_at, settled_at,
        size_bytes, smtp_code, smtp_reply, stage, message_id, article_ids)
      select ${made.id}, id, email, 'digest', 'digest', 'sent', 1, 1, ${slot}, ${over}, 32000, 250, '2.0.0 Ok', 'dot',
        '<' || ${made.id}::text || '.' || id || '@seed.example>', ${ids}::int[]
      from subscribers where id between ${first} and ${last} order by id`.execute(trx)
    const audience = Number(numAffectedRows ?? 0)
    await trx
      .updateTable('editions')
      .set({ audience, account: JSON.stringify({ ...emptyAccount(audience), open: 0, sent: audience }) })
      .where('id', '=', made.id)
      .execute()
    await sql`
      insert into reading (subscriber_id, watermarks, seen)
      select id, ${JSON.stringify(Object.fromEntries(offered.map((id) => [id, cutoffSeq])))}::jsonb, ${ids}::int[]
      from subscribers where id between ${first} and ${last}
      on conflict (subscriber_id) do update set watermarks = reading.watermarks || excluded.watermarks,
        seen = reading.seen || excluded.seen`.execute(trx)
  })
}

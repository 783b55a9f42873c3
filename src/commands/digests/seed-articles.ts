// The stories of `seed`.

import { sql } from 'kysely'
import { releaseSeqs } from '../../articles/seq.ts'
import { listCategories } from '../../articles/store.ts'
import type { Context } from '../../db/context.ts'

/** Each in one category, every fifth in two; all from the last hours, the newest last. */
export async function addArticles(ctx: Context, count: number, now: Date): Promise<void> {
  const categories = (await listCategories(ctx.db)).map((category) => category.id)
  await ctx.db.transaction().execute(async (trx) => {
    const { rows } = await sql<{ id: number }>`
      insert into articles (title, link, excerpt, author, published_at, first_seen_at, sendable_at, updated_at)
      select 'Seeded story ' || n, ${ctx.config.site.url}::text || '/seeded/' || ${now.getTime()}::text || '-' || n,
        repeat('The tide came in as it does every day, and somebody wrote it down. ', 1 + n % 4), 'A. Reporter',
        ${now}::timestamptz - (${count}::int - n) * interval '1 minute', ${now}, ${now}, ${now}
      from generate_series(1, ${count}::int) n order by n returning id`.execute(trx)
    const pairs = rows.flatMap(({ id }, index) => {
      const [category, second] = [categories[index % categories.length]!, categories[(index + 1) % categories.length]!]
      const own = { articleId: id, categoryId: category }
      return index % 5 === 0 && second !== category ? [own, { articleId: id, categoryId: second }] : [own]
    })
    await releaseSeqs(trx, pairs)
  })
}

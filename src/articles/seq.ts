// The number that makes "new for this subscriber" a comparison. An (article, category) gets it when the story becomes sendable
// there, in commit order. One advisory lock is held from the first number to the commit. So after reading "everything up to the
// highest", no lower number is committed later. Take the lock late in a transaction: all writers wait for it.

import { sql } from 'kysely'
import type { Db, Trx } from '../db/connect.ts'

/** An arbitrary constant, the same in every process. */
export const seqLock = 1_801_301_001

export interface Sendable {
  articleId: number
  categoryId: number
}

/**
 * Makes one story sendable in these categories, after everything that is sendable already. If it was sendable before, its number
 * is raised (a release from hold). Subscribers who had it don't get it again, because of `reading.seen`.
 */
export async function releaseSeq(trx: Trx, articleId: number, categoryIds: readonly number[]): Promise<void> {
  await releaseSeqs(
    trx,
    categoryIds.map((categoryId) => ({ articleId, categoryId })),
  )
}

/** The same for many, in the order given: the last one is the newest. A pair must not occur twice. */
export async function releaseSeqs(
  trx: Trx,
  pairs: readonly Sendable[],
  options: { isLocked?: boolean } = {},
): Promise<void> {
  if (pairs.length === 0) return
  if (!options.isLocked) await lockSeq(trx)
  await sql`
    insert into article_categories (article_id, category_id, seq)
    select numbered.article_id, numbered.category_id, nextval('article_seq')
    from (
      select * from unnest(${intArray(pairs.map((pair) => pair.articleId))}::int[], ${intArray(pairs.map((pair) => pair.categoryId))}::int[])
        with ordinality as pair (article_id, category_id, place)
      order by place
    ) as numbered
    on conflict (article_id, category_id) do update set seq = excluded.seq`.execute(trx)
}

/** Takes the lock before the first number is needed, for callers that first check whether a story is known. */
export async function lockSeq(trx: Trx): Promise<void> {
  await sql`select pg_advisory_xact_lock(${sql.lit(seqLock)})`.execute(trx)
}

/** `seq` is given in commit order: no lower number will be committed later. */
export async function newestSeq(db: Db): Promise<number> {
  const { newest } = await db
    .selectFrom('articleCategories')
    .select(sql<number>`coalesce(max(seq), 0)`.as('newest'))
    .executeTakeFirstOrThrow()
  return newest
}

/** A Postgres array literal: pg and PGlite treat JavaScript arrays differently, but both accept this. */
export function intArray(values: readonly number[]): string {
  return `{${values.join(',')}}`
}

// Releases stories whose date has come. The tick calls it before it takes a cut-off. Nothing else gives a waiting story its seq:
// not an editor who holds and releases it, not a poll, a push or a rule.
//
// It also numbers new categories of sendable stories: a document that was compared while a story waited, and stored after its
// release, adds categories without a number.

import { sql } from 'kysely'
import type { Db, Trx } from '../db/connect.ts'
import { eligibleDays, isAhead } from './embargo.ts'
import { intArray, lockSeq, releaseSeqs, type Sendable } from './seq.ts'

const atOnce = 1000

/** Makes due stories sendable, oldest first. Returns how many. */
export async function releaseDue(db: Db, now: Date): Promise<number> {
  let released = 0
  // Checked without the lock first: nearly every tick finds nothing.
  while (await isAnythingDue(db, now)) {
    released += await db.transaction().execute((trx) => releaseSome(trx, now))
  }
  return released
}

/** A held or withdrawn story waits for the first tick after the end of the hold or withdrawal. */
const due = (now: Date) => sql`a.sendable_at is null and a.held_at is null and a.withdrawn_at is null
  and a.published_at <= ${now}::timestamptz and a.published_at > ${now}::timestamptz - ${eligibleDays} * interval '1 day'`

const unnumbered = sql`article_categories ac join articles a on a.id = ac.article_id
  where ac.seq is null and a.sendable_at is not null`

async function isAnythingDue(db: Db, now: Date): Promise<boolean> {
  const { rows } = await sql<{ is: boolean }>`
    select exists (select from articles a where ${due(now)}) or exists (select from ${unnumbered}) as is`.execute(db)
  return rows[0]!.is
}

async function releaseSome(trx: Trx, now: Date): Promise<number> {
  await lockSeq(trx)
  const { rows: stories } = await sql<{ id: number }>`
    update articles set sendable_at = ${now}, updated_at = ${now}
    where id in (select a.id from articles a where ${due(now)} order by a.published_at, a.id limit ${atOnce})
    returning id`.execute(trx)
  const { rows: pairs } = await sql<Sendable>`
    select ac.article_id as "articleId", ac.category_id as "categoryId" from article_categories ac
    join articles a on a.id = ac.article_id
    where a.id = any(${intArray(stories.map(({ id }) => id))}::int[])
      or (ac.article_id, ac.category_id) in (select ac.article_id, ac.category_id from ${unnumbered} limit ${atOnce})
    order by a.published_at, a.id, ac.category_id`.execute(trx)
  await releaseSeqs(trx, pairs, { isLocked: true })
  return stories.length
}

/** Stories that a run ahead of the clock released wait again. Subscribers who had one don't get it again. */
export async function takeBackReleases(db: Db, now: Date): Promise<void> {
  // Clocks differ a little.
  const soon = new Date(now.getTime() + 60_000)
  const early = await db.selectFrom('articles').select(['id', 'publishedAt']).where('sendableAt', '>', soon).execute()
  const ids = early.filter(({ publishedAt }) => isAhead(publishedAt, now)).map(({ id }) => id)
  if (ids.length === 0) return
  await db.transaction().execute(async (trx) => {
    await lockSeq(trx)
    const ahead = sql`${intArray(ids)}::int[]`
    await sql`update articles set sendable_at = null, updated_at = ${now}
      where id = any(${ahead}) and sendable_at > ${soon}`.execute(trx)
    await sql`update article_categories set seq = null
      where article_id in (select id from articles where id = any(${ahead}) and sendable_at is null)`.execute(trx)
  })
}

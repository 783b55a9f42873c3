// How often a story was opened from a digest, if CLICK_COUNTS is on: one number per story, and nothing about people.

import { sql } from 'kysely'
import type { Db } from '../db/connect.ts'

export async function countClick(db: Db, articleId: number): Promise<void> {
  await db
    .insertInto('storyClicks')
    .values({ articleId, clicks: 1 })
    .onConflict((conflict) => conflict.column('articleId').doUpdateSet({ clicks: sql`story_clicks.clicks + 1` }))
    .execute()
}

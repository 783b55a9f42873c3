// News for a story: articles that are sendable at once.

import { releaseSeq } from '../../src/articles/seq.ts'
import type { House } from './house.ts'

/** Categories by their ids, which begin at 1 in the order in which they were added. Returns the article's id. */
export async function addStory(house: House, title: string, categoryIds: readonly number[]): Promise<number> {
  const now = house.clock.now()
  return house.db.transaction().execute(async (trx) => {
    const { id } = await trx
      .insertInto('articles')
      .values({
        title,
        link: `https://site.example/${encodeURIComponent(title)}`,
        excerpt: '<b>not markup</b>',
        publishedAt: now,
        firstSeenAt: now,
        sendableAt: now,
        updatedAt: now,
      })
      .returning('id')
      .executeTakeFirstOrThrow()
    await releaseSeq(trx, id, categoryIds)
    return id
  })
}

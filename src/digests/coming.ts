// What one subscriber's next digest holds so far: the stories, without rendering a mail. Reads only.

import { dueAt } from '../calendar/cadence.ts'
import { scheduleOf } from '../calendar/schedules.ts'
import { newestSeq } from '../articles/seq.ts'
import type { Context } from '../db/context.ts'
import type { Subscriber } from '../db/schema.ts'
import { alsoLike, listReaders } from './compose.ts'
import { listEligible } from './eligible.ts'
import { selectStories } from './selection.ts'
import { indexStories } from './waiting.ts'

export interface ComingSection {
  category: string
  articleIds: number[]
  /** New too, but beyond what a digest shows. */
  waiting: number
}

/** In the subscriber's order, as of now: more may come until the slot. Empty: nothing new, or never due. */
export async function comingSections(ctx: Context, subscriber: Subscriber): Promise<ComingSection[]> {
  const reader = subscriber.nextDueAt && (await listReaders(ctx.db, [subscriber.id])).get(subscriber.id)
  if (!reader) return []
  const due = dueAt(scheduleOf(subscriber, ctx.config.digest), subscriber.nextDueAt!)
  // One more than there is: stories whose date has come count as released.
  const cutoffSeq = (await newestSeq(ctx.db)) + 1
  const categoryIds = reader.subscriptions.map(({ categoryId }) => categoryId)
  const eligible = await listEligible(ctx.db, { at: ctx.clock.now(), cutoffSeq, categoryIds, isNext: true })
  const edition = indexStories(
    cutoffSeq,
    eligible.map((category) => ({ ...category, others: [] })),
  )
  const { stories, minimum } = ctx.config.digest
  const selection = selectStories(edition, reader, due, { stories, minimum, alsoLike, onlyCategories: null })
  return (selection?.sections ?? []).map(({ categoryId, articleIds, waiting }) => ({
    category: edition.categories.get(categoryId)!.name,
    articleIds,
    waiting,
  }))
}

export const countStories = (sections: readonly ComingSection[]): number =>
  sections.reduce((sum, { articleIds }) => sum + articleIds.length, 0)

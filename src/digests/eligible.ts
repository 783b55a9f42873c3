// The stories that an edition may hold, and those few of them that need fragments. Everything eligible is counted; only what a
// mail could show is rendered: for any watermark, the first stories to show of those above it.
//
// A story that comes late, with an old date, ranks far back among all but first among the new ones: so a story is dispensable only
// when enough later ones rank before it.

import { sql } from 'kysely'
import { eligibleDays } from '../articles/embargo.ts'
import type { Db } from '../db/connect.ts'

export interface EligibleStory {
  articleId: number
  seq: number
  isPinned: boolean
}

export interface EligibleCategory {
  id: number
  name: string
  position: number
  /** In the order to show: pinned first, then newest. */
  stories: EligibleStory[]
}

/** By category, in the site's order. `categoryIds` null: all. `isNext`: with those whose date has come and that the next tick releases;
 * their seq is the cut-off, which then is above all others. */
export async function listEligible(
  db: Db,
  edition: { at: Date; cutoffSeq: number; categoryIds: readonly number[] | null; isNext?: boolean },
): Promise<EligibleCategory[]> {
  const only = edition.categoryIds ? `{${edition.categoryIds.join(',')}}` : null
  const since = sql`${edition.at}::timestamptz - ${eligibleDays} * interval '1 day'`
  const isSendable = sql`(a.sendable_at > ${since} and ac.seq <= ${edition.cutoffSeq})`
  const isDue = sql`(a.sendable_at is null and a.published_at <= ${edition.at} and a.published_at > ${since})`
  const { rows } = await sql<{ id: number; name: string; position: number; stories: [number, number, 0 | 1][] }>`
    select c.id, c.name, c.position,
      json_agg(json_build_array(a.id, coalesce(ac.seq, ${edition.cutoffSeq}), case when a.pinned_at is null then 0 else 1 end)
        order by a.pinned_at desc nulls last, a.published_at desc, ac.seq desc) as stories
    from articles a join article_categories ac on ac.article_id = a.id join categories c on c.id = ac.category_id
    where ${edition.isNext ? sql`(${isSendable} or ${isDue})` : isSendable}
      and a.held_at is null and a.withdrawn_at is null and c.retired_at is null
      and (${only}::int[] is null or c.id = any(${only}::int[]))
    group by c.id order by c.position, c.id`.execute(db)
  return rows.map(({ stories, ...category }) => ({
    ...category,
    stories: stories.map(([articleId, seq, pinned]) => ({ articleId, seq, isPinned: pinned === 1 })),
  }))
}

/** Those that need fragments, in the order given, at most four times `enough`: the first `enough` of all, and of those above any
 * watermark. Pure. */
export function chooseRendered<Story extends { seq: number }>(stories: readonly Story[], enough: number): Story[] {
  const ranked = stories.map((story, rank) => ({ story, rank }))
  const chosen = new Set<number>()
  /** Ranks of the first `enough` among the later ones, ascending. */
  const before: number[] = []
  for (const { rank } of ranked.toSorted((a, b) => b.story.seq - a.story.seq)) {
    if (before.length === enough && before.at(-1)! < rank) continue
    if (chosen.size === enough * 3) break
    chosen.add(rank)
    before.splice(placeIn(before, rank), 0, rank)
    if (before.length > enough) before.pop()
  }
  return ranked.filter(({ rank }) => rank < enough || chosen.has(rank)).map(({ story }) => story)
}

/** How many of an ascending list are at most `value`. */
export function placeIn(ascending: readonly number[], value: number): number {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (ascending[middle]! <= value) low = middle + 1
    else high = middle
  }
  return low
}

// How many stories wait for a reader: exact, whatever the number, and without a look at each. An edition keeps the article ids and
// seqs of everything eligible. What is above a reader's watermarks is counted once for all readers who have the same ones; then
// what this reader has seen or is shown is taken off again.

import { placeIn } from './eligible.ts'

export interface EditionStory {
  articleId: number
  seq: number
  isPinned: boolean
}

export interface EditionCategory {
  id: number
  position: number
  /** In the order to show: pinned first, then newest. Those with fragments, without the dropped ones. */
  stories: readonly EditionStory[]
  /** Of every eligible story, ascending. */
  seqs: readonly number[]
  /** Article ids, beside `seqs`. */
  ids: readonly number[]
}

export interface EditionStories {
  cutoffSeq: number
  categories: ReadonlyMap<number, EditionCategory>
  /** Where a story is: [category id, seq, category id, seq, …]. */
  places: ReadonlyMap<number, readonly number[]>
  /** Counts that readers with the same watermarks share. */
  counted: Map<string, readonly number[]>
}

/** A category as it is handed in: `others` are eligible, but can't be shown; [article id, seq] each. */
export interface ListedCategory {
  id: number
  position: number
  stories: readonly EditionStory[]
  others: readonly (readonly [articleId: number, seq: number])[]
}

export function indexStories<Listed extends ListedCategory>(cutoffSeq: number, listed: readonly Listed[]) {
  const places = new Map<number, number[]>()
  const categories = new Map<number, Listed & EditionCategory>()
  for (const category of listed) {
    const all = [...category.others, ...category.stories.map(({ articleId, seq }) => [articleId, seq] as const)]
    all.sort((a, b) => a[1] - b[1])
    categories.set(category.id, { ...category, seqs: all.map(([, seq]) => seq), ids: all.map(([id]) => id) })
    for (const [articleId, seq] of all) {
      const place = places.get(articleId)
      if (place) place.push(category.id, seq)
      else places.set(articleId, [category.id, seq])
    }
  }
  return { cutoffSeq, categories, places, counted: new Map<string, readonly number[]>() }
}

/** Stories above `mark` and not among `out`, but no more than `most`. */
export function countFresh(
  { seqs, ids }: EditionCategory,
  mark: number,
  out: { has(articleId: number): boolean },
  most: number,
): number {
  let count = 0
  for (let at = seqs.length - 1; at >= 0 && count < most && seqs[at]! > mark; at--) if (!out.has(ids[at]!)) count++
  return count
}

export interface MarkedCategory {
  category: EditionCategory
  /** The reader's watermark. */
  mark: number
}

/** Per category, the stories above its mark and not among `out`; one of several categories counts in the first. */
export function countWaiting(
  edition: EditionStories,
  marked: readonly MarkedCategory[],
  out: ReadonlySet<number>,
): number[] {
  const order = new Map(marked.map(({ category }, index) => [category.id, index]))
  const counts = [...countAbove(edition, marked, order)]
  for (const articleId of out) {
    const first = firstPlace(edition, marked, order, articleId)
    if (first !== undefined) counts[first]!--
  }
  return counts
}

const memoryLimit = 5000

function countAbove(
  edition: EditionStories,
  marked: readonly MarkedCategory[],
  order: ReadonlyMap<number, number>,
): readonly number[] {
  const starts = marked.map(({ category, mark }) => placeIn(category.seqs, mark))
  const key = marked.map(({ category }, index) => `${category.id}:${starts[index]}`).join()
  let counts = edition.counted.get(key)
  if (!counts) {
    counts = marked.map(({ category: { ids } }, index) => {
      let count = 0
      for (let at = starts[index]!; at < ids.length; at++)
        if (firstPlace(edition, marked, order, ids[at]!) === index) count++
      return count
    })
    if (edition.counted.size >= memoryLimit) edition.counted.clear()
    edition.counted.set(key, counts)
  }
  return counts
}

/** The first of the marked categories in which a story is above the mark. */
function firstPlace(
  { places }: EditionStories,
  marked: readonly MarkedCategory[],
  order: ReadonlyMap<number, number>,
  articleId: number,
): number | undefined {
  const place = places.get(articleId)
  if (!place) return undefined
  let first: number | undefined
  for (let at = 0; at < place.length; at += 2) {
    const index = order.get(place[at]!)
    if (index === undefined || (first !== undefined && index >= first)) continue
    if (place[at + 1]! > marked[index]!.mark) first = index
  }
  return first
}

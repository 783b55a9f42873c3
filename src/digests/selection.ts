// Which stories one subscriber gets of an edition: pure, and the one place where it is decided.
//
// The surprise: a category's watermark moves to the cut-off although only a few of its stories are shown; the others are counted
// ("12 more on the site") and so are not missed. That holds for who is new in a category too: everything eligible is new to them.
// A category with fewer stories than the minimum isn't shown and keeps its watermark, so that its stories wait for company.

import { frequencyBits, type Frequency } from '../db/schema.ts'
import { countFresh, countWaiting, type EditionCategory, type EditionStories } from './waiting.ts'

export interface ReaderState {
  subscriptions: readonly { categoryId: number; frequency: Frequency; position: number }[]
  /** {categoryId: seq}; none for a category: the subscriber is new there. */
  watermarks: Record<string, number>
  /** Article ids that were in a mail. */
  seen: readonly number[]
}

export interface SelectionRules {
  /** Stories shown per category. */
  stories: number
  /** New stories that a category needs to be shown. */
  minimum: number
  /** "You may also like": at most so many of those that didn't fit. */
  alsoLike: number
  /** Manual editions: only these categories; null: all. */
  onlyCategories: readonly number[] | null
}

export interface Section {
  categoryId: number
  /** None when all that can be shown was in mails before, and others wait. */
  articleIds: number[]
  /** New for this subscriber, but neither shown here nor elsewhere in this mail: "12 more on the site". */
  waiting: number
}

export interface Selection {
  /** In the subscriber's order. In each something is shown or waits, in one of them something is shown. */
  sections: Section[]
  alsoLike: number[]
  /** What the watermarks become when this mail is sent. */
  watermarks: Record<string, number>
}

/** null: nothing that can be shown is new for this subscriber; the watermarks stay. `stopped`: withdrawn or held since the edition
 * was made. */
export function selectStories(
  edition: EditionStories,
  reader: ReaderState,
  due: number,
  rules: SelectionRules,
  stopped: ReadonlySet<number> = nothing,
): Selection | null {
  /** What isn't to be shown or counted (any more). */
  const out = new Set<number>()
  for (const id of reader.seen) if (edition.places.has(id)) out.add(id)
  for (const id of stopped) out.add(id)
  const watermarks: Record<string, number> = {}
  const chosen: { category: EditionCategory; mark: number; articleIds: number[]; unshown: number[] }[] = []

  for (const category of dueCategories(edition, reader, due, rules)) {
    const mark = reader.watermarks[category.id] ?? 0
    const fresh = countFresh(category, mark, out, Math.max(rules.minimum, 1))
    if (fresh > 0 && fresh < rules.minimum) continue
    // Never back: one that was built for approval may be older than a manual edition that this reader has had since.
    watermarks[category.id] = Math.max(edition.cutoffSeq, mark)
    if (fresh === 0) continue
    const articleIds: number[] = []
    const unshown: number[] = []
    for (const { articleId, seq } of category.stories) {
      if (seq <= mark || out.has(articleId)) continue
      if (articleIds.length < rules.stories) articleIds.push(articleId)
      else unshown.push(articleId)
    }
    for (const id of articleIds) out.add(id)
    chosen.push({ category, mark, articleIds, unshown })
  }
  if (chosen.every(({ articleIds }) => articleIds.length === 0)) return null

  const alsoLike = pickAlsoLike(
    chosen.map(({ unshown }) => unshown),
    out,
    rules.alsoLike,
  )
  for (const id of alsoLike) out.add(id)
  const waiting = countWaiting(edition, chosen, out)
  const sections = chosen.map(({ category, articleIds }, index) => ({
    categoryId: category.id,
    articleIds,
    waiting: waiting[index]!,
  }))
  return {
    sections: sections.filter((section) => section.articleIds.length > 0 || section.waiting > 0),
    alsoLike,
    watermarks,
  }
}

const nothing: ReadonlySet<number> = new Set()

/** In the subscriber's own order, ties by the site's. */
function dueCategories(edition: EditionStories, reader: ReaderState, due: number, rules: SelectionRules) {
  const chosen: { category: EditionCategory; position: number }[] = []
  for (const { categoryId, frequency, position } of reader.subscriptions) {
    const category = edition.categories.get(categoryId)
    if (!category || !(frequencyBits[frequency] & due)) continue
    if (rules.onlyCategories && !rules.onlyCategories.includes(categoryId)) continue
    chosen.push({ category, position })
  }
  return chosen
    .sort(
      (a, b) => a.position - b.position || a.category.position - b.category.position || a.category.id - b.category.id,
    )
    .map(({ category }) => category)
}

/** One from each section in turn, so that the largest doesn't take all. */
function pickAlsoLike(offers: readonly (readonly number[])[], out: ReadonlySet<number>, most: number): number[] {
  const picked = new Set<number>()
  const longest = Math.max(...offers.map((offer) => offer.length))
  for (let turn = 0; turn < longest && picked.size < most; turn++)
    for (const offer of offers) {
      const id = offer[turn]
      if (id !== undefined && picked.size < most && !out.has(id)) picked.add(id)
    }
  return [...picked]
}

// Which stories one subscriber gets of an edition: pure, and the one place where it is decided.
//
// The surprise: a category's watermark moves to the cut-off although only a few of its stories are shown; the others are counted
// ("12 more on the site") and so are not missed. A category with fewer stories than the minimum isn't shown and keeps its
// watermark, so that its stories wait for company.

import { frequencyBits, type Frequency } from '../db/schema.ts'

export interface EditionStory {
  articleId: number
  seq: number
  isPinned: boolean
}

export interface EditionCategory {
  id: number
  position: number
  /** In the order to show: pinned first, then newest; without the dropped ones. All eligible stories, although only the first
   * `rendered` have fragments. */
  stories: readonly EditionStory[]
}

export interface EditionStories {
  cutoffSeq: number
  categories: ReadonlyMap<number, EditionCategory>
}

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
  /** Per category: so many of the first stories have fragments. */
  rendered: number
}

export interface Section {
  categoryId: number
  articleIds: number[]
  /** New for this subscriber, but neither shown here nor elsewhere in this mail: "12 more on the site". */
  waiting: number
}

export interface Selection {
  /** In the subscriber's order; none is empty. */
  sections: Section[]
  alsoLike: number[]
  /** What the watermarks become when this mail is sent. */
  watermarks: Record<string, number>
}

/** null: nothing new for this subscriber. */
export function selectStories(
  edition: EditionStories,
  reader: ReaderState,
  due: number,
  rules: SelectionRules,
): Selection | null {
  const seen = new Set(reader.seen)
  const shown = new Set<number>()
  const watermarks: Record<string, number> = {}
  const sections: Section[] = []
  const unshown: EditionStory[][] = []

  for (const category of dueCategories(edition, reader, due, rules)) {
    const watermark = reader.watermarks[category.id]
    const fresh = category.stories.filter(
      (story) => story.seq > (watermark ?? 0) && !seen.has(story.articleId) && !shown.has(story.articleId),
    )
    if (fresh.length > 0 && fresh.length < rules.minimum) continue
    const fits = new Set(withFragments(category, fresh, rules).slice(0, rules.stories))
    // Nothing of it can be shown, so nothing would say that it waits: the watermark stays.
    if (fresh.length > 0 && fits.size === 0) continue
    watermarks[category.id] = edition.cutoffSeq
    if (fits.size === 0) continue
    for (const story of fits) shown.add(story.articleId)
    sections.push({ categoryId: category.id, articleIds: [...fits].map((story) => story.articleId), waiting: 0 })
    // Who is new in a category starts with the latest few; what was there before isn't "more", it is the past.
    unshown.push(watermark === undefined ? [] : fresh.filter((story) => !fits.has(story)))
  }
  if (sections.length === 0) return null

  const alsoLike = pickAlsoLike(edition, sections, unshown, shown, rules)
  const counted = new Set([...shown, ...alsoLike])
  sections.forEach((section, index) => {
    for (const story of unshown[index]!) {
      if (counted.has(story.articleId)) continue
      counted.add(story.articleId)
      section.waiting++
    }
  })
  return { sections, alsoLike, watermarks }
}

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

const rendered = new WeakMap<EditionCategory, ReadonlySet<EditionStory>>()

function withFragments(category: EditionCategory, stories: readonly EditionStory[], rules: SelectionRules) {
  if (category.stories.length <= rules.rendered) return stories
  let first = rendered.get(category)
  if (!first) rendered.set(category, (first = new Set(category.stories.slice(0, rules.rendered))))
  return stories.filter((story) => first.has(story))
}

/** One from each section in turn, so that the largest doesn't take all. */
function pickAlsoLike(
  edition: EditionStories,
  sections: readonly Section[],
  unshown: readonly (readonly EditionStory[])[],
  shown: ReadonlySet<number>,
  rules: SelectionRules,
): number[] {
  if (rules.alsoLike === 0) return []
  const picked = new Set<number>()
  const offers = sections.map(({ categoryId }, index) =>
    withFragments(edition.categories.get(categoryId)!, unshown[index]!, rules),
  )
  const longest = Math.max(...offers.map((offer) => offer.length))
  for (let turn = 0; turn < longest && picked.size < rules.alsoLike; turn++) {
    for (const offer of offers) {
      const story = offer[turn]
      if (story && picked.size < rules.alsoLike && !shown.has(story.articleId)) picked.add(story.articleId)
    }
  }
  return [...picked]
}

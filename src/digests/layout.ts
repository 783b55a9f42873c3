// What stands in one subscriber's digest, in which form, and how large its HTML part will be: counted, not written.
//
// The HTML part stays within 100,000 decoded bytes, as Gmail clips a little above and the footer must not be lost: excerpts
// shrink first (the last stories of each category before the first), then the extras go, then stories, counted in "12 more".
// A category that loses its last story keeps its watermark, so those stories come next time.

import type { Frame, FrameCategory, FrameStory } from './frame.ts'
import type { Selection } from './selection.ts'
import type { StoryForm } from './snapshot.ts'

export const htmlLimit = 100_000

/** From so many stories in several categories on, a mail starts with a table of contents. */
const contentsFrom = 12
export const contentsPerCategory = 2

/** `waiting` null: stories wait, but nobody can say how many (a mail that goes out again). */
export type SpliceSelection = Omit<Selection, 'sections'> & {
  sections: readonly { categoryId: number; articleIds: readonly number[]; waiting: number | null }[]
}

interface Item {
  id: number
  story: FrameStory
  form: StoryForm
}

interface LaidSection {
  category: FrameCategory
  items: Item[]
  waiting: number | null
}

export interface Layout {
  /** Of the HTML part. */
  size: number
  sections: LaidSection[]
  hasContents: boolean
  alsoLike: number[]
  emptied: number[]
}

/** Without what opens and closes the mail: the caller adds that. */
export function layOut(frame: Frame, selection: SpliceSelection): Layout {
  const sections: LaidSection[] = []
  let size = 0
  let count = 0
  for (const { categoryId, articleIds, waiting } of selection.sections) {
    const category = frame.edition.categories.get(categoryId)!
    const items: Item[] = []
    for (const id of articleIds) {
      const story = frame.stories.get(id)!
      const form = count++ === 0 ? 'lead' : 'story'
      items.push({ id, story, form })
      size += story.html[form].size
    }
    sections.push({ category, items, waiting })
    size += category.html.category.size + (waiting === 0 ? 0 : moreSize(category))
  }
  const layout: Layout = { size, sections, hasContents: false, alsoLike: selection.alsoLike, emptied: [] }
  layout.hasContents = count >= contentsFrom && sections.length > 1
  layout.size += contentsSize(frame, layout) + alsoSize(frame, layout)
  return layout
}

/** Shrinks it to the limit where it must, and makes its size exact. */
export function fit(frame: Frame, layout: Layout): void {
  if (layout.size > htmlLimit) shrink(frame, layout)
  for (const { waiting } of layout.sections) if (waiting !== 0) layout.size -= moreRoom - moreWords(waiting).length
}

/** Best last: a story's place within its category counts more than the category's place in the mail. */
function shrink(frame: Frame, layout: Layout): void {
  const all = layout.sections
    .flatMap((section, order) => section.items.map((item, place) => ({ section, item, place, order })))
    .sort((a, b) => b.place - a.place || b.order - a.order)
  for (const { item } of all) {
    if (layout.size <= htmlLimit) return
    const less = item.story.html.short.size
    if (less >= item.story.html[item.form].size) continue
    layout.size += less - item.story.html[item.form].size
    item.form = 'short'
  }
  if (layout.size > htmlLimit && layout.hasContents) {
    layout.size -= contentsSize(frame, layout)
    layout.hasContents = false
  }
  if (layout.size > htmlLimit && layout.alsoLike.length > 0) {
    layout.size -= alsoSize(frame, layout)
    for (const id of layout.alsoLike) {
      const section = layout.sections.find(({ category }) => category.stories.some(({ articleId }) => articleId === id))
      if (section) addWaiting(layout, section)
    }
    layout.alsoLike = []
  }
  for (const { section, item } of all.slice(0, -1)) {
    if (layout.size <= htmlLimit) break
    section.items.splice(section.items.indexOf(item), 1)
    layout.size -= item.story.html[item.form].size
    addWaiting(layout, section)
    if (section.items.length > 0) continue
    layout.size -= section.category.html.category.size + moreSize(section.category)
    layout.emptied.push(section.category.id)
  }
  layout.sections = layout.sections.filter(({ category }) => !layout.emptied.includes(category.id))
}

function addWaiting(layout: Layout, section: LaidSection): void {
  if (section.waiting === 0) layout.size += moreSize(section.category)
  if (section.waiting !== null) section.waiting++
}

function contentsSize(frame: Frame, layout: Layout): number {
  if (!layout.hasContents) return 0
  let size = frame.html.contents.size
  for (const { category, items } of layout.sections) {
    size += category.html['contents-category'].size
    for (const { story } of items.slice(0, contentsPerCategory)) size += story.html['contents-row'].size
  }
  return size
}

function alsoSize(frame: Frame, { alsoLike }: Layout): number {
  if (alsoLike.length === 0) return 0
  let size = frame.html.also.size
  for (const id of alsoLike) size += frame.stories.get(id)!.html['also-row'].size
  return size
}

/** Room for "999999 more": while stories go, the number grows. */
const moreRoom = 11

function moreSize(category: FrameCategory): number {
  return category.html.more.size + moreRoom
}

export function moreWords(waiting: number | null): string {
  return waiting === null ? 'More' : `${waiting} more`
}

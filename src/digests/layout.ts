// What stands in one subscriber's digest, in which form, and how large its HTML part will be: counted, not written.
//
// A newspaper's order: the lead with its picture, two stories of each category with thumbnails, then headlines.
//
// The HTML part stays within 100,000 decoded bytes, as Gmail clips a little above and the footer must not be lost. What gives way
// first: the second stories of a category become headlines; headlines beyond three per category move to "12 more"; "You may also
// like" and the contents go; then the pictures; then stories, the best last. A category that loses its last story keeps its
// watermark, so those stories come next time.

import type { Frame, FrameCategory, FrameStory, Said } from './frame.ts'
import type { Selection } from './selection.ts'
import type { StoryForm } from './render.ts'

export const htmlLimit = 100_000

/** Of each category, besides the lead. */
const wholePerCategory = 2
/** What a category keeps at least, besides its first story, as long as there are pictures to give up. */
const headlinesKept = 3

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
  /** Of the personal link in each category's "Less Politics". */
  lessLink: number
  sections: LaidSection[]
  hasContents: boolean
  alsoLike: number[]
  emptied: number[]
}

/** Without what opens and closes the mail: the caller adds that. */
export function layOut(frame: Frame, selection: SpliceSelection, lessLink: number): Layout {
  const sections: LaidSection[] = []
  let size = 0
  let count = 0
  for (const { categoryId, articleIds, waiting } of selection.sections) {
    const category = frame.edition.categories.get(categoryId)!
    const items: Item[] = []
    let whole = 0
    for (const id of articleIds) {
      const story = frame.stories.get(id)!
      const form = count++ === 0 ? 'lead' : whole++ < wholePerCategory ? 'story' : 'headline'
      items.push({ id, story, form })
      size += story.html[form].size
    }
    sections.push({ category, items, waiting })
    size += shellSize(category, lessLink) + (waiting === 0 ? 0 : moreSize(frame, category))
  }
  const layout: Layout = { size, lessLink, sections, hasContents: false, alsoLike: selection.alsoLike, emptied: [] }
  layout.hasContents = sections.filter(({ items }) => items.length > 0).length > 1
  layout.size += contentsSize(frame, layout) + alsoSize(frame, layout)
  return layout
}

/** Shrinks it to the limit where it must, and makes its size exact. */
export function fit(frame: Frame, layout: Layout): void {
  if (layout.size > htmlLimit) shrink(frame, layout)
  for (const { category, waiting } of layout.sections)
    if (waiting !== 0) layout.size -= moreRoom(frame, category) - moreWords(frame, category, waiting).html.size
  if (!layout.hasContents) return
  layout.size -= contentsRoom(frame) - contentsWords(frame, storyCount(layout)).html.size
  for (const { items } of contentsOf(layout))
    layout.size -= countRoom(frame) - countWords(frame, items.length).html.size
}

function shrink(frame: Frame, layout: Layout): void {
  /** The least first: a story's place within its category counts more than the category's place in the mail. */
  const all = layout.sections
    .flatMap((section, order) => section.items.map((item, place) => ({ section, item, place, order })))
    .sort((a, b) => b.place - a.place || b.order - a.order)
  const isTooLarge = () => layout.size > htmlLimit
  const change = (item: Item, form: StoryForm) => {
    const more = item.story.html[form].size - item.story.html[item.form].size
    if (!isTooLarge() || more >= 0) return
    layout.size += more
    item.form = form
  }
  const drop = ({ section, item }: { section: LaidSection; item: Item }) => {
    section.items.splice(section.items.indexOf(item), 1)
    layout.size -= item.story.html[item.form].size
    addWaiting(frame, layout, section)
    if (section.items.length > 0) return
    layout.size -= shellSize(section.category, layout.lessLink) + moreSize(frame, section.category)
    layout.emptied.push(section.category.id)
  }
  for (const { item, place } of all) if (place > 0) change(item, 'headline')
  for (const one of all) if (isTooLarge() && one.place > headlinesKept) drop(one)
  if (isTooLarge()) dropAlsoLike(frame, layout)
  if (isTooLarge()) {
    layout.size -= contentsSize(frame, layout)
    layout.hasContents = false
  }
  for (const { item } of all) change(item, item.form === 'headline' ? 'headline' : 'short')
  for (const { item } of all) change(item, 'headline')
  for (const one of all.slice(0, -1)) if (isTooLarge() && one.section.items.includes(one.item)) drop(one)
  layout.sections = layout.sections.filter(({ category }) => !layout.emptied.includes(category.id))
}

function dropAlsoLike(frame: Frame, layout: Layout): void {
  layout.size -= alsoSize(frame, layout)
  for (const id of layout.alsoLike) {
    const section = layout.sections.find(({ category }) => category.stories.some(({ articleId }) => articleId === id))
    if (section) addWaiting(frame, layout, section)
  }
  layout.alsoLike = []
}

function addWaiting(frame: Frame, layout: Layout, section: LaidSection): void {
  if (section.waiting === 0) layout.size += moreSize(frame, section.category)
  if (section.waiting !== null) section.waiting++
}

/** The categories that the contents list: those with a story. */
export function contentsOf({ sections }: Layout): LaidSection[] {
  return sections.filter(({ items }) => items.length > 0)
}

/** The story that the contents name of a category; the lead stands above them already. */
export function contentsStory({ items }: LaidSection): FrameStory | undefined {
  return items[items[0]!.form === 'lead' ? 1 : 0]?.story
}

function contentsSize(frame: Frame, layout: Layout): number {
  if (!layout.hasContents) return 0
  let size = frame.html.contents.size + frame.html['contents-end'].size + contentsRoom(frame)
  for (const section of contentsOf(layout)) {
    const row = contentsStory(section)?.html['contents-row'].size ?? 0
    size += section.category.html['contents-category'].size + countRoom(frame) + row
  }
  return size
}

function alsoSize(frame: Frame, { alsoLike }: Layout): number {
  if (alsoLike.length === 0) return 0
  let size = frame.html.also.size
  for (const id of alsoLike) size += frame.stories.get(id)!.html.headline.size
  return size
}

/** While stories go, the numbers change: room for the longest sentence. One count of each plural that any language has. */
const counts = [0, 1, 2, 3, 11, 100, 999_999]
const rooms = new WeakMap<Frame, Map<string, number>>()

function roomFor(frame: Frame, key: string, words: (count: number) => Said, ...others: Said[]): number {
  let known = rooms.get(frame)
  if (!known) rooms.set(frame, (known = new Map()))
  let room = known.get(key)
  if (room === undefined) {
    const said = [...counts.map(words), ...others]
    // The digits of a larger number, where the longest sentence has a small one.
    known.set(key, (room = Math.max(...said.map(({ html }) => html.size)) + '999,999'.length))
  }
  return room
}

const moreRoom = (frame: Frame, category: FrameCategory) =>
  roomFor(frame, `more ${category.id}`, (count) => moreWords(frame, category, count), moreWords(frame, category, null))
const contentsRoom = (frame: Frame) => roomFor(frame, 'contents', (count) => contentsWords(frame, count))
const countRoom = (frame: Frame) => roomFor(frame, 'count', (count) => countWords(frame, count))

/** A category without its stories. */
function shellSize({ html }: FrameCategory, lessLink: number): number {
  return html.category.size + html.less.size + lessLink
}

function moreSize(frame: Frame, category: FrameCategory): number {
  return category.html.more.size + moreRoom(frame, category)
}

/** "12 more in Politics"; null: "More in Politics". */
export function moreWords(frame: Frame, { id, name }: FrameCategory, waiting: number | null): Said {
  return frame.said(`more ${id} ${waiting}`, () =>
    waiting === null
      ? frame.say('digest.moreUncounted', { category: name })
      : frame.say('digest.more', { category: name, count: waiting }),
  )
}

/** "In this edition: 9 stories" */
export function contentsWords(frame: Frame, count: number): Said {
  return frame.said(`contents ${count}`, () => frame.say('digest.inThisEdition', { count }))
}

/** "9 stories" */
export function countWords(frame: Frame, count: number): Said {
  return frame.said(`count ${count}`, () => frame.say('digest.stories', { count }))
}

/** "Politics: 9 stories" */
export function categoryWords(frame: Frame, { id, name }: FrameCategory, count: number): Said {
  return frame.said(`count ${id} ${count}`, () => frame.say('digest.categoryStories', { category: name, count }))
}

/** Shown in this mail, "You may also like" aside. */
export function storyCount({ sections }: Layout): number {
  return sections.reduce((sum, { items }) => sum + items.length, 0)
}

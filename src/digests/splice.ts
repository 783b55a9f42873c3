// One subscriber's digest out of an edition's encoded fragments: the hot path, some tens of microseconds, no I/O. Only the personal
// values are encoded here.
//
// The HTML part stays within 100,000 decoded bytes, as Gmail clips a little above and the footer must not be lost: excerpts
// shrink first (the last stories of each category before the first), then the extras go, then stories, counted in "12 more".
// A category that loses its last story keeps its watermark, so those stories come next time.

import { frequencyBits } from '../db/schema.ts'
import type { DigestRecord, Mail } from '../delivery/composer.ts'
import { formatDate } from '../mails/dates.ts'
import { afterHtml, alternativeType, beforeHtml, beforeText } from '../mails/mime.ts'
import { encodeFragment } from '../mails/quoted-printable.ts'
import { preferencesUrl, unsubscribeUrl } from '../subscribers/links.ts'
import { escapeHtml, putPiece, sizeOfPiece, type Slots } from './fragments.ts'
import type { Frame, FrameCategory, FrameStory } from './frame.ts'
import type { ReaderState, Selection } from './selection.ts'
import type { StoryForm } from './snapshot.ts'

export const htmlLimit = 100_000

/** From so many stories in several categories on, a mail starts with a table of contents. */
const contentsFrom = 12
const contentsPerCategory = 2
/** The stories that subject and preheader are made of. */
const headlineStories = 4

export interface DigestReader {
  subscriberId: number
  recipient: string
  timezone: string | null
  subscriptions: ReaderState['subscriptions']
}

/** `waiting` null: stories wait, but nobody can say how many (a mail that goes out again). */
export type SpliceSelection = Omit<Selection, 'sections'> & {
  sections: readonly { categoryId: number; articleIds: readonly number[]; waiting: number | null }[]
}

export interface Spliced {
  mail: Mail
  record: DigestRecord
}

/** Every article of the selection must have fragments in the frame. */
export function spliceDigest(
  frame: Frame,
  selection: SpliceSelection,
  reader: DigestReader,
  due: number,
  now: Date,
): Spliced {
  const { config } = frame
  const unsubscribe = unsubscribeUrl(config, reader.subscriberId)
  const preferences = preferencesUrl(config, reader.subscriberId, now)
  const dateline = formatDate(frame.at, 'day', reader.timezone ?? config.digest.timezone, config.site.locale)
  const choices = choiceWords(frame, reader, due)
  const inOrder = selection.sections.flatMap((section) => section.articleIds)
  const { subject, preheader } = frame.headline(inOrder.slice(0, headlineStories))
  const links = { preferencesUrl: encodeFragment(preferences), unsubscribeUrl: encodeFragment(unsubscribe) }
  const htmlSlots: Slots = {
    preheader: encodeFragment(escapeHtml(preheader)),
    dateline: frame.encoded(escapeHtml(dateline)),
    choices: encodeFragment(escapeHtml(choices)),
    recipient: encodeFragment(escapeHtml(reader.recipient)),
    ...links,
  }
  const textSlots: Slots = {
    dateline: frame.encoded(dateline),
    choices: encodeFragment(choices),
    recipient: encodeFragment(reader.recipient),
    ...links,
  }

  const layout = layOut(frame, selection)
  layout.size += sizeOfPiece(frame.html.open, htmlSlots) + sizeOfPiece(frame.html.close, htmlSlots)
  if (layout.size > htmlLimit) shrink(frame, layout)
  for (const { waiting } of layout.sections) if (waiting !== 0) layout.size -= moreRoom - moreWords(waiting).length

  const body: Buffer[] = [beforeText]
  writeText(body, frame, layout, textSlots)
  body.push(beforeHtml)
  writeHtml(body, frame, layout, htmlSlots)
  body.push(afterHtml)

  const watermarks = { ...selection.watermarks }
  for (const categoryId of layout.emptied) delete watermarks[categoryId]
  return {
    mail: {
      from: config.mail.from,
      replyTo: config.mail.replyTo,
      subject,
      headers: [
        ['List-Unsubscribe', `<${unsubscribe}>`],
        ['List-Unsubscribe-Post', 'List-Unsubscribe=One-Click'],
        ...frame.headers,
      ],
      contentType: alternativeType,
      body,
      htmlBytes: layout.size,
    },
    record: {
      articleIds: [...layout.sections.flatMap(({ items }) => items.map(({ id }) => id)), ...layout.alsoLike],
      watermarks,
    },
  }
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

interface Layout {
  /** Of the HTML part. */
  size: number
  sections: LaidSection[]
  hasContents: boolean
  alsoLike: number[]
  emptied: number[]
}

function layOut(frame: Frame, selection: SpliceSelection): Layout {
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

function moreWords(waiting: number | null): string {
  return waiting === null ? 'More' : `${waiting} more`
}

function moreSlot(frame: Frame, waiting: number | null): Slots {
  return { more: frame.encoded(moreWords(waiting)) }
}

function writeHtml(body: Buffer[], frame: Frame, layout: Layout, slots: Slots): void {
  putPiece(body, frame.html.open, slots)
  if (layout.hasContents) {
    putPiece(body, frame.html.contents)
    for (const { category, items } of layout.sections) {
      putPiece(body, category.html['contents-category'])
      for (const { story } of items.slice(0, contentsPerCategory)) body.push(story.html['contents-row'].bytes)
    }
  }
  for (const { category, items, waiting } of layout.sections) {
    putPiece(body, category.html.category)
    for (const { story, form } of items) body.push(story.html[form].bytes)
    if (waiting !== 0) putPiece(body, category.html.more, moreSlot(frame, waiting))
  }
  if (layout.alsoLike.length > 0) {
    putPiece(body, frame.html.also)
    for (const id of layout.alsoLike) body.push(frame.stories.get(id)!.html['also-row'].bytes)
  }
  putPiece(body, frame.html.close, slots)
}

function writeText(body: Buffer[], frame: Frame, layout: Layout, slots: Slots): void {
  putPiece(body, frame.text.open, slots)
  for (const { category, items, waiting } of layout.sections) {
    putPiece(body, category.text.category)
    for (const { story } of items) body.push(story.text.story.bytes)
    if (waiting !== 0) putPiece(body, category.text.more, moreSlot(frame, waiting))
  }
  if (layout.alsoLike.length > 0) {
    putPiece(body, frame.text.also)
    for (const id of layout.alsoLike) body.push(frame.stories.get(id)!.text['also-row'].bytes)
  }
  putPiece(body, frame.text.close, slots)
}

const choicesNamed = 8

/** "Politics (daily), Arts (weekly)": what was due in this mail. */
function choiceWords(frame: Frame, reader: DigestReader, due: number): string {
  const words: string[] = []
  let unnamed = 0
  for (const { categoryId, frequency } of reader.subscriptions) {
    const category = frame.edition.categories.get(categoryId)
    if (!category || !(frequencyBits[frequency] & due)) continue
    if (words.length < choicesNamed) words.push(`${category.name} (${frequency})`)
    else unnamed++
  }
  return words.join(', ') + (unnamed > 0 ? ` and ${unnamed} more` : '')
}

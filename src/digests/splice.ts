// One subscriber's digest out of an edition's encoded fragments: the hot path, some tens of microseconds, no I/O. Only the personal
// values are encoded here.

import { addressOf } from '../base/addresses.ts'
import { escapeHtml } from '../base/escape-html.ts'
import { frequencyBits } from '../db/schema.ts'
import type { DigestRecord, Mail } from '../delivery/composer.ts'
import { afterHtml, alternativeType, beforeHtml, beforeText } from '../mails/mime.ts'
import { unsubscribeHeaders } from '../mails/list-headers.ts'
import { capitalised } from '../mails/text.ts'
import { encodeFragment } from '../mails/quoted-printable.ts'
import { lessUrl, preferencesUrl, unsubscribeUrl, viewDigestUrl, type LinkHolder } from '../subscribers/links.ts'
import { putPiece, sizeOfPiece, type Slots } from './fragments.ts'
import type { Frame, Said } from './frame.ts'
import {
  categoryWords,
  contentsOf,
  contentsStory,
  contentsWords,
  countWords,
  fit,
  type Layout,
  layOut,
  moreWords,
  type SpliceSelection,
  storyCount,
} from './layout.ts'
import type { ReaderState } from './selection.ts'

/** The stories that subject and preheader are made of. */
const headlineStories = 4

export interface DigestReader {
  holder: LinkHolder
  recipient: string
  timezone: string | null
  subscriptions: ReaderState['subscriptions']
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
  const zone = reader.timezone ?? config.digest.timezone
  const { say } = frame
  const dateline = frame.said(`day ${zone}`, () => capitalised(say.date(frame.at, 'day', zone), say.locale))
  const choices = choiceWords(frame, reader, due)
  const links = {
    preferencesUrl: encodeFragment(preferencesUrl(config, reader.holder, now)),
    unsubscribeUrl: encodeFragment(unsubscribeUrl(config, reader.holder.id, frame.editionId)),
    lessUrl: encodeFragment(lessUrl(config, reader.holder)),
    viewUrl: encodeFragment(viewUrl(frame, reader.holder)),
  }
  const htmlSlots: Slots = {
    // Room for it: what it says may depend on how much is in the mail.
    preheader: { bytes: Buffer.alloc(0), size: preheaderRoom },
    dateline: dateline.html,
    choices: choices.html,
    recipient: encodeFragment(escapeHtml(reader.recipient)),
    ...links,
  }
  const textSlots: Slots = {
    dateline: dateline.text,
    choices: choices.text,
    recipient: encodeFragment(reader.recipient),
    ...links,
  }

  const layout = layOut(frame, selection, links.lessUrl.size)
  layout.size += sizeOfPiece(frame.html.open, htmlSlots) + sizeOfPiece(frame.html.close, htmlSlots)
  fit(frame, layout)
  const { subject, preheader } = frame.headline(firstStories(layout), () => ({
    stories: storyCount(layout),
    categories: contentsOf(layout).map(({ category }) => category.name),
    weekday: say.date(frame.at, 'weekday', zone),
  }))
  htmlSlots.preheader = encodeFragment(escapeHtml(preheader))
  layout.size += htmlSlots.preheader.size - preheaderRoom

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
      headers: [...unsubscribeHeaders(config, reader.holder.id, frame.editionId), ...frame.headers],
      contentType: alternativeType,
      isDotFree: true,
      body,
      htmlBytes: layout.size,
    },
    record: {
      articleIds: [...layout.sections.flatMap(({ items }) => items.map(({ id }) => id)), ...layout.alsoLike],
      watermarks,
    },
  }
}

/** 150 characters of which each is escaped. */
const preheaderRoom = 900

function firstStories(layout: Layout): number[] {
  const ids: number[] = []
  for (const { items } of layout.sections) for (const { id } of items) if (ids.push(id) === headlineStories) return ids
  return ids
}

/** A preview, and an edition for one subscriber, have no page of their own. */
function viewUrl({ config, editionId }: Frame, holder: LinkHolder): string {
  return editionId === null ? addressOf(config, '/archive') : viewDigestUrl(config, holder, editionId)
}

function writeHtml(body: Buffer[], frame: Frame, layout: Layout, slots: Slots): void {
  putPiece(body, frame.html.open, slots)
  let isLead = true
  for (const { category, items, waiting } of layout.sections) {
    putPiece(body, category.html.category)
    for (const { story, form } of items) {
      body.push(story.html[form].bytes)
      if (isLead && layout.hasContents) writeContents(body, frame, layout)
      isLead = false
    }
    if (waiting !== 0) putPiece(body, category.html.more, { more: moreWords(frame, category, waiting).html })
    putPiece(body, category.html.less, slots)
  }
  if (layout.alsoLike.length > 0) {
    putPiece(body, frame.html.also)
    for (const id of layout.alsoLike) body.push(frame.stories.get(id)!.html.headline.bytes)
  }
  putPiece(body, frame.html.close, slots)
}

function writeContents(body: Buffer[], frame: Frame, layout: Layout): void {
  putPiece(body, frame.html.contents, { contents: contentsWords(frame, storyCount(layout)).html })
  for (const section of contentsOf(layout)) {
    putPiece(body, section.category.html['contents-category'], { count: countWords(frame, section.items.length).html })
    const named = contentsStory(section)
    if (named) body.push(named.html['contents-row'].bytes)
  }
  putPiece(body, frame.html['contents-end'])
}

function writeText(body: Buffer[], frame: Frame, layout: Layout, slots: Slots): void {
  putPiece(body, frame.text.open, slots)
  let isLead = true
  for (const { category, items, waiting } of layout.sections) {
    putPiece(body, category.text.category)
    for (const { story, form } of items) {
      body.push(story.text[form === 'headline' || form === 'lead' ? form : 'story'].bytes)
      if (isLead && layout.hasContents) writeTextContents(body, frame, layout)
      isLead = false
    }
    if (waiting !== 0) putPiece(body, category.text.more, { more: moreWords(frame, category, waiting).text })
    putPiece(body, category.text.less, slots)
  }
  if (layout.alsoLike.length > 0) {
    putPiece(body, frame.text.also)
    for (const id of layout.alsoLike) body.push(frame.stories.get(id)!.text.headline.bytes)
  }
  putPiece(body, frame.text.close, slots)
}

function writeTextContents(body: Buffer[], frame: Frame, layout: Layout): void {
  putPiece(body, frame.text.contents, { contents: contentsWords(frame, storyCount(layout)).text })
  for (const { category, items } of contentsOf(layout))
    putPiece(body, category.text['contents-category'], { count: categoryWords(frame, category, items.length).text })
}

const choicesNamed = 8

/** "Politics (daily) and Arts (weekly)": what was due in this mail. */
function choiceWords(frame: Frame, reader: DigestReader, due: number): Said {
  const chosen = reader.subscriptions.filter(
    ({ categoryId, frequency }) => frame.edition.categories.has(categoryId) && frequencyBits[frequency] & due,
  )
  const key = chosen.map(({ categoryId, frequency }) => `${categoryId} ${frequency}`).join()
  return frame.said(`choices ${key}`, () => {
    const { say } = frame
    const words = chosen.slice(0, choicesNamed).map(({ categoryId, frequency }) => {
      const category = frame.edition.categories.get(categoryId)!.name
      return say('digest.choice', { category, frequency: say(`mails.${frequency}`) })
    })
    if (chosen.length > words.length) words.push(say('digest.others', { count: chosen.length - words.length }))
    return say.list(words)
  })
}

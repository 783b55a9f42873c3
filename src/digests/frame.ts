// A snapshot as a worker keeps it: fragments as Buffers, decoded once, with lookups by id. Nothing here is written after it is made,
// but for two small memories of texts that many mails share.

import type { Config } from '../base/config.ts'
import type { MailTemplate } from '../mails/templates.ts'
import { siteValues } from '../mails/templates.ts'
import { encodeFragment, type Fragment } from '../mails/quoted-printable.ts'
import { automaticHeaders, feedbackId, fixedListHeaders } from '../mails/list-headers.ts'
import { openFragments, openPieces, type Piece } from './fragments.ts'
import { fillWords, hasCounts, type MailFacts, type SenderWords, summarySubject } from './sender-words.ts'
import type { Snapshot, StoryForm } from './snapshot.ts'
import { type EditionCategory, type EditionStories, indexStories } from './waiting.ts'

export interface FrameCategory extends EditionCategory {
  name: string
  html: Record<'contents-category' | 'category' | 'more' | 'less', Piece>
  text: Record<'contents-category' | 'category' | 'more' | 'less', Piece>
}

export interface FrameStory {
  title: string
  excerpt: string
  html: Record<StoryForm, Fragment>
  text: Record<'lead' | 'story' | 'headline', Fragment>
}

export interface Frame {
  config: Config
  /** null: a preview of one that isn't stored. */
  editionId: number | null
  /** The day in the masthead, told in each reader's zone. */
  at: Date
  edition: Omit<EditionStories, 'categories'> & { categories: ReadonlyMap<number, FrameCategory> }
  /** The least and the highest id of its articles; null: it has none. */
  articleIds: [least: number, most: number] | null
  stories: ReadonlyMap<number, FrameStory>
  html: Record<'open' | 'contents' | 'contents-end' | 'also' | 'close', Piece>
  text: Record<'open' | 'contents' | 'also' | 'close', Piece>
  /** List-Id and the like; the personal ones come in front. */
  headers: readonly (readonly [string, string])[]
  /** Encoded HTML (escaped by the caller) of short texts that recur: dates, "12 more". */
  encoded(text: string): Fragment
  /** Subject and preheader out of the mail's first stories and what its blanks stand for. */
  headline(articleIds: readonly number[], facts: () => Omit<MailFacts, 'lead'>): SenderWords
}

const memoryLimit = 5000

export function openFrame(
  config: Config,
  template: MailTemplate,
  snapshot: Snapshot,
  edition: { id: number | null; kind: string; cutoffSeq: number; at: Date },
): Frame {
  const stories = new Map(
    Object.entries(snapshot.stories).map(([id, { title, excerpt, html, text }]) => [
      Number(id),
      { title, excerpt, html: openFragments(html), text: openFragments(text) },
    ]),
  )
  const fragments = new Map<string, Fragment>()
  const headlines = new Map<string, SenderWords>()
  const words = siteWords(config, snapshot.words)
  const isCounted = hasCounts(words.subject + words.preheader)
  const site = siteValues(config, edition.id)
  const index = indexStories(
    edition.cutoffSeq,
    snapshot.categories.map(({ html, text, ...category }) => ({
      ...category,
      html: openPieces(html),
      text: openPieces(text),
    })),
  )
  return {
    config,
    editionId: edition.id,
    at: edition.at,
    edition: index,
    articleIds: rangeOf(index.places.keys()),
    stories,
    html: openPieces(snapshot.html),
    text: openPieces(snapshot.text),
    headers: [...fixedListHeaders(config), feedbackId(config, edition.kind, edition.id), ...automaticHeaders],
    encoded(text) {
      return remembered(fragments, text, () => encodeFragment(text))
    },
    headline(articleIds, makeFacts) {
      const facts = isCounted ? makeFacts() : noFacts
      const key = [articleIds.join(), facts.stories, facts.weekday, ...facts.categories].join('|')
      return remembered(headlines, key, () => {
        const [lead, ...next] = articleIds.map((id) => stories.get(id)!)
        const values = {
          site,
          lead: { title: lead!.title },
          next: next.length > 0 ? next.map(({ title }) => title) : [lead!.excerpt],
        }
        const fill = (kind: keyof SenderWords) =>
          words[kind] ? fillWords(kind, words[kind], { ...facts, lead: lead!.title }) : template[kind](values)
        return { subject: fill('subject'), preheader: fill('preheader') }
      })
    },
  }
}

const noFacts = { stories: 0, categories: [], weekday: '' }

/** An editor's words, else the site's rule; empty: the first headline, and the next ones. A summary leaves the headlines to the
 * preheader. */
function siteWords({ digest }: Config, { subject, preheader }: SenderWords): SenderWords {
  if (subject || digest.subject === 'lead') return { subject, preheader }
  return { subject: summarySubject, preheader: preheader || '{lead}' }
}

function rangeOf(ids: Iterable<number>): [number, number] | null {
  let least = Infinity
  let most = -Infinity
  for (const id of ids) {
    least = Math.min(least, id)
    most = Math.max(most, id)
  }
  return most < least ? null : [least, most]
}

function remembered<T>(memory: Map<string, T>, key: string, make: () => T): T {
  let value = memory.get(key)
  if (value === undefined) {
    if (memory.size >= memoryLimit) memory.clear()
    memory.set(key, (value = make()))
  }
  return value
}

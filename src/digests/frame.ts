// A snapshot as a worker keeps it, in one language: fragments as Buffers, decoded once, with lookups by id. Languages share what they
// have in common, and one is opened when the first of its readers comes. Nothing here is written after it is made, except a few
// small memories of texts that many mails share.

import type { Config } from '../base/config.ts'
import { directionOf, isolate } from '../base/direction.ts'
import { escapeHtml } from '../base/escape-html.ts'
import type { MailTemplate } from '../mails/templates.ts'
import { encodeFragment, type Fragment } from '../mails/quoted-printable.ts'
import { automaticHeaders, feedbackId, fixedListHeaders } from '../mails/list-headers.ts'
import { nearestLanguage, type Say, sayFrom } from '../messages/messages.ts'
import { fillPieces, openPieces, type Piece, type Slots, type StoredFragment } from './fragments.ts'
import { fillWords, hasCounts, type MailFacts, type SenderWords, summarySubject } from './sender-words.ts'
import type { Snapshot, SnapshotLanguage, StoryForm } from './render.ts'
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

/** A short text in both parts. */
export interface Said {
  html: Fragment
  text: Fragment
}

export interface Frame {
  config: Config
  /** null: a preview of one that isn't stored. */
  editionId: number | null
  /** The day in the masthead, told in each reader's zone. */
  at: Date
  /** Speaks with the messages of the snapshot. */
  say: Say
  /** What the snapshot has; the site's own first. */
  languages: readonly string[]
  edition: Omit<EditionStories, 'categories'> & { categories: ReadonlyMap<number, FrameCategory> }
  /** The least and the highest id of its articles; null: it has none. */
  articleIds: [least: number, most: number] | null
  stories: ReadonlyMap<number, FrameStory>
  html: Record<'open' | 'contents' | 'contents-end' | 'also' | 'close', Piece>
  text: Record<'open' | 'contents' | 'also' | 'close', Piece>
  /** List-Id and the like; the personal ones come in front. */
  headers: readonly (readonly [string, string])[]
  /** A short text that recurs, encoded: dates, "12 more in Politics". Made once for each `key`. */
  said(key: string, make: () => string): Said
  /** Subject and preheader out of the mail's first stories and what its blanks stand for. */
  headline(articleIds: readonly number[], facts: () => Omit<MailFacts, 'lead'>): SenderWords
  /** The same edition for a reader of this language; null, or one that the snapshot lacks: the site's own. */
  inLanguage(locale: string | null): Frame
}

const memoryLimit = 5000

/** In the site's own language. */
export function openFrame(
  config: Config,
  template: MailTemplate,
  snapshot: Snapshot,
  edition: { id: number | null; kind: string; cutoffSeq: number; at: Date },
): Frame {
  const index = indexStories(edition.cutoffSeq, snapshot.categories)
  const stories = Object.entries(snapshot.stories).map(([id, { title, excerpt, html, text }]) => ({
    id: Number(id),
    title,
    excerpt,
    html: openPieces(html),
    text: openPieces(text),
  }))
  const headers = [...fixedListHeaders(config), feedbackId(config, edition.kind, edition.id), ...automaticHeaders]
  const languages = snapshot.languages.map(({ language }) => language)
  const shared = { config, languages, editionId: edition.id, at: edition.at, articleIds: rangeOf(index.places.keys()) }
  const frames = new Map<string, Frame>()
  const byLocale = new Map<string, Frame>()
  const [own] = snapshot.languages

  function inLanguage(locale: string | null): Frame {
    return remembered(byLocale, locale ?? '', () => {
      const nearest = locale === null ? null : nearestLanguage(languages, locale)
      const language = snapshot.languages.find((each) => each.language === nearest) ?? own!
      return remembered(frames, language.language, () => open(language))
    })
  }

  function open(language: SnapshotLanguage): Frame {
    const say = sayFrom(language.messages, language.language, language.locale)
    const categories = new Map(
      [...index.categories].map(([id, category]) => {
        const { name, html, text } = language.categories[id]!
        return [id, { ...category, name, html: openPieces(html), text: openPieces(text) }] as const
      }),
    )
    const slotsOf = openSlots(language)
    const ownStories = new Map(
      stories.map(({ id, title, excerpt, html, text }) => {
        const slots = slotsOf(id)
        return [id, { title, excerpt, html: fillPieces(html, slots.html), text: fillPieces(text, slots.text) }] as const
      }),
    )
    const memory = new Map<string, Said>()
    return {
      ...shared,
      say,
      edition: { ...index, categories },
      stories: ownStories,
      html: openPieces(language.html),
      text: openPieces(language.text),
      headers: [...headers, ['Content-Language', language.locale]],
      said: (key, make) =>
        remembered(memory, key, () => {
          const text = make()
          return { html: encodeFragment(escapeHtml(text)), text: encodeFragment(text) }
        }),
      headline: headliner(template, snapshot.words, ownStories, config, say),
      inLanguage,
    }
  }

  return inLanguage(null)
}

/** What a language says in the fragments of a story. */
function openSlots({ words, bylines }: SnapshotLanguage): (articleId: number) => Record<'html' | 'text', Slots> {
  const common = { html: openFragments(words.html), text: openFragments(words.text) }
  return (articleId) => {
    const byline = bylines[articleId]
    if (!byline) return common
    const html = { ...common.html, byline: openFragment(byline.html), bylineTurn: openFragment(byline.turn) }
    return { html, text: { ...common.text, byline: openFragment(byline.text) } }
  }
}

const openFragment = ([size, encoded]: StoredFragment): Fragment => ({ bytes: Buffer.from(encoded, 'latin1'), size })

const openFragments = (stored: SnapshotLanguage['words']['html']): Slots =>
  Object.fromEntries(Object.entries(stored).map(([slot, fragment]) => [slot, openFragment(fragment)]))

/** An editor's words, else the site's rule: the first headline, and the next ones; or a summary, which leaves the headlines to the
 * preheader. */
function headliner(
  template: MailTemplate,
  given: SenderWords,
  stories: ReadonlyMap<number, FrameStory>,
  { digest }: Config,
  say: Say,
): Frame['headline'] {
  const memory = new Map<string, SenderWords>()
  const isSummary = !given.subject && digest.subject !== 'lead'
  const words = { subject: given.subject, preheader: given.preheader || (isSummary ? '{lead}' : '') }
  const isCounted = isSummary || hasCounts(words.subject + words.preheader)
  return (articleIds, makeFacts) => {
    const counts = isCounted ? makeFacts() : noFacts
    const key = [articleIds.join(), counts.stories, counts.weekday, ...counts.categories].join('|')
    return remembered(memory, key, () => {
      const [lead, ...next] = articleIds.map((id) => stories.get(id)!)
      const facts = { ...counts, lead: lead!.title }
      const dir = directionOf(next[0]?.title ?? '')
      const titles = next.map(({ title }) => isolate(title, dir))
      const values = { lead: { title: lead!.title }, next: titles.length > 0 ? titles : [lead!.excerpt] }
      const fill = (kind: keyof SenderWords) =>
        words[kind] ? fillWords(kind, words[kind], facts, say) : template[kind](values)
      return { subject: isSummary ? summarySubject(facts, say) : fill('subject'), preheader: fill('preheader') }
    })
  }
}

const noFacts = { stories: 0, categories: [], weekday: '' }

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

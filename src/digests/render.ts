// One render per edition: every category head and story of it, in each form that a mail may need, escaped, quoted-printable encoded
// and stored, the same for every worker. The template's pieces are cut once from the MJML output (mails/templates.ts); here they
// are filled with the edition's data.
//
// Languages share the fragments of the stories. What a story says in the mail's own words (byline, "Share:") is a slot that each
// language fills; an edition in one language has no such slots. Everything else is there once for each language, with the messages
// that workers fill themselves ("12 more"): so workers with different files of messages say the same.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { categoryName } from '../articles/category-names.ts'
import { addressOf } from '../base/addresses.ts'
import type { Config } from '../base/config.ts'
import { directionOf } from '../base/direction.ts'
import { escapeHtml } from '../base/escape-html.ts'
import { siteLink } from '../base/link-parameters.ts'
import { shareLinks, type ShareLink } from '../base/share-links.ts'
import { frameValues, type MailTemplate, siteValues, turn } from '../mails/templates.ts'
import { wrap } from '../mails/text.ts'
import type { Key } from '../messages/english.ts'
import { messagesFor, type Say } from '../messages/messages.ts'
import { cleanText, slotMarks, storeFragment, type StoredFragment, type StorySlot } from './fragments.ts'
import type { SenderWords } from './sender-words.ts'
import type { SnapshotSource } from './source.ts'
import { bylineOf, storyValues, storyWords } from './story-values.ts'
import type { EditionStory } from './waiting.ts'

export const storyForms = ['lead', 'story', 'short', 'headline', 'contents-row'] as const
export type StoryForm = (typeof storyForms)[number]

/** Of the shapes below. Raise it with any change to them: workers of two versions may run at once (compose.ts). */
export const snapshotVersion = 5

/** What workers say themselves, as it depends on what one subscriber gets. */
const spoken = [
  'digest.stories',
  'digest.inThisEdition',
  'digest.categoryStories',
  'digest.more',
  'digest.moreUncounted',
  'digest.summary',
  'digest.others',
  'digest.choice',
  'mails.daily',
  'mails.weekly',
  'mails.monthly',
] as const satisfies readonly Key[]

export interface SnapshotLanguage {
  language: string
  /** The language with the site's region, for `lang` and Intl. */
  locale: string
  messages: Record<(typeof spoken)[number], string>
  html: Record<'open' | 'contents' | 'contents-end' | 'also' | 'close', StoredFragment>
  text: Record<'open' | 'contents' | 'also' | 'close', StoredFragment>
  categories: Record<
    number,
    {
      name: string
      html: Record<'contents-category' | 'category' | 'more' | 'less', StoredFragment>
      text: Record<'contents-category' | 'category' | 'more' | 'less', StoredFragment>
    }
  >
  /** What fills the slots of stories. By article id: bylines; an edition in one language has none. */
  words: Record<'html' | 'text', Partial<Record<StorySlot, StoredFragment>>>
  bylines: Record<number, { html: StoredFragment; turn: StoredFragment; text: StoredFragment }>
}

export interface Snapshot {
  version: number
  words: SenderWords
  /** The site's own first. */
  languages: SnapshotLanguage[]
  categories: {
    id: number
    position: number
    stories: EditionStory[]
    /** Eligible, counted, and without fragments: [article id, seq]. */
    others: [number, number][]
  }[]
  stories: Record<
    number,
    {
      title: string
      excerpt: string
      html: Record<StoryForm, StoredFragment>
      text: Record<'lead' | 'story' | 'headline', StoredFragment>
    }
  >
}

const mostBusyMs = 15

/** The same source and look give the same bytes. Lets others run every few milliseconds: thousands of stories take seconds, and in
 * this process mails may be on the wire and leases to renew. */
export async function renderSnapshot(
  config: Config,
  template: MailTemplate,
  source: SnapshotSource,
): Promise<Snapshot> {
  const says = saysOf(config, source.languages ?? [])
  const rest = rester()
  const languages: SnapshotLanguage[] = []
  for (const say of says) languages.push(await renderLanguage(config, template, source, { say, says, rest }))
  return {
    version: snapshotVersion,
    words: source.words ?? { subject: '', preheader: '' },
    languages,
    categories: source.categories.map(({ id, position, stories, others }) => ({ id, position, stories, others })),
    stories: await renderStories(config, template, source, { says, rest }),
  }
}

/** The site's own first. */
function saysOf(config: Config, languages: readonly string[]): Say[] {
  const own = messagesFor(config, null)
  const others = new Set(languages.map((language) => messagesFor(config, language).language))
  others.delete(own.language)
  return [own, ...[...others].map((language) => messagesFor(config, language))]
}

function rester(): () => Promise<void> {
  let restedAt = performance.now()
  return async () => {
    if (performance.now() - restedAt <= mostBusyMs) return
    await nextTurn()
    restedAt = performance.now()
  }
}

type Rest = () => Promise<void>

const archiveUrlOf = (config: Config, { editionId }: SnapshotSource) =>
  addressOf(config, editionId ? `/archive/${editionId}` : '/archive')

const named = (links: readonly ShareLink[], mailNetwork: string) =>
  links.map(({ network, name, url }) => ({ name: network === 'mail' ? mailNetwork : name, url }))

async function renderStories(
  config: Config,
  template: MailTemplate,
  source: SnapshotSource,
  { says, rest }: { says: readonly Say[]; rest: Rest },
): Promise<Snapshot['stories']> {
  const [first, ...others] = says
  const only = others.length === 0 ? first! : null
  const words = only ? storyWords(only) : (slotMarks as Record<StorySlot, string>)
  const directions = new Set(says.map(({ dir }) => dir))
  const frame = frameValues(first!, directions.size === 1 ? first!.dir : null)
  const rendered: Snapshot['stories'] = {}
  for (const category of source.categories)
    for (const { articleId } of category.stories) {
      const article = source.articles.get(articleId)
      if (!article || rendered[articleId]) continue
      await rest()
      const { share, ...values } = storyValues(config, article, archiveUrlOf(config, source), source.editionId)
      const byline = only ? bylineOf(config, article, only) : slotMarks.byline
      const story = { ...values, byline, share: named(share, words.mailNetwork) }
      const html = (form: StoryForm) => storeFragment(template.html.get(form)!({ ...frame, words, story }))
      const text = (form: string) => storeFragment(template.text.get(form)!({ ...frame, words, story }))
      rendered[articleId] = {
        title: values.title,
        excerpt: values.excerpt,
        html: Object.fromEntries(storyForms.map((form) => [form, html(form)])) as Record<StoryForm, StoredFragment>,
        text: { lead: text('lead'), story: text('story'), headline: text('headline') },
      }
    }
  return rendered
}

async function renderLanguage(
  config: Config,
  template: MailTemplate,
  source: SnapshotSource,
  { say, says, rest }: { say: Say; says: readonly Say[]; rest: Rest },
): Promise<SnapshotLanguage> {
  const intro = source.intro.split(/\n\s*\n/).flatMap((paragraph) => cleanText(paragraph) || [])
  const archiveUrl = archiveUrlOf(config, source)
  const words = storyWords(say)
  const common = {
    ...frameValues(say),
    site: siteValues(config, source.editionId, say, source.siteTexts ?? {}),
    slot: slotMarks,
    edition: {
      intro: intro.length > 0 ? intro : null,
      archiveUrl,
      share: named(shareLinks(config.site.shareLinks, { title: config.site.name, url: archiveUrl }), words.mailNetwork),
    },
  }
  const html = (piece: string, values: object = {}) =>
    storeFragment(template.html.get(piece)!({ ...common, ...values }))
  const text = (piece: string, values: object = {}) =>
    storeFragment(template.text.get(piece)!({ ...common, ...values }))
  const categories = source.categories.map(({ id, slug, name, translations = {}, pageUrl }) => {
    const page = pageUrl ? siteLink(config, pageUrl, source.editionId) : archiveUrl
    const shownName = cleanText(categoryName({ name, translations }, say.locale))
    const isTurned = directionOf(shownName, say.dir) !== say.dir
    const category = { id, slug, name: shownName, isTurned, pageUrl: page }
    const written = {
      name: category.name,
      html: {
        'contents-category': html('contents-category', { category }),
        category: html('category', { category }),
        more: html('more', { category }),
        less: html('less', { category }),
      },
      text: {
        'contents-category': text('contents-category', { category }),
        category: text('category', { category }),
        more: text('more', { category }),
        less: text('less', { category }),
      },
    }
    return [id, written] as const
  })
  const isOnly = says.length === 1
  const bylines: SnapshotLanguage['bylines'] = {}
  if (!isOnly)
    for (const article of source.articles.values()) {
      await rest()
      const byline = bylineOf(config, article, say)
      bylines[article.id] = {
        html: storeFragment(escapeHtml(byline)),
        turn: storeFragment(turn(byline, say.dir)),
        text: storeFragment(wrap(byline)),
      }
    }
  const stored = (escape: (word: string) => string) =>
    Object.fromEntries(isOnly ? [] : Object.entries(words).map(([slot, word]) => [slot, storeFragment(escape(word))]))
  return {
    language: say.language,
    locale: say.locale,
    messages: Object.fromEntries(spoken.map((key) => [key, say.source(key)])) as SnapshotLanguage['messages'],
    html: {
      open: html('open'),
      contents: html('contents'),
      'contents-end': html('contents-end'),
      also: html('also'),
      close: html('close'),
    },
    text: { open: text('open'), contents: text('contents'), also: text('also'), close: text('close') },
    categories: Object.fromEntries(categories),
    words: { html: stored(escapeHtml), text: stored((word) => word) },
    bylines,
  }
}

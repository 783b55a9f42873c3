// Subject and preheader of a digest. The site's rule (DIGEST_SUBJECT) makes them, or an editor's own words for one edition. Blanks stand
// for what differs from subscriber to subscriber, so that both say what is in that very mail. Pure.

import { invalid } from '../base/errors.ts'
import { capitalised, clip } from '../mails/text.ts'
import type { Say } from '../messages/messages.ts'
import { cleanText } from './fragments.ts'

export const blankNames = ['stories', 'categories', 'weekday', 'lead'] as const
/** What the blanks stand for, for hints: `{stories}` is “9 stories”. */
export const blankHint =
  'Blanks: {stories} is “9 stories”, {categories} “Politics and Business”, {weekday} “Tuesday”, {lead} the first headline.'

/** Empty: the site's rule. */
export interface SenderWords {
  subject: string
  preheader: string
}

export const mostOfWords = { subject: 200, preheader: 300 } as const
/** After the blanks are filled: inboxes show no more. */
const shown = { subject: 150, preheader: 150 } as const

/** What an editor wrote for one edition; empty or missing: the site's rule. Refuses lines that are too long, control characters and
 * blanks that don't exist. */
export function readSenderWords(given: { subject?: unknown; preheader?: unknown }): SenderWords {
  return { subject: readWords('subject', given.subject), preheader: readWords('preheader', given.preheader) }
}

function readWords(field: keyof SenderWords, given: unknown): string {
  if (given === undefined || given === null) return ''
  if (typeof given !== 'string') throw invalid(field, 'must be text.')
  const words = given.trim()
  const most = mostOfWords[field]
  // oxlint-disable-next-line no-control-regex
  if ([...words].length > most || /[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(words))
    throw invalid(field, `must be one line of at most ${most} characters.`)
  const [unknown] = words.replaceAll(blankPattern, '').match(/\{[^{}]*\}?|\}/) ?? []
  if (unknown !== undefined)
    throw invalid(field, `has ${unknown}, which is no blank. There are {${blankNames.join('}, {')}}.`)
  return words
}

const blankPattern = new RegExp(`\\{(${blankNames.join('|')})\\}`, 'g')

/** Whether the words depend on more than the stories at the top of the mail. */
export function hasCounts(words: string): boolean {
  return /\{(?:stories|categories|weekday)\}/.test(words)
}

export interface MailFacts {
  /** Shown in this mail. */
  stories: number
  /** Their names, in the order of the mail. */
  categories: readonly string[]
  weekday: string
  lead: string
}

/** Blanks are filled once, in the subscriber's language: a headline that holds `{stories}` stays as it is. */
export function fillWords(kind: keyof SenderWords, words: string, facts: MailFacts, say: Say): string {
  const values: Record<(typeof blankNames)[number], () => string> = {
    stories: () => say('digest.stories', { count: facts.stories }),
    categories: () => listWords(facts.categories, say),
    weekday: () => (words.startsWith('{weekday}') ? capitalised(facts.weekday, say.locale) : facts.weekday),
    lead: () => facts.lead,
  }
  const filled = words.replaceAll(blankPattern, (_, name: (typeof blankNames)[number]) => values[name]())
  return clip(cleanText(filled), shown[kind])
}

/** The site's rule `summary`: "Tuesday: 9 stories in Politics and Business". */
export function summarySubject({ stories, categories, weekday }: MailFacts, say: Say): string {
  const values = { weekday: capitalised(weekday, say.locale), count: stories, categories: listWords(categories, say) }
  return clip(cleanText(say('digest.summary', values)), shown.subject)
}

const namedCategories = 3

/** "Politics", "Politics and Business", "Politics, Business and 4 more" */
function listWords(names: readonly string[], say: Say): string {
  if (names.length <= namedCategories) return say.list(names)
  const named = names.slice(0, namedCategories - 1)
  return say.list([...named, say('digest.others', { count: names.length - named.length })])
}

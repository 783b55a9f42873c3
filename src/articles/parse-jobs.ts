// What the parser's thread does: everything that reads a document which a stranger wrote. Pure.

import { decodeBytes } from './charset.ts'
import { titleLength } from './entry.ts'
import { type FeedReading, type Origin, parseFeed } from './feed-formats.ts'
import { feedsOfPage, type NamedFeed } from './feeds-of-page.ts'
import { readTexts } from './excerpt.ts'
import { plainText } from './plain-text.ts'
import { titleOfText } from './titles.ts'

export interface DocumentJob {
  kind: 'document'
  bytes: Uint8Array
  origin: Origin
  /** A page that is no feed is searched for the feeds that it names. */
  orPage: boolean
}

export type DocumentReading =
  | Extract<FeedReading, { outcome: 'feed' }>
  | (Extract<FeedReading, { outcome: 'refused' }> & { namedFeeds?: NamedFeed[] })

/** What publishers push: the title as text, the rest as HTML. */
export interface PushedTexts {
  title: string
  link: string
  excerpt: string
  author: string
  source: string
}

export interface TextsJob {
  kind: 'texts'
  texts: readonly PushedTexts[]
}

export interface PlainTexts {
  title: string | null
  excerpt: string
  author: string | null
  source: string | null
}

export type ParseJob = DocumentJob | TextsJob

export function runJob(job: ParseJob): DocumentReading | PlainTexts[] {
  return job.kind === 'document' ? readDocument(job) : job.texts.map(plainTexts)
}

function readDocument({ bytes, origin, orPage }: DocumentJob): DocumentReading {
  const reading = parseFeed(bytes, origin)
  const contentType = origin.contentType ?? null
  if (reading.outcome === 'feed' || !orPage || !origin.location || !/html/i.test(contentType ?? 'html')) return reading
  return { ...reading, namedFeeds: feedsOfPage(decodeBytes(bytes, contentType).text, origin.location) }
}

function plainTexts({ title, link, excerpt, author, source }: PushedTexts): PlainTexts {
  const plain = (text: string) => plainText(text).slice(0, titleLength).toWellFormed() || null
  const shown = titleOfText(title)
  return {
    title: shown,
    excerpt: readTexts([{ written: excerpt }], { title: shown, link, feedTitle: '', siteUrl: null }).excerpt,
    author: plain(author),
    source: plain(source),
  }
}

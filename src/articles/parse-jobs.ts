// What the parser's thread does: everything that reads a document which a stranger wrote. Pure.

import { decodeBytes } from './charset.ts'
import { titleLength } from './entry.ts'
import { type FeedReading, type Origin, parseFeed } from './feed-formats.ts'
import { feedsOfPage, type NamedFeed } from './feeds-of-page.ts'
import { titleOf, toExcerpt } from './feed-parts.ts'
import { readHtml } from './html-text.ts'

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

/** What publishers push as HTML. */
export interface PushedTexts {
  title: string
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

function plainTexts({ title, excerpt, author, source }: PushedTexts): PlainTexts {
  const plain = (text: string) => titleOf(text)?.slice(0, titleLength) ?? null
  return {
    title: titleOf(title),
    excerpt: toExcerpt(readHtml(excerpt, 1000).text),
    author: plain(author),
    source: plain(source),
  }
}

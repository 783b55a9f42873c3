// The jobs of the parser's thread: everything that reads documents from strangers. Pure.

import { decodeBytes } from './charset.ts'
import { titleLength } from './entry.ts'
import { type FeedReading, type Origin, parseFeed, readJson } from './feed-formats.ts'
import { feedsOfPage, type NamedFeed } from './feeds-of-page.ts'
import { readTexts } from './excerpt.ts'
import { plainText } from './plain-text.ts'
import { titleOfText } from './titles.ts'
import { type ListedFeed, readOpml } from './opml.ts'
import { categoriesOfApi, type SiteCategory, type WordPressPage, wordpressOfPage } from './wordpress-page.ts'
import { FeedRefused } from './xml.ts'

export interface DocumentJob {
  kind: 'document'
  bytes: Uint8Array
  origin: Origin
  /** If the page isn't a feed, it is searched for feeds that it names. */
  orPage: boolean
  /** The Link header of a page. */
  link?: string | undefined
}

/** The answer of a WordPress site's API about its categories. */
export interface SiteCategoriesJob {
  kind: 'site-categories'
  bytes: Uint8Array
  home: string
}

export type DocumentReading =
  | Extract<FeedReading, { outcome: 'feed' }>
  | (Extract<FeedReading, { outcome: 'refused' }> & {
      namedFeeds?: NamedFeed[]
      wordpress?: WordPressPage | null
    })

/** Texts that publishers push: the title is text, the rest HTML. */
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

/** A list of feeds from another program. */
export interface FeedListJob {
  kind: 'feed-list'
  bytes: Uint8Array
}

/** A string: a sentence why it isn't a feed list. */
export type FeedList = ListedFeed[] | string

/** A string: a sentence why it isn't a list of categories. */
export type SiteCategories = SiteCategory[] | string

export type ParseJob = DocumentJob | SiteCategoriesJob | FeedListJob | TextsJob

export function runJob(job: ParseJob): DocumentReading | SiteCategories | FeedList | PlainTexts[] {
  if (job.kind === 'document') return readDocument(job)
  if (job.kind === 'site-categories') return readSiteCategories(job)
  return job.kind === 'feed-list' ? readFeedList(job) : job.texts.map(plainTexts)
}

function readDocument({ bytes, origin, orPage, link }: DocumentJob): DocumentReading {
  const reading = parseFeed(bytes, origin)
  const contentType = origin.contentType ?? null
  if (reading.outcome === 'feed' || !orPage || !origin.location || !/html/i.test(contentType ?? 'html')) return reading
  const page = decodeBytes(bytes, contentType).text
  return {
    ...reading,
    namedFeeds: feedsOfPage(page, origin.location),
    wordpress: wordpressOfPage(page, origin.location, link),
  }
}

function readSiteCategories({ bytes, home }: SiteCategoriesJob): SiteCategories {
  return orSentence(() => {
    const answer = readJson(decodeBytes(bytes, null).text)
    return answer === undefined ? 'It answered broken JSON.' : categoriesOfApi(answer, home)
  })
}

function readFeedList({ bytes }: FeedListJob): FeedList {
  return orSentence(() => readOpml(decodeBytes(bytes, null).text))
}

function orSentence<Answer>(read: () => Answer): Answer | string {
  try {
    return read()
  } catch (error) {
    if (error instanceof FeedRefused) return error.message
    throw error
  }
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

// JSON Feed 1 and 1.1. Fields of the wrong type are passed over one by one: one bad item doesn't cost the others.

import { type Entry, mostLabels, mostPictures, type ParsedFeed, type Whereabouts } from '../entry.ts'
import { parseFeedDate } from '../feed-date.ts'
import {
  authorsOf,
  boundedGuid,
  choosePicture,
  isWebAddress,
  labelOf,
  type Picture,
  readTexts,
  resolveLink,
  titleOf,
} from '../feed-parts.ts'
import { plainText } from '../html-text.ts'
import { FeedRefused, mostItems } from '../xml.ts'
import { absolute } from './rss.ts'

type Fields = Record<string, unknown>

/** null: JSON, but not a feed. */
export function readJsonFeed(document: unknown, whereabouts: Whereabouts): ParsedFeed | null {
  if (!isFields(document) || !Array.isArray(document.items)) return null
  if (!/jsonfeed\.org/i.test(text(document.version)) && !looksLikeItems(document.items)) return null
  if (document.items.length > mostItems) throw new FeedRefused(`It has more than ${mostItems} entries.`)
  const self = absolute(text(document.feed_url))
  const site = absolute(text(document.home_page_url))
  const base = whereabouts.base ?? self ?? site ?? whereabouts.location ?? null
  const hubs = Array.isArray(document.hubs) ? document.hubs.filter(isFields) : []
  return {
    format: 'json',
    title: plainText(text(document.title)),
    siteUrl: site,
    selfUrl: self,
    hubUrl: absolute(text(hubs.find((hub) => /^websub$|^pubsubhubbub$/i.test(text(hub.type)))?.url)),
    ttlSeconds: null,
    entries: document.items.filter(isFields).map((item) => readItem(item, base)),
  }
}

function readItem(item: Fields, base: string | null): Entry {
  const guid = text(item.id).trim() || null
  const { excerpt, pictures } = readTexts([
    escaped(text(item.summary)),
    text(item.content_html),
    escaped(text(item.content_text)),
  ])
  const attachments = Array.isArray(item.attachments) ? item.attachments.slice(0, mostPictures).filter(isFields) : []
  const declared: Picture[] = [
    { url: text(item.image), width: null, type: 'image' },
    { url: text(item.banner_image), width: null, type: 'image' },
    ...attachments.map((one) => ({ url: text(one.url), width: null, type: text(one.mime_type).toLowerCase() })),
  ].filter((picture) => picture.url)
  return {
    title: titleOf(text(item.title)),
    link:
      resolveLink(text(item.url), base) ??
      resolveLink(text(item.external_url), base) ??
      (guid && isWebAddress(guid) ? resolveLink(guid, base) : null),
    guid: boundedGuid(guid),
    publishedAt: parseFeedDate(text(item.date_published)) ?? parseFeedDate(text(item.date_modified)),
    categories: (Array.isArray(item.tags) ? item.tags : [])
      .slice(0, mostLabels)
      .map((tag) => labelOf(text(tag)))
      .filter(Boolean),
    author: authorOf(item),
    excerpt,
    image: choosePicture(declared, pictures, base),
  }
}

function looksLikeItems(items: readonly unknown[]): boolean {
  return items.some(
    (item) => isFields(item) && 'id' in item && ('content_html' in item || 'content_text' in item || 'url' in item),
  )
}

function authorOf(fields: Fields): string | null {
  const authors = [...(Array.isArray(fields.authors) ? fields.authors : []), fields.author]
  return authorsOf(authors.map((author) => plainText(isFields(author) ? text(author.name) : text(author))))
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Ids are numbers in some feeds. */
function text(value: unknown): string {
  return typeof value === 'string' ? value.replaceAll('\0', '') : typeof value === 'number' ? String(value) : ''
}

/** Plain text on its way through what reads HTML. */
function escaped(plain: string): string {
  return plain.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}

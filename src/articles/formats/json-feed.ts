// JSON Feed 1 and 1.1. Fields of the wrong type are ignored one by one, so one bad item doesn't affect the others.

import { type Entry, mostPictures, type OfFeed, type ParsedFeed, type Whereabouts } from '../entry.ts'
import { readTexts } from '../excerpt.ts'
import { parseFeedDate } from '../feed-date.ts'
import { authorsOf, boundedGuid, labelsOf, namesOf } from '../feed-parts.ts'
import { isWebAddress, resolveLink } from '../links.ts'
import { choosePicture, declaresPicture, type Picture } from '../pictures.ts'
import { plainText } from '../plain-text.ts'
import { titleOfText } from '../titles.ts'
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
  const title = titleOfText(text(document.title)) ?? ''
  return {
    format: 'json',
    title,
    siteUrl: site,
    selfUrl: self,
    hubUrl: absolute(text(hubs.find((hub) => /^websub$|^pubsubhubbub$/i.test(text(hub.type)))?.url)),
    ttlSeconds: null,
    entries: document.items
      .filter(isFields)
      .map((item) => readItem(item, base, { feedTitle: title, siteUrl: site, timezone: whereabouts.timezone ?? null })),
  }
}

function readItem(item: Fields, base: string | null, feed: OfFeed): Entry {
  const guid = text(item.id).trim() || null
  const title = titleOfText(text(item.title))
  const link =
    resolveLink(text(item.url), base) ??
    resolveLink(text(item.external_url), base) ??
    (guid && isWebAddress(guid) ? resolveLink(guid, base) : null)
  const attachments = Array.isArray(item.attachments) ? item.attachments.slice(0, mostPictures).filter(isFields) : []
  const declared: Picture[] = [
    { url: text(item.image), width: null, type: 'image' },
    { url: text(item.banner_image), width: null, type: 'image' },
    ...attachments.map((one) => ({ url: text(one.url), width: null, type: text(one.mime_type).toLowerCase() })),
  ].filter((picture) => picture.url)
  const { excerpt, pictures, source, cut } = readTexts(
    [
      { written: text(item.summary), isText: true },
      { written: text(item.content_html) },
      { written: text(item.content_text), isText: true },
    ],
    { title, link, ...feed },
    { hasPicture: declaresPicture(declared) },
  )
  const picture = choosePicture(declared, pictures, base)
  const labels = labelsOf(tagsOf(item.tags).map((name) => ({ name, scheme: null })))
  return {
    title,
    link,
    guid: boundedGuid(guid),
    publishedAt:
      parseFeedDate(text(item.date_published), feed.timezone) ?? parseFeedDate(text(item.date_modified), feed.timezone),
    categories: namesOf(labels),
    labels,
    author: authorOf(item),
    source,
    excerpt,
    cut,
    image: picture?.url ?? null,
    imageAlt: picture?.alt ?? null,
    imageRatio: picture?.ratio ?? null,
    isImageInText: picture?.isDeclared === false,
  }
}

/** Some feeds write them as one text. */
function tagsOf(tags: unknown): string[] {
  if (Array.isArray(tags)) return tags.map((tag) => (isFields(tag) ? text(tag.name ?? tag.label) : text(tag)))
  return text(tags).slice(0, 20_000).split(/[,;]/)
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

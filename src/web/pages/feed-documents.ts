// A feed as RSS 2.0 and as JSON Feed 1.1 (https://jsonfeed.org/version/1.1). Pure.

import { addressOf } from '../../base/addresses.ts'
import type { Config } from '../../base/config.ts'
import { rfcDate } from '../../base/dates.ts'
import { escapeHtml } from '../../base/escape-html.ts'
import { shownSource } from '../../articles/source.ts'
import type { Article } from '../../db/schema.ts'
import { cleanText } from '../../digests/fragments.ts'
import { safeImage } from '../../digests/story-values.ts'

export interface FeedContent {
  title: string
  description: string
  /** Of title, description and categories. */
  language: string
  /** The route of the page that the feed belongs to. */
  folder: string
  /** Newest first. `categories`: names. */
  items: { story: Article; categories: string[] }[]
}

/** `path`: the route of the document itself. */
export function rssFeed(
  config: Config,
  { title, description, language, folder, items }: FeedContent,
  path: string,
): string {
  const own = xml(addressOf(config, path))
  const page = xml(addressOf(config, folder))
  const logo = xml(config.site.logoUrl ?? addressOf(config, '/assets/icon-512.png'))
  return `<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/">
<channel>
<title>${xml(title)}</title>
<link>${page}</link>
<description>${xml(description)}</description>
<language>${xml(language)}</language>
<atom:link href="${own}" rel="self" type="application/rss+xml" />
<image><url>${logo}</url><title>${xml(title)}</title><link>${page}</link></image>
${items.map((item) => rssItem(config, item)).join('\n')}
</channel>
</rss>
`
}

function rssItem(config: Config, { story, categories }: FeedContent['items'][number]): string {
  const picture = safeImage(config, story.imageUrl)
  const author = authorOf(config, story)
  return [
    '<item>',
    `<title>${xml(story.title)}</title>`,
    `<link>${xml(linkOf(config, story))}</link>`,
    `<guid isPermaLink="false">${xml(idOf(config, story))}</guid>`,
    `<pubDate>${rfcDate(story.publishedAt)}</pubDate>`,
    author && `<dc:creator>${xml(author)}</dc:creator>`,
    ...categories.map((name) => `<category>${xml(name)}</category>`),
    // A description is HTML, so that text is escaped twice; a title is text.
    story.excerpt && `<description>${xml(escapeHtml(story.excerpt))}</description>`,
    // RSS asks for a length, which we don't know: 0 is what its validator advises.
    picture && `<enclosure url="${xml(picture)}" length="0" type="${pictureType(picture)}" />`,
    picture && mediaOf(picture, story.imageAlt),
    '</item>',
  ]
    .filter(Boolean)
    .join('\n')
}

function mediaOf(picture: string, alt: string | null): string {
  const words = alt ? `<media:description type="plain">${xml(alt)}</media:description>` : ''
  return `<media:content url="${xml(picture)}" medium="image">${words}</media:content>`
}

export function jsonFeed(
  config: Config,
  { title, description, language, folder, items }: FeedContent,
  path: string,
): string {
  const feed = {
    version: 'https://jsonfeed.org/version/1.1',
    title,
    home_page_url: addressOf(config, folder),
    feed_url: addressOf(config, path),
    description,
    language,
    icon: config.site.logoUrl ?? addressOf(config, '/assets/icon-512.png'),
    favicon: addressOf(config, '/favicon.ico'),
    items: items.map(({ story, categories }) => {
      const picture = safeImage(config, story.imageUrl)
      const author = authorOf(config, story)
      return {
        id: idOf(config, story),
        url: linkOf(config, story),
        title: cleanText(story.title),
        content_html: `<p>${escapeHtml(cleanText(story.excerpt) || cleanText(story.title))}</p>`,
        ...(picture ? { image: picture } : {}),
        date_published: story.publishedAt.toISOString(),
        ...(author ? { authors: [{ name: author }] } : {}),
        tags: categories,
        ...(picture ? { attachments: [{ url: picture, mime_type: pictureType(picture) }] } : {}),
      }
    }),
  }
  return JSON.stringify(feed)
}

/** It stays the same when title, link or category change. */
function idOf({ web }: Config, { id }: Article): string {
  return `story-${id}@${new URL(web.publicUrl).host}`
}

function linkOf(config: Config, { link }: Article): string {
  return /^https?:\/\//i.test(link) ? link : config.site.url
}

function authorOf(config: Config, story: Article): string | null {
  return (
    [story.author, shownSource(story.source, config.site.name)]
      .filter((name) => name !== null)
      .map(cleanText)
      .filter(Boolean)
      .join(', ') || null
  )
}

const types: Record<string, string> = {
  png: 'image/png',
  gif: 'image/gif',
  webp: 'image/webp',
  avif: 'image/avif',
  svg: 'image/svg+xml',
}

/** By its name; most pictures of news are JPEG. */
function pictureType(url: string): string {
  const ending = /\.([a-z]+)$/i.exec(new URL(url).pathname)?.[1]?.toLowerCase() ?? ''
  return types[ending] ?? 'image/jpeg'
}

/** For text and quoted attributes: without what XML 1.0 (§2.2) can't hold. */
function xml(text: string): string {
  return escapeHtml(cleanText(text.toWellFormed()).replace(/[\ufffe\uffff]/g, ''))
}

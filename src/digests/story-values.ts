// What the templates say of a story: its texts cut to length, its link, its picture and the box that the picture gets. Pure.

import { shownSource } from '../articles/source.ts'
import type { Config } from '../base/config.ts'
import { directionOf, isolate } from '../base/direction.ts'
import { shareLinks } from '../base/share-links.ts'
import { escapeHtml } from '../base/escape-html.ts'
import { clip } from '../mails/text.ts'
import type { Say } from '../messages/messages.ts'
import { cleanText, type StorySlot } from './fragments.ts'
import { storyUrl } from '../articles/story-url.ts'

export interface SnapshotArticle {
  id: number
  title: string
  link: string
  excerpt: string
  imageUrl: string | null
  /** In the feed's own words. */
  imageAlt: string | null
  /** Width to height; null: unknown. */
  imageRatio: number | null
  author: string | null
  source: string | null
  publishedAt: Date
}

/** A title is a line or two; some feeds put the whole story there. */
const titleLength = 300
/** A link is in a story three times: one that is longer leaves no room in 100,000 bytes. */
const linkLength = 8000
const excerptLength = 300
const briefLength = 110
const bylineLength = 200
const altLength = 150
/** In pixels, as in the template. */
const [leadWidth, thumbWidth] = [560, 88]
/** What most photos have. */
const usualRatio = 3 / 2
/** A taller or flatter picture is cut to this. */
const [tallest, flattest] = [4 / 5, 5 / 2]

/** The same in every language. */
export function storyValues(config: Config, article: SnapshotArticle, archiveUrl: string, editionId: number | null) {
  const link = storyUrl(config, article, editionId)
  const title = cleanText(article.title)
  const alt = cleanText(article.imageAlt ?? '')
  return {
    id: article.id,
    title: clip(title, titleLength),
    share: shareOf(config, clip(title, titleLength), article.link),
    link: lengthInHtml(link) > linkLength ? archiveUrl : link,
    excerpt: clip(cleanText(article.excerpt), excerptLength),
    brief: clip(cleanText(article.excerpt), briefLength),
    image: safeImage(config, article.imageUrl),
    // The headline stands beside the picture: nobody should hear it twice.
    imageAlt: alt === title ? '' : clip(alt, altLength),
    leadHeight: heightOf(leadWidth, article.imageRatio),
    thumbHeight: heightOf(thumbWidth, article.imageRatio),
  }
}

/** "By Ada Moss · Lantern Wire · 22 Nov". What is first gives the direction, and the others keep their order. */
export function bylineOf(config: Config, article: SnapshotArticle, say: Say): string {
  const [author, source] = [article.author, shownSource(article.source, config.site.name)].map((text) =>
    clip(cleanText(text ?? ''), bylineLength),
  )
  const rest = [source, say.date(article.publishedAt, 'shortDay', config.digest.timezone)].filter(Boolean)
  const dir = author ? say.dir : directionOf(rest.join(' '), say.dir)
  return [author && say('digest.by', { author }), ...rest.map((text) => isolate(text!, dir))]
    .filter(Boolean)
    .join(' · ')
}

/** What the stories of a mail say besides their own words. */
export function storyWords(say: Say): Record<Exclude<StorySlot, 'byline' | 'bylineTurn'>, string> {
  return {
    share: say('digest.share'),
    mailNetwork: say('digest.mailNetwork'),
    // Of the picture beside a story: the space lies towards the text.
    thumb: say.dir === 'rtl' ? '4px 16px 0 0' : '4px 0 0 16px',
  }
}

/** Of the box that a picture of this shape gets. */
function heightOf(width: number, ratio: number | null): number {
  return Math.round(width / Math.min(Math.max(ratio ?? usualRatio, tallest), flattest))
}

/** Encoded, a long title or link is in each of them: they are left out before they crowd out stories. */
const shareLength = 6000

function shareOf(config: Config, title: string, url: string) {
  if (!/^https?:\/\//i.test(url)) return []
  const links = shareLinks(config.site.shareLinks, { title, url })
  return links.reduce((sum, link) => sum + lengthInHtml(link.url), 0) > shareLength ? [] : links
}

/** At most: beyond ASCII each byte may be written as three. */
function lengthInHtml(link: string): number {
  const escaped = escapeHtml(link)
  return Math.max(escaped.length, /^[ -~]*$/.test(link) ? 0 : Buffer.byteLength(escaped) * 3)
}

/** A picture from anywhere on https, or from our own site; anything else would be blocked or warned about. */
export function safeImage(config: Config, url: string | null): string | null {
  if (!url || !URL.canParse(url)) return null
  const { protocol, origin, href } = new URL(url)
  const isOwn = [config.web.publicUrl, config.site.url].some((own) => new URL(own).origin === origin)
  return protocol === 'https:' || isOwn ? href : null
}

// The feeds that a page names: those of its articles, not of its comments. Pure.

import { decodeHTML } from 'entities'
import { plainText } from './plain-text.ts'
import { withoutOtherFormats } from './same-feed.ts'

export interface NamedFeed {
  url: string
  title: string
}

const isOfComments =
  /\/comments?(?:\/(?:feed|rss|atom|default)|[-_.](?:feed|rss|atom))|[?&]feed=comments|\/feeds\/\d+\/comments|(?:feed|rss|atom)[-_.]comments/i
const isTitledComments =
  /comments?\s+(?:rss\s+|atom\s+)?feed\s*$|[»›|–:-]\s*(?:all\s+)?comments?\s*$|kommentar-?feed|kommentare\s*$|flux (?:rss )?des commentaires|comentarios\s*$|feed dei commenti|reactiesfeed/i

/**
 * `<link rel="alternate" type="application/rss+xml" href="…">`, in the order of the page, each in the first of its formats. A feed
 * whose title looks like comments is used only if there is no other.
 */
export function feedsOfPage(html: string, pageUrl: string): NamedFeed[] {
  const found = new Map<string, { title: string; type: string }>()
  const head = html.slice(0, 500_000)
  const baseHref = /<base\b[^<>]{0,500}?\shref\s*=\s*["']?([^"'\s>]+)/i.exec(head)?.[1]
  const base = (baseHref && URL.parse(decodeHTML(baseHref), pageUrl)?.href) || pageUrl
  // Without < inside: otherwise each of a hundred thousand unclosed tags would be searched to the end.
  for (const [tag] of head.matchAll(/<link\b(?:[^<>"']|"[^<"]*"|'[^<']*')*>/gi)) {
    const attribute = (name: string) => {
      const match = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, 'i').exec(tag)
      return decodeHTML(match?.[1] ?? match?.[2] ?? match?.[3] ?? '').trim()
    }
    if (!/(?:^|\s)(?:alternate|feed)(?:\s|$)/i.test(attribute('rel'))) continue
    const type = attribute('type').toLowerCase()
    if (!/^application\/(?:rss|atom|rdf|feed)\+?(?:xml|json)?|^application\/json$|^text\/xml$/.test(type)) continue
    const url = URL.parse(attribute('href'), base)
    if (url && /^https?:$/.test(url.protocol) && !/wp-json|oembed/i.test(url.href) && !isOfComments.test(url.href))
      found.set(url.href, { title: plainText(attribute('title')).slice(0, 300), type })
  }
  const feeds = [...found].map(([url, named]) => ({ url, ...named }))
  const ofArticles = feeds.filter(({ title }) => !isTitledComments.test(title))
  const different = withoutOtherFormats((ofArticles.length > 0 ? ofArticles : feeds).slice(0, 20))
  return different.map(({ url, title }) => ({ url, title }))
}

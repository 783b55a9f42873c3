// The feeds that a page names. Pure.

import { decodeHTML } from 'entities'
import { plainText } from './plain-text.ts'

export interface NamedFeed {
  url: string
  title: string
}

/** `<link rel="alternate" type="application/rss+xml" href="…">`, in the order of the page. */
export function feedsOfPage(html: string, pageUrl: string): NamedFeed[] {
  const found = new Map<string, string>()
  const head = html.slice(0, 500_000)
  const baseHref = /<base\b[^<>]{0,500}?\shref\s*=\s*["']?([^"'\s>]+)/i.exec(head)?.[1]
  const base = (baseHref && URL.parse(decodeHTML(baseHref), pageUrl)?.href) || pageUrl
  // No < inside: else each of a hundred thousand unclosed tags would be looked for to the end.
  for (const [tag] of head.matchAll(/<link\b(?:[^<>"']|"[^<"]*"|'[^<']*')*>/gi)) {
    const attribute = (name: string) => {
      const match = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, 'i').exec(tag)
      return decodeHTML(match?.[1] ?? match?.[2] ?? match?.[3] ?? '').trim()
    }
    if (!/(?:^|\s)(?:alternate|feed)(?:\s|$)/i.test(attribute('rel'))) continue
    if (!/^application\/(?:rss|atom|rdf|feed)\+?(?:xml|json)?|^application\/json$|^text\/xml$/i.test(attribute('type')))
      continue
    const url = URL.parse(attribute('href'), base)
    if (url && /^https?:$/.test(url.protocol) && !/\/comments\/feed\/?$|wp-json|oembed/i.test(url.href))
      found.set(url.href, plainText(attribute('title')))
  }
  return [...found].slice(0, 20).map(([url, title]) => ({ url, title }))
}

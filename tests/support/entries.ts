// One entry out of a document, as every format adapter gives it.

import assert from 'node:assert/strict'
import type { Entry } from '../../src/articles/entry.ts'
import { parseFeed } from '../../src/articles/feed-formats.ts'

export function only(document: string | Uint8Array): Entry {
  const reading = parseFeed(Buffer.from(document as string))
  assert.equal(reading.outcome, 'feed', JSON.stringify(reading))
  const { entries } = (reading as Extract<typeof reading, { outcome: 'feed' }>).feed
  assert.equal(entries.length, 1)
  return entries[0]!
}

const namespaces = `xmlns:media="http://search.yahoo.com/mrss/" xmlns:content="http://purl.org/rss/1.0/modules/content/"
  xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"`

/** `title` and `inside` are XML. The story is at https://gull.example/2026/tide/. */
export function rssEntry(inside: string, title = 'Low tide at the old harbour', feedTitle = 'The Gull'): Entry {
  return only(
    `<rss version="2.0" ${namespaces}><channel><title>${feedTitle}</title><link>https://gull.example/</link>
      <item><title>${title}</title>${inside}<link>https://gull.example/2026/tide/</link></item></channel></rss>`,
  )
}

/** With this HTML as its description. */
export function described(html: string, more = ''): Entry {
  return rssEntry(`<description><![CDATA[${html}]]></description>${more}`)
}

export function atomEntry(inside: string): Entry {
  return only(`<feed xmlns="http://www.w3.org/2005/Atom" ${namespaces}><entry>${inside}</entry></feed>`)
}

export function jsonEntry(item: object): Entry {
  return only(
    JSON.stringify({
      version: 'https://jsonfeed.org/version/1.1',
      title: 'The Gull',
      items: [{ id: '1', url: 'https://gull.example/2026/tide/', ...item }],
    }),
  )
}

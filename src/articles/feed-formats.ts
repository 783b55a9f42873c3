// Bytes → feed: detects the format and calls its adapter. Pure. If it isn't a feed or exceeds the limits, the result is a reason.

import { gunzipSync } from 'node:zlib'
import { decodeBytes } from './charset.ts'
import { addressLength, type FeedDocument, type Whereabouts } from './entry.ts'
import { readAtom } from './formats/atom.ts'
import { readJsonFeed } from './formats/json-feed.ts'
import { readRss } from './formats/rss.ts'
import { child, FeedRefused, parseXml, type XmlNode } from './xml.ts'

export type FeedReading = { outcome: 'feed'; feed: FeedDocument } | { outcome: 'refused'; reason: string }

export const mostFeedBytes = 10_000_000

export interface Origin extends Whereabouts {
  /** The HTTP header, for its charset. */
  contentType?: string | null
}

/** Never throws. */
export function parseFeed(bytes: Uint8Array, origin: Origin = {}): FeedReading {
  if (bytes.length > mostFeedBytes) return refused('It is larger than 10 MB.')
  if (bytes.length === 0) return refused('It is empty.')
  try {
    return parseFeedText(decodeBytes(unzipped(bytes), origin.contentType ?? null).text, origin)
  } catch (error) {
    if (error instanceof FeedRefused) return refused(error.message)
    return refused('It can’t be read: it is broken in a way that our parser doesn’t know.')
  }
}

/** feed.xml.gz, served as a file. */
function unzipped(bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes
  try {
    return gunzipSync(bytes, { maxOutputLength: mostFeedBytes })
  } catch (cause) {
    const isLarge = (cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
    throw new FeedRefused(isLarge ? 'It is larger than 10 MB.' : 'It is compressed, and damaged.')
  }
}

function parseFeedText(text: string, origin: Origin): FeedReading {
  const start = /\S/.exec(text)?.index ?? -1
  if (start < 0) return refused('It is empty.')
  if (text[start] === '{' || text[start] === '[') return parseJson(text, origin)
  const document = parseXml(text)
  if (document.root === null) return refused(whatElse(text, document.firstElement))
  const feed = document.root.name === 'feed' ? readAtom(document, origin) : readRss(document, origin)
  // Prose or a page that only mentions <rss> has no entries. An empty feed begins with the element.
  if (
    feed.entries.length === 0 &&
    (text[start] !== '<' || /^<(?:!doctype\s+)?html[\s>]/i.test(text.slice(start, start + 50)))
  )
    return refused(whatElse(text, null))
  return { outcome: 'feed', feed: { ...feed, newFeedUrl: newFeedUrl(document.root) } }
}

function newFeedUrl(root: XmlNode): string | null {
  const named = child(child(root, 'channel') ?? root, 'itunes:new-feed-url')?.text.trim()
  const url = named && named.length <= addressLength ? URL.parse(named) : null
  return url && /^https?:$/.test(url.protocol) ? url.href : null
}

const deepestJson = 100
const mostValues = 1_000_000

/** Checked before parsing, because parsing creates objects for all of it at once. */
function checkJson(text: string): void {
  let depth = 0
  let values = 0
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '"') {
      for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === '\\') at++
    } else if (char === ']' || char === '}') depth--
    else if (char === '[' || char === '{' || char === ',') {
      if (char !== ',' && ++depth > deepestJson)
        throw new FeedRefused(`Its JSON is nested more than ${deepestJson} deep.`)
      if (++values > mostValues) throw new FeedRefused(`Its JSON has more than ${mostValues} values.`)
    }
  }
}

/** Within limits: throws FeedRefused beyond them. undefined: not valid JSON. */
export function readJson(text: string): unknown {
  checkJson(text)
  return parseWhole(text)
}

function parseJson(text: string, origin: Origin): FeedReading {
  const document = readJson(text)
  if (document === undefined) return refused('It is broken JSON.')
  const feed = readJsonFeed(document, origin)
  return feed ? { outcome: 'feed', feed: { ...feed, newFeedUrl: null } } : refused('It is JSON, but not a JSON Feed.')
}

/** Text after the document (a cache's comment, a debugging line) is ignored. undefined: not valid JSON. */
function parseWhole(text: string): unknown {
  try {
    return parseStorable(text)
  } catch (error) {
    const after = /after JSON at position (\d+)/.exec(error instanceof Error ? error.message : '')
    if (!after) return undefined
    try {
      return parseStorable(text.slice(0, Number(after[1])))
    } catch {
      return undefined
    }
  }
}

/** JSON's escapes can contain what Postgres refuses: NUL, and half a surrogate pair. */
function parseStorable(text: string): unknown {
  if (!/\\u(?:0000|d[89a-f])/i.test(text)) return JSON.parse(text)
  return JSON.parse(text, (_, value: unknown) =>
    typeof value === 'string' ? value.replaceAll('\0', '').toWellFormed() : value,
  )
}

function whatElse(text: string, firstElement: string | null): string {
  if (firstElement === 'html' || /<!doctype html|<html[\s>]|<body[\s>]/i.test(text.slice(0, 20_000)))
    return 'It is an HTML page, not a feed.'
  if (firstElement === null) return 'It is neither XML nor JSON.'
  return `It is XML, but not a feed: it starts with <${firstElement.slice(0, 40)}>.`
}

function refused(reason: string): FeedReading {
  return { outcome: 'refused', reason }
}

// The common form of all feed formats. Everything here is text and absolute http(s) addresses; nothing is markup.

export const feedFormats = ['rss', 'rdf', 'atom', 'json'] as const
export type FeedFormat = (typeof feedFormats)[number]

export interface Entry {
  title: string | null
  /** Absolute, with tracking parameters. As written if there is no base to resolve it. */
  link: string | null
  /** As written, trimmed. */
  guid: string | null
  /** null: the feed has none, or an impossible one. */
  publishedAt: Date | null
  /** The item's own labels, in order. */
  categories: string[]
  /** The same labels and their other names, each with its domain. Categories and rules are matched against these. */
  labels: Label[]
  author: string | null
  /** The site or paper that the entry names. */
  source: string | null
  excerpt: string
  /** The parts left out of the excerpt. */
  cut: string[]
  image: string | null
  /** What the picture shows, for people who can't see it. */
  imageAlt: string | null
  /** Width divided by height, to three decimals. null: the feed doesn't say, or the value isn't possible for a photo. */
  imageRatio: number | null
  /** The picture is from the text: the feed declares none. */
  isImageInText: boolean
  /** The document ended inside it, so identifying parts may be missing. */
  isCut?: true
}

export interface Label {
  name: string
  /** RSS calls it domain. */
  scheme: string | null
}

/** The properties of a feed with which its entries are read. */
export interface OfFeed {
  feedTitle: string
  siteUrl: string | null
  /** The zone of dates without one. null: UTC. */
  timezone: string | null
}

export interface ParsedFeed {
  format: FeedFormat
  title: string
  siteUrl: string | null
  selfUrl: string | null
  /** WebSub. */
  hubUrl: string | null
  /** The feed's wish: RSS ttl. (sy:updatePeriod isn't used: every WordPress site says hourly.) */
  ttlSeconds: number | null
  /** In document order, nothing left out. */
  entries: Entry[]
}

/** With the values that are read in the same way for all formats. */
export interface FeedDocument extends ParsedFeed {
  /** The new address that it names: itunes:new-feed-url. */
  newFeedUrl: string | null
}

/** Longest stored excerpt, in characters: two to four lines of a mail. */
export const excerptLength = 320
/** Longest stored title; longer ones are cut at a word. */
export const titleLength = 500

/** Longest stored author, and longest label. */
export const authorLength = 300
export const labelLength = 200
/** Longest alternative text of a picture. */
export const altLength = 300
/** Longest address of a link, picture or base, as written. */
export const addressLength = 4000

/** The most labels and declared pictures that are read per entry. No honest feed has more. */
export const mostLabels = 500
export const mostPictures = 100

export interface Whereabouts {
  /** The base of relative links, whatever the document declares. */
  base?: string | null
  /** Where it was fetched: the base of relative links if the document declares none. */
  location?: string | null
  /** The zone of dates without one. Default: UTC. */
  timezone?: string | null
}

// What every feed format is turned into. Everything here is text and absolute http(s) addresses; nothing is markup.

export const feedFormats = ['rss', 'rdf', 'atom', 'json'] as const
export type FeedFormat = (typeof feedFormats)[number]

export interface Entry {
  title: string | null
  /** Resolved, tracking parameters kept. As written where there is nothing to resolve it against. */
  link: string | null
  /** As written, trimmed. */
  guid: string | null
  /** null: the feed gives none, or an impossible one. */
  publishedAt: Date | null
  /** The item's own labels, in order. */
  categories: string[]
  /** The same and their other names, each with what it belongs to: what categories and rules are matched with. */
  labels: Label[]
  author: string | null
  /** The site or paper that the entry itself names. */
  source: string | null
  excerpt: string
  /** The parts left out of the excerpt. */
  cut: string[]
  image: string | null
  /** What the picture shows, for those who can't see it. */
  imageAlt: string | null
  /** Width to height, to three decimals. null: the feed doesn't say, or nothing that can be a photo. */
  imageRatio: number | null
  /** It stands in the text: the feed declares none. */
  isImageInText: boolean
  /** The document broke off inside it: what is missing may be what identifies it. */
  isCut?: true
}

export interface Label {
  name: string
  /** RSS calls it domain. */
  scheme: string | null
}

/** What its entries are read with. */
export interface OfFeed {
  feedTitle: string
  siteUrl: string | null
  /** What a date without one is in. null: UTC. */
  timezone: string | null
}

export interface ParsedFeed {
  format: FeedFormat
  title: string
  siteUrl: string | null
  selfUrl: string | null
  /** WebSub. */
  hubUrl: string | null
  /** What the feed asks for: RSS ttl. (sy:updatePeriod isn't a wish: every WordPress says hourly.) */
  ttlSeconds: number | null
  /** In document order, nothing left out. */
  entries: Entry[]
}

/** With what is read the same way whatever the format. */
export interface FeedDocument extends ParsedFeed {
  /** Where it says that it has moved to: itunes:new-feed-url. */
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

/** Labels read of one entry, and declared pictures: no feed that means it has more. */
export const mostLabels = 500
export const mostPictures = 100

export interface Whereabouts {
  /** What relative links stand against, whatever the document says about itself. */
  base?: string | null
  /** Where it was fetched: what they stand against when the document says nothing. */
  location?: string | null
  /** What a date without a time zone is in. UTC unless given. */
  timezone?: string | null
}

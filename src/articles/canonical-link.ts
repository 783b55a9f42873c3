// An article's address without the parts that differ between copies: scheme, www., m. and amp. hosts, AMP paths, session ids,
// tracking parameters, a slash at the end. Everything else may distinguish two stories and stays, including the fragment. Pure.

import { createHash } from 'node:crypto'

/**
 * Names that no site uses for content. `ref`, `from`, `source`, `partner`, `cmp`, `rss` and `feed` aren't in the list: on some
 * sites they choose the story.
 */
const tracking =
  /^(?:utm_.*|mtm_.*|pk_.*|piwik_.*|matomo_.*|hsa_.*|at_(?:medium|campaign|custom\d?)|mc_[ce]id|fbclid|gclid|gclsrc|dclid|gbraid|wbraid|yclid|msclkid|twclid|ttclid|igshid|li_fat_id|srsltid|_hs(?:enc|mi)|__hs(?:tc|sc|fp)|hsctatracking|mkt_tok|_ga|_gl|vero_(?:id|conv)|oly_(?:anon|enc)_id|xtor|wt_mc|guccounter|guce_referrer(?:_sig)?|__twitter_impression|phpsessid|jsessionid|aspsessionid.*)$/i

/** Longer parts aren't session ids or trackers, and aren't examined. */
const longest = 4000

/** null: not an address. */
export function canonicalLink(link: string): string | null {
  const trimmed = link.trim()
  const given = URL.parse(trimmed)
  if (!given || !isWeb(given)) return null
  if (trimmed.length > longest) return shorten(trimmed)
  const url = outOfAmpCache(given)
  const port = url.port && url.port !== '80' && url.port !== '443' ? `:${url.port}` : ''
  const query = url.search ? canonicalQuery(url.searchParams) : ''
  return shorten(`${canonicalHost(url.hostname)}${port}${canonicalPath(url.pathname)}${query}${fragmentOf(url.hash)}`)
}

/** Without `www.`, `m.`, `amp.` and the dot at the end. */
export function canonicalHost(hostname: string): string {
  return hostname
    .replace(/\.$/, '')
    .replace(/^(?:(?:www|m|amp)\.)+(?=[^.]+\.[^.])/, '')
    .replace(/\.m\.(?=[^.]+\.[^.])/, '.')
}

/** The site's front page: an address with only a host. */
export function isFrontPage(canonical: string): boolean {
  return !/[/?#]/.test(canonical)
}

function isWeb(url: URL): boolean {
  return url.protocol === 'http:' || url.protocol === 'https:'
}

/** Google's copies of AMP pages name the page in their path. */
function outOfAmpCache(url: URL): URL {
  const pattern = url.hostname.endsWith('.cdn.ampproject.org')
    ? /^\/[acv]\/(?:s\/)?(.+)$/
    : /^(?:www\.)?google\.[a-z.]+$/.test(url.hostname)
      ? /^\/amp\/(?:s\/)?([^/]+\.[^/]+(?:\/.*)?)$/
      : null
  const inside = pattern?.exec(url.pathname)?.[1]
  return (inside && URL.parse(`https://${inside}${url.search}${url.hash}`)) || url
}

function canonicalPath(path: string): string {
  const own = path
    .replace(/;(?:jsessionid|phpsessid|sessionid|sid)=[^/;]*/gi, '')
    .replace(/\/\(S\([^/()]*\)\)(?=\/)/i, '')
  return withoutSlashes(
    withoutSlashes(own)
      .replace(/^\/amp(?=\/.)/i, '')
      .replace(/^(.*[^/]\/*)\/amp$/i, '$1')
      .replace(/\.amp(?=$|\.html?$)/i, ''),
  )
}

/** At the end. A regular expression would start again at each slash of a long row. */
function withoutSlashes(path: string): string {
  let length = path.length
  while (path[length - 1] === '/') length--
  return path.slice(0, length)
}

function canonicalQuery(parameters: URLSearchParams): string {
  const kept = [...parameters]
    .filter(([name, value]) => !tracking.test(name) && !isAmp(name, value))
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return kept.length ? `?${new URLSearchParams(kept).toString()}` : ''
}

function isAmp(name: string, value: string): boolean {
  return /^amp$/i.test(name) ? /^(?:1|true)?$/i.test(value) : /^outputtype$/i.test(name) && /^amp$/i.test(value)
}

/** Kept, unless it only belongs to a tracker or a search engine (`#xtor=RSS-1`, `#:~:text=…`). */
function fragmentOf(hash: string): string {
  const [fragment = ''] = hash.split(':~:')
  const isTracking = fragment
    .slice(1)
    .split('&')
    .every((part) => /^[^=]+=/.test(part) && tracking.test(part.split('=', 1)[0]!))
  return fragment === '#' || isTracking ? '' : fragment
}

/** Index entries have a limit (2.7 kB in Postgres). Keys stay far below it. */
export function shorten(key: string): string {
  return key.length <= 500 ? key : `${key.slice(0, 400).toWellFormed()} ${hashOf(key)}`
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

// Finds the feed behind an address before it is added: the address of a feed, or of a page that names one. A page that names
// several is refused, and the refusal lists them. A WordPress site offers its categories. An address that doesn't answer now is
// accepted as it is.

import { invalid, Refusal } from '../base/errors.ts'
import type { Context } from '../db/context.ts'
import type { NamedFeed } from './feeds-of-page.ts'
import { addFeed, allowedHosts, checkUrl, type FeedView, type NewFeed } from './feeds.ts'
import { type Fetching, lookAt, lookBehind } from './look-at.ts'
import { readWordPress, type WordPressSite } from './wordpress.ts'

export type Discovered =
  | { outcome: 'feed'; url: string; note: string | null }
  | { outcome: 'site'; site: WordPressSite; feeds: NamedFeed[] }
  | { outcome: 'several'; feeds: NamedFeed[] }

/** Refuses an address without a feed. `orSite`: for a WordPress site, returns its categories. */
export async function discoverFeed(
  ctx: Context,
  given: string,
  options: { orSite?: boolean } = {},
): Promise<Discovered> {
  const url = checkUrl(ctx, given)
  const fetching = fetchingOf(ctx)
  const first = await lookAt(url, fetching)
  let note: string | null = null
  if (options.orSite && first.outcome === 'page' && first.wordpress) {
    const site = await readWordPress(first.wordpress, first.url, fetching)
    if (site.categories.length > 0) return { outcome: 'site', site, feeds: first.feeds }
    note = site.notes.join(' ')
  }
  const found = await lookBehind(first, fetching)
  if (found.outcome === 'page') return { outcome: 'several', feeds: found.feeds }
  if (found.outcome === 'feed') return { outcome: 'feed', url: found.url, note }
  if (!found.isForNow) throw invalid('url', `${url}: ${found.reason}`)
  return { outcome: 'feed', url: found.url ?? url, note: `It can’t be read now, and is asked again. ${found.reason}` }
}

export function fetchingOf(ctx: Pick<Context, 'config'>): Fetching {
  return { userAgent: ctx.config.feeds.userAgent, allowHosts: allowedHosts(ctx.config) }
}

/** Adds the feed behind an address, due at once. */
export async function addFoundFeed(ctx: Context, input: NewFeed): Promise<FeedView> {
  const found = await discoverFeed(ctx, input.url)
  if (found.outcome === 'feed') return addFeed(ctx, { ...input, url: found.url })
  throw severalFeeds(found.outcome === 'several' ? found.feeds : [])
}

export function severalFeeds(feeds: readonly NamedFeed[]): Refusal {
  const said = feeds.map(({ url, title }) => (title ? `${url} (${title})` : url))
  return new Refusal(
    'conflict',
    `It is a page that names ${feeds.length} feeds. Give the address of one: ${said.join(', ')}`,
    feeds.map(({ url, title }) => ({
      field: 'url',
      message: title ? `could be ${url} (${title})` : `could be ${url}`,
    })),
  )
}

// A feed moves permanently by a redirect (301, 308), or by the new address that its document names (itunes:new-feed-url). A
// redirect has already been followed here. A document's address is accepted once there is a feed that doesn't name another
// address, so two feeds that name each other don't move. An address that another of our feeds has is never accepted.

import type { Context } from '../db/context.ts'
import type { Feed } from '../db/schema.ts'
import { allowedHosts } from './feeds.ts'
import type { Parser } from './parser.ts'
import type { FetchOptions, FetchResult } from './safe-fetch.ts'

export interface Move {
  /** Where it is fetched from now on. */
  url: string
  /** A sentence: why its address stays although it says that it has moved. */
  problem: string | null
  /** What its server said about the old address (such as validators) isn't valid for the new one. */
  isByDocument: boolean
}

export interface Moving {
  fetch: (url: string, options: FetchOptions) => Promise<FetchResult>
  parser: Parser
}

const mostSteps = 3

/** By redirect. Also for responses without a document. */
export async function redirected(ctx: Context, feed: Feed, permanentUrl: string | null): Promise<Move> {
  if (!permanentUrl || permanentUrl === feed.url) return { url: feed.url, problem: null, isByDocument: false }
  const problem = await takenBy(ctx, feed, permanentUrl)
  return { url: problem ? feed.url : permanentUrl, problem, isByDocument: false }
}

/** By redirect, then by the document. */
export async function moved(
  ctx: Context,
  feed: Feed,
  { permanentUrl, newFeedUrl }: { permanentUrl: string | null; newFeedUrl: string | null },
  moving: Moving,
): Promise<Move> {
  const redirect = await redirected(ctx, feed, permanentUrl)
  const here = permanentUrl ?? feed.url
  if (newFeedUrl === null || newFeedUrl === here || newFeedUrl === redirect.url) return redirect
  const led = await follow(ctx, newFeedUrl, new Set([feed.url, here]), moving)
  const problem = 'problem' in led ? led.problem : await takenBy(ctx, feed, led.url)
  if (problem !== null || 'problem' in led) return { ...redirect, problem: redirect.problem ?? problem }
  return { url: led.url, problem: null, isByDocument: true }
}

async function follow(
  ctx: Context,
  named: string,
  seen: Set<string>,
  { fetch, parser }: Moving,
): Promise<{ url: string } | { problem: string }> {
  const says = `It says that it has moved to ${named}`
  const circle = { problem: `${says}, which leads back here. It is fetched where it is.` }
  let url = named
  for (let step = 0; step < mostSteps; step++) {
    if (seen.has(url)) return circle
    seen.add(url)
    const result = await fetch(url, { userAgent: ctx.config.feeds.userAgent, allowHosts: allowedHosts(ctx.config) })
    if (result.outcome === 'failed') return { problem: `${says}, which can’t be read: ${result.reason}` }
    if (result.status < 200 || result.status > 299)
      return { problem: `${says}, which can’t be read: it answered ${result.status}.` }
    if (result.permanentUrl !== null && result.permanentUrl !== url) {
      url = result.permanentUrl
      if (seen.has(url)) return circle
      seen.add(url)
    }
    const reading = await parser.read(result.bytes, {
      location: result.url,
      contentType: result.headers['content-type'] ?? null,
    })
    if (reading.outcome === 'refused') return { problem: `${says}, which can’t be read: ${reading.reason}` }
    const next = reading.feed.newFeedUrl
    if (next === null || next === url) return { url }
    url = next
  }
  return { problem: `${says}, which says that it has moved again and again. It is fetched where it is.` }
}

async function takenBy(ctx: Context, feed: Feed, url: string): Promise<string | null> {
  const other = await ctx.db
    .selectFrom('feeds')
    .select('id')
    .where('url', '=', url)
    .where('id', '!=', feed.id)
    .executeTakeFirst()
  return other ? `It has moved to ${url}, which is feed ${other.id} already: one of the two can be removed.` : null
}

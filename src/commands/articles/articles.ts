// `feed try`, `poll`, `list` and `category …` on the command line; feeds.ts has the commands that change feeds. Each returns the
// exit code. `feed try` needs no database.

import { readFile, stat } from 'node:fs/promises'
import { type Actor, audit } from '../../access/audit.ts'
import type { Config } from '../../base/config.ts'
import { invalid } from '../../base/errors.ts'
import { isTimeZone } from '../../base/time-zone.ts'
import type { Context } from '../../db/context.ts'
import { addCategory, renameCategory, retireCategory } from '../../articles/categories.ts'
import { allowedHosts, listFeeds, warningOf } from '../../articles/feeds.ts'
import { mostFeedBytes } from '../../articles/feed-formats.ts'
import { cutAtWord } from '../../articles/html-text.ts'
import { parser } from '../../articles/parser.ts'
import { pollFeed } from '../../articles/poll.ts'
import { countsByCategory, listCategories } from '../../articles/store.ts'
import { type Tried, type TriedEntry, tryEntries, tryFeedUrl } from '../../articles/try-feed.ts'

interface Out {
  print(line: string): void
  error(line: string): void
}

export interface FeedTryArgs {
  /** Addresses and files, as given. */
  sources: readonly string[]
  base?: string
  /** Default: the site's. */
  timezone?: string
  json?: boolean
  /** Turns a given path into one that can be opened. */
  resolve?: (path: string) => string
}

/**
 * One line per entry, in document order. A source that isn't a feed gets a reason and doesn't stop the others; the exit code is
 * then 1.
 */
export async function feedTry(
  ctx: { config: Config; clock: Context['clock'] },
  args: FeedTryArgs,
  out: Out,
): Promise<number> {
  let exit = 0
  for (const source of args.sources) {
    const isUrl = /^(?:https?|feed):/i.test(source)
    const where = isUrl ? { url: source } : { file: source }
    const tried = await tryOne(ctx, args, source, isUrl)
    if (tried.outcome === 'feed') {
      if (!args.json)
        out.print(`${source}: ${tried.feed.format}, “${tried.feed.title}”, ${tried.entries.length} entries`)
      for (const entry of tried.entries) out.print(args.json ? JSON.stringify({ ...where, ...entry }) : inWords(entry))
      continue
    }
    exit = 1
    const reason =
      tried.outcome === 'refused'
        ? tried.reason
        : `This page names ${tried.feeds.length} feeds: ${tried.feeds.map((feed) => feed.url).join(' ')}`
    if (args.json) out.print(JSON.stringify({ ...where, error: reason, verdict: `refused: ${reason}` }))
    out.error(`${source}: ${reason}`)
  }
  return exit
}

async function tryOne(
  ctx: { config: Config; clock: Context['clock'] },
  args: FeedTryArgs,
  source: string,
  isUrl: boolean,
): Promise<Tried> {
  const timezone = args.timezone ?? ctx.config.digest.timezone
  if (!isTimeZone(timezone))
    throw invalid('timezone', `${timezone} is not a time zone. Use a name such as Europe/Berlin.`)
  const options = { now: ctx.clock.now(), firstHours: ctx.config.feeds.firstHours, base: args.base ?? null, timezone }
  if (isUrl)
    return tryFeedUrl(source, { userAgent: ctx.config.feeds.userAgent, allowHosts: allowedHosts(ctx.config) }, options)
  try {
    const path = args.resolve?.(source) ?? source
    if ((await stat(path)).size > mostFeedBytes) return { outcome: 'refused', reason: 'It is larger than 10 MB.' }
    const reading = await parser.read(await readFile(path), { base: options.base, timezone })
    if (reading.outcome === 'refused') return { outcome: 'refused', reason: reading.reason }
    return { outcome: 'feed', url: source, feed: reading.feed, entries: tryEntries(reading.feed, options) }
  } catch (error) {
    return { outcome: 'refused', reason: whyNotOpened(error) }
  }
}

export function whyNotOpened(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'There is no such file.'
  if (code === 'EACCES' || code === 'EPERM') return 'Its permissions don’t allow reading.'
  if (code === 'EISDIR') return 'It is a folder, not a file.'
  return 'It can’t be opened.'
}

function inWords(entry: TriedEntry): string {
  const { title, link, publishedAt, excerpt, cut, image, imageNote, categories, mappedTo, mappedBecause } = entry
  const lines = [
    `  ${publishedAt.slice(0, 16).replace('T', ' ')}  ${title ?? '(no title)'}`,
    `${link ?? '(no link)'}  ${entry.verdict}`,
    excerpt && `“${cutAtWord(excerpt, 160)}”`,
    cut.length > 0 && `left out: ${cut.map((text) => `“${cutAtWord(text, 80)}”`).join(', ')}`,
    image && `picture: ${image} (${imageNote})`,
    categories.length > 0 && `labels: ${categories.slice(0, 8).join(', ')}`,
    mappedTo.length > 0 && `goes to ${mappedTo.map((slug, at) => `${slug} (${mappedBecause[at]})`).join(', ')}`,
  ]
  return lines.filter(Boolean).join('\n      ')
}

/** Feeds that are due, or all active ones. Exit code 1 if one of them failed. */
export async function feedPoll(ctx: Context, args: { all?: boolean; json?: boolean }, out: Out): Promise<number> {
  const now = ctx.clock.now()
  const feeds = (await listFeeds(ctx.db)).filter(
    (feed) => feed.state === 'active' && (args.all || (feed.nextPollAt !== null && feed.nextPollAt <= now)),
  )
  let exit = 0
  for (const feed of feeds) {
    const polled = await pollFeed(ctx, feed.id)
    if (!polled) continue
    if (polled.outcome === 'failed' || polled.outcome === 'gone') exit = 1
    if (args.json) {
      out.print(JSON.stringify({ id: feed.id, url: feed.url, ...polled }))
      continue
    }
    const said =
      polled.outcome === 'polled'
        ? `${polled.report.taken} taken, ${polled.report.changed} changed, ${polled.report.ignored} ignored`
        : polled.outcome === 'failed'
          ? polled.reason
          : polled.outcome === 'gone'
            ? 'gone (410)'
            : 'nothing new'
    out.print(`${feed.url}: ${said}`)
  }
  if (feeds.length === 0 && !args.json) out.print('No feed is due.')
  return exit
}

export async function feedList(ctx: Context, args: { json?: boolean }, out: Out): Promise<number> {
  for (const feed of await listFeeds(ctx.db)) {
    const { id, url, title, state, categories, failures, lastError, lastSuccessAt, nextPollAt } = feed
    const warning = warningOf(feed)
    const { movedFrom, movedAt } = feed
    const health = { failures, lastError, warning, lastSuccessAt, nextPollAt, movedFrom, movedAt }
    if (args.json)
      out.print(
        JSON.stringify({ id, url, title, state, categories, ...health, ignoresDatesAhead: feed.ignoresDatesAhead }),
      )
    else
      out.print(
        `${id}  ${url}  ${categories.join(',') || '-'}  ${failures ? `failing: ${lastError}` : state}` +
          (warning ? `, ${warning}` : ''),
      )
  }
  return 0
}

export async function categoryAdd(
  ctx: Context,
  args: { name: string; slug?: string; description?: string; json?: boolean },
  out: Out,
): Promise<number> {
  const category = await addCategory(ctx, args)
  await log(ctx, 'category.added', `category:${category.slug}`)
  if (args.json) out.print(JSON.stringify({ id: category.id, slug: category.slug, name: category.name }))
  else out.print(`Added ${category.name} (${category.slug}).`)
  return 0
}

export async function categoryRename(
  ctx: Context,
  args: { slug: string; name: string; newSlug?: string; json?: boolean },
  out: Out,
): Promise<number> {
  const category = await renameCategory(ctx, args)
  await log(ctx, 'category.renamed', `category:${category.slug}`, { from: args.slug, name: category.name })
  if (args.json) out.print(JSON.stringify({ id: category.id, slug: category.slug, name: category.name }))
  else out.print(`${args.slug} is now ${category.name} (${category.slug}).`)
  return 0
}

export async function categoryRetire(ctx: Context, args: { slug: string; json?: boolean }, out: Out): Promise<number> {
  const category = await retireCategory(ctx, args.slug)
  await log(ctx, 'category.retired', `category:${category.slug}`)
  if (args.json) out.print(JSON.stringify({ id: category.id, slug: category.slug, retiredAt: category.retiredAt }))
  else
    out.print(`Retired ${category.name}. It is no longer offered, and no longer in digests. Nobody is mailed about it.`)
  return 0
}

export async function categoryList(ctx: Context, args: { json?: boolean }, out: Out): Promise<number> {
  const counts = await countsByCategory(ctx.db)
  for (const { id, slug, name, position, retiredAt } of await listCategories(ctx.db, { withRetired: true })) {
    const articles = counts.get(id) ?? 0
    if (args.json) out.print(JSON.stringify({ id, slug, name, position, retiredAt, articles }))
    else out.print(`${slug}  ${name}  ${retiredAt ? 'retired' : `${articles} articles`}`)
  }
  return 0
}

async function log(ctx: Context, action: string, subject: string, detail: Record<string, unknown> = {}): Promise<void> {
  const actor: Actor = 'cli'
  await ctx.db.transaction().execute((trx) => audit(trx, { at: ctx.clock.now(), actor, action, subject, detail }))
}

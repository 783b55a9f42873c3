// Commands that change feeds: add, change, pause, resume, remove, and their rules. Each returns the exit code.

import { noteAction } from '../../access/audit.ts'
import { invalid, Refusal } from '../../base/errors.ts'
import type { Context } from '../../db/context.ts'
import { discoverFeed, severalFeeds } from '../../articles/discover.ts'
import { listRules, setRules } from '../../articles/feed-rules.ts'
import { addFeed, changeFeed, getFeed, removeFeed } from '../../articles/feeds.ts'
import { readRules, ruleLine } from '../../articles/rule-lines.ts'
import {
  addSiteCategories,
  chooseCategories,
  type SiteReport,
  slugFor,
  worthAdding,
} from '../../articles/site-categories.ts'
import type { WordPressSite } from '../../articles/wordpress.ts'

interface Out {
  print(line: string): void
  error(line: string): void
}

export interface FeedAddArgs {
  url: string
  /** Our categories; for a WordPress site, the site's. */
  category?: readonly string[]
  /** For a WordPress site: all categories with stories. */
  all?: boolean
  title?: string
  ignoreDatesAhead?: boolean
  timezone?: string
  json?: boolean
}

/** 1: nothing was added, or something couldn't be added. */
export async function feedAdd(ctx: Context, args: FeedAddArgs, out: Out): Promise<number> {
  const found = await discoverFeed(ctx, args.url, { orSite: true })
  if (found.outcome === 'several') throw severalFeeds(found.feeds)
  if (found.outcome === 'site') return addFromSite(ctx, found.site, found.feeds[0]?.url, args, out)
  if (args.all)
    throw invalid('all', `${args.url} is not a WordPress site whose categories can be read. ${found.note ?? ''}`.trim())
  const feed = await addFeed(ctx, {
    url: found.url,
    categories: args.category ?? [],
    title: args.title,
    ignoresDatesAhead: args.ignoreDatesAhead,
    timezone: args.timezone,
  })
  await log(ctx, 'feed.added', feed.id, { url: feed.url })
  if (args.json) out.print(JSON.stringify({ id: feed.id, url: feed.url, categories: feed.categories }))
  else out.print(`Added feed ${feed.id}, due now: ${feed.url}`)
  if (found.note) out.error(found.note)
  return 0
}

async function addFromSite(
  ctx: Context,
  site: WordPressSite,
  wholeFeed: string | undefined,
  args: FeedAddArgs,
  out: Out,
): Promise<number> {
  for (const note of site.notes) out.error(note)
  const names = args.category ?? []
  if (names.length === 0 && !args.all) return offer(site, wholeFeed, args, out)
  const chosen = chooseCategories(site.categories, names, { all: args.all ?? false, field: 'category' })
  const left = args.all ? site.categories.filter((one) => !chosen.includes(one)) : []
  if (left.length > 0)
    out.error(
      `Left out, because they have no stories or are the default category: ${left.map(({ name }) => name).join(', ')}.`,
    )
  return sayReport(await addSiteCategories(ctx, chosen, 'cli'), args, out)
}

/** Lists the site's categories and the command to type. */
function offer(site: WordPressSite, wholeFeed: string | undefined, args: FeedAddArgs, out: Out): number {
  for (const one of site.categories) {
    const { name, count, feedUrl: url } = one
    if (args.json) out.print(JSON.stringify({ event: 'offered', name, slug: slugFor(one), stories: count, url }))
    else out.print(`  ${name}${count === null ? '' : `  (${count === 1 ? '1 story' : `${count} stories`})`}  ${url}`)
  }
  const [first, second] = site.categories.filter(worthAdding)
  const example = [first, second].flatMap((one) => one && JSON.stringify(one.name)).join(' ')
  out.error(`Nothing is added yet: ${site.home} is a WordPress site with these ${site.categories.length} categories. Next:
  feed add ${args.url} --category ${example || 'NAME…'}   (these, each with its feed)
  feed add ${args.url} --all   (all that have stories)
  feed add ${wholeFeed ?? `${site.home}feed/`} --category SLUG   (one feed of everything, in a category of ours)`)
  return 1
}

function sayReport({ added, left }: SiteReport, args: FeedAddArgs, out: Out): number {
  for (const { feedId, url, slug, name, isNew } of added) {
    if (args.json) out.print(JSON.stringify({ id: feedId, url, categories: [slug], isNewCategory: isNew }))
    else out.print(`Added feed ${feedId}, due now: ${url}, in ${name} (${slug}${isNew ? ', new' : ''})`)
  }
  for (const { name, url, why } of left) {
    if (args.json) out.print(JSON.stringify({ event: 'left', name, url, why }))
    out.error(`${name} was not added. ${why}`)
  }
  return left.length > 0 ? 1 : 0
}

export async function feedChange(
  ctx: Context,
  args: { id: string; ignoreDatesAhead?: boolean; timezone?: string; json?: boolean },
  out: Out,
): Promise<number> {
  const { ignoreDatesAhead: ignoresDatesAhead } = args
  if (ignoresDatesAhead === undefined && args.timezone === undefined)
    throw invalid('ignore-dates-ahead', 'Add --ignore-dates-ahead, --no-ignore-dates-ahead or --timezone ZONE.')
  const timezone = args.timezone === 'site' ? null : args.timezone
  const feed = await changeFeed(ctx, { id: feedId(args.id), ignoresDatesAhead, timezone })
  await log(ctx, 'feed.changed', feed.id, { ignoresDatesAhead, timezone })
  const { id, url } = feed
  if (args.json) {
    out.print(JSON.stringify({ id, url, ignoresDatesAhead: feed.ignoresDatesAhead, timezone: feed.timezone }))
    return 0
  }
  if (ignoresDatesAhead !== undefined)
    out.print(
      feed.ignoresDatesAhead
        ? `${url}: dates in the future are ignored, so no story waits.`
        : `${url}: stories wait for their date.`,
    )
  if (timezone !== undefined)
    out.print(`${url}: dates without a time zone are read as ${feed.timezone ?? 'the site’s time zone'}.`)
  return 0
}

export async function feedSwitch(
  ctx: Context,
  args: { id: string; state: 'active' | 'paused'; json?: boolean },
  out: Out,
): Promise<number> {
  const { id, url, state } = await changeFeed(ctx, { id: feedId(args.id), state: args.state })
  await log(ctx, state === 'active' ? 'feed.resumed' : 'feed.paused', id)
  if (args.json) out.print(JSON.stringify({ id, url, state }))
  else
    out.print(
      state === 'active' ? `Resumed ${url}. It is due now.` : `Paused ${url}. To fetch it again: feed resume ${id}`,
    )
  return 0
}

/** The caller has confirmed. */
export async function feedRemove(ctx: Context, args: { id: string; json?: boolean }, out: Out): Promise<number> {
  const { id, url } = await getFeed(ctx.db, feedId(args.id))
  await removeFeed(ctx, id)
  await log(ctx, 'feed.removed', id, { url })
  if (args.json) out.print(JSON.stringify({ id, url, removed: true }))
  else out.print(`Removed ${url}. Its stories stay.`)
  return 0
}

export async function feedRuleList(ctx: Context, args: { id: string; json?: boolean }, out: Out): Promise<number> {
  const rules = await listRules(ctx.db, await ruledFeed(ctx, args.id))
  for (const [index, rule] of rules.entries())
    out.print(args.json ? JSON.stringify({ number: index + 1, ...rule }) : `${index + 1}  ${ruleLine(rule)}`)
  if (rules.length === 0 && !args.json) out.print('No rules.')
  return 0
}

export async function feedRuleAdd(
  ctx: Context,
  args: { id: string; rule: string; json?: boolean },
  out: Out,
): Promise<number> {
  const feed = await ruledFeed(ctx, args.id)
  const [rule, ...more] = readRules(args.rule)
  if (!rule || more.length > 0) throw invalid('rule', 'Give one rule: “label: Parliament = politics”.')
  await setRules(ctx, feed, [...(await listRules(ctx.db, feed)), rule])
  const rules = await listRules(ctx.db, feed)
  const added = rules.at(-1)!
  await log(ctx, 'feed.mapped', feed ?? 'all', { added: ruleLine(added) })
  if (args.json) out.print(JSON.stringify({ number: rules.length, ...added }))
  else out.print(`Added rule ${rules.length}: ${ruleLine(added)}. It applies from the next poll on.`)
  return 0
}

export async function feedRuleRemove(
  ctx: Context,
  args: { id: string; number: number; json?: boolean },
  out: Out,
): Promise<number> {
  const feed = await ruledFeed(ctx, args.id)
  const rules = await listRules(ctx.db, feed)
  const [removed] = rules.splice(args.number - 1, 1)
  if (!removed)
    throw new Refusal('not_found', `There is no rule ${args.number}. To see the rules: feed rule list ${args.id}`)
  await setRules(ctx, feed, rules)
  await log(ctx, 'feed.mapped', feed ?? 'all', { removed: ruleLine(removed) })
  if (args.json) out.print(JSON.stringify({ ...removed, removed: true }))
  else out.print(`Removed rule: ${ruleLine(removed)}. This applies from the next poll on.`)
  return 0
}

/** null: the rules of all feeds. */
async function ruledFeed(ctx: Context, given: string): Promise<number | null> {
  return given === 'all' ? null : (await getFeed(ctx.db, feedId(given))).id
}

function feedId(given: string): number {
  if (!/^\d{1,9}$/.test(given))
    throw invalid('id', `${given} is not the number of a feed. To see the numbers: feed list`)
  return Number(given)
}

async function log(
  ctx: Context,
  action: string,
  feed: number | 'all',
  detail: Record<string, unknown> = {},
): Promise<void> {
  await noteAction(ctx, { actor: 'cli', action, subject: `feed:${feed}`, detail })
}

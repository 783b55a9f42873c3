// WebSub: if a feed offers a hub and the hub can reach our address, we subscribe. A subscription counts once the hub has verified
// it (we only confirm our own requests), a push once its signature is right. Polling continues, more slowly.
//
// Every poll calls renewHub, even one that brought nothing. The lease is renewed in its second half, at the latest an hour before
// its end. A hub that doesn't answer or refuses is asked again after six hours.

import { createHmac, timingSafeEqual } from 'node:crypto'
import { randomSecret } from '../base/tokens.ts'
import { isLoopbackHost } from '../base/loopback.ts'
import type { Context } from '../db/context.ts'
import type { Feed } from '../db/schema.ts'
import type { ParsedFeed } from './entry.ts'
import { beginReadingPush, forgetReading } from './attempts.ts'
import { allowedHosts, timezoneOf } from './feeds.ts'
import { storeFeed } from './feed-store.ts'
import { cleanSpace, cutAtWord } from './html-text.ts'
import { parser as ownParser, type Parser } from './parser.ts'
import { type FetchResult, safeFetch } from './safe-fetch.ts'
import { addressOf } from '../base/addresses.ts'

const leaseSeconds = 7 * 86_400
const askAgainMs = 6 * 3_600_000
const hourMs = 3_600_000

export interface Hub {
  hubUrl: string | null
  topic: string
}

/** Our address for the hub. Only the hub knows the last part, so nobody else can prolong or end a subscription by GET. */
export function hubCallback(ctx: Pick<Context, 'config'>, feedId: number, secret: string): string {
  return addressOf(ctx.config, `/websub/${feedId}/${callbackKey(secret)}`)
}

function callbackKey(secret: string): string {
  return createHmac('sha256', secret).update('callback').digest('base64url').slice(0, 22)
}

/** When to ask the hub (again); null: the feed has none. Pure. */
export function hubDueAt(
  feed: Pick<Feed, 'hubUrl' | 'hubExpiresAt' | 'hubAskedAt' | 'hubDenied'>,
  now: Date,
): Date | null {
  if (!feed.hubUrl) return null
  if (!feed.hubAskedAt) return now
  const askedAt = feed.hubAskedAt.getTime()
  const again = askedAt + askAgainMs
  if (!feed.hubExpiresAt || feed.hubDenied !== null) return new Date(again)
  const expiresAt = feed.hubExpiresAt.getTime()
  // Half of the lease, but at most a day before its end. A short lease is renewed at most once an hour.
  const renewAt = Math.max(expiresAt - Math.min((expiresAt - askedAt) / 2, 24 * hourMs), askedAt + hourMs)
  return new Date(expiresAt <= now.getTime() ? Math.min(again, renewAt) : renewAt)
}

/** Called after each successful poll. Asks the hub if the subscription is new, or the lease ends soon. */
export async function renewHub(ctx: Context, feedId: number, hub: Hub): Promise<void> {
  if (isLoopbackHost(new URL(ctx.config.web.publicUrl).hostname)) return
  const feed = await ctx.db.selectFrom('feeds').selectAll().where('id', '=', feedId).executeTakeFirst()
  if (!feed || feed.state !== 'active') return
  if (!hub.hubUrl) return feed.hubUrl === null ? undefined : forget(ctx, feedId)
  const now = ctx.clock.now()
  const isKnown = feed.hubUrl === hub.hubUrl && feed.hubTopic === hub.topic
  if (isKnown && hubDueAt(feed, now)! > now) return
  const secret = (isKnown && feed.hubSecret) || randomSecret()
  await ctx.db
    .updateTable('feeds')
    .set({ hubUrl: hub.hubUrl, hubTopic: hub.topic, hubSecret: secret, hubAskedAt: now, hubDenied: null })
    .set(isKnown ? {} : { hubExpiresAt: null })
    .where('id', '=', feedId)
    .execute()
  const answer = await ask(ctx, hub.hubUrl, {
    'hub.mode': 'subscribe',
    'hub.topic': hub.topic,
    'hub.callback': hubCallback(ctx, feedId, secret),
    'hub.secret': secret,
    'hub.lease_seconds': String(leaseSeconds),
  })
  if (answer.outcome === 'failed' || answer.status > 299) {
    const reason = answer.outcome === 'fetched' ? `It answered ${answer.status}.` : answer.reason
    ctx.log.info({ feedId, reason }, 'a hub refused')
    await deny(ctx, feedId, reason)
  }
}

/** The feed no longer offers a hub. Pushes from the old hub aren't accepted any more. */
async function forget(ctx: Context, feedId: number): Promise<void> {
  const nothing = {
    hubUrl: null,
    hubTopic: null,
    hubSecret: null,
    hubExpiresAt: null,
    hubAskedAt: null,
    hubDenied: null,
  }
  await ctx.db.updateTable('feeds').set(nothing).where('id', '=', feedId).execute()
}

/** One POST. A hub that has moved answers 307 or 308, which repeat the POST. */
async function ask(ctx: Context, hubUrl: string, fields: Record<string, string>): Promise<FetchResult> {
  let url = hubUrl
  for (let hop = 0; ; hop++) {
    const answer = await safeFetch(url, {
      userAgent: ctx.config.feeds.userAgent,
      allowHosts: allowedHosts(ctx.config),
      method: 'POST',
      mostBytes: 100_000,
      form: new URLSearchParams(fields),
    })
    const next =
      answer.outcome === 'fetched' && (answer.status === 307 || answer.status === 308)
        ? URL.parse(answer.headers.location ?? '', url)
        : null
    if (!next || hop === 3) return answer
    url = next.href
  }
}

async function deny(ctx: Context, feedId: number, reason: string): Promise<void> {
  const hubDenied = cutAtWord(cleanSpace(reason) || 'It gave no reason.', 200)
  await ctx.db.updateTable('feeds').set({ hubDenied, hubExpiresAt: null }).where('id', '=', feedId).execute()
}

/**
 * The hub's GET: it verifies a request, or refuses it. Returns the response, or null (404): not ours. Safe to repeat: only the
 * lease changes.
 */
export async function verifyHub(
  ctx: Context,
  feedId: number,
  key: string,
  query: Record<string, unknown>,
): Promise<string | null> {
  const feed = await ctx.db.selectFrom('feeds').selectAll().where('id', '=', feedId).executeTakeFirst()
  if (!feed?.hubSecret || !isSame(key, callbackKey(feed.hubSecret)) || query['hub.topic'] !== feed.hubTopic) return null
  const reason = query['hub.reason']
  if (query['hub.mode'] === 'denied') {
    await deny(ctx, feedId, typeof reason === 'string' ? reason : '')
    return ''
  }
  const challenge = query['hub.challenge']
  if (query['hub.mode'] !== 'subscribe' || feed.state !== 'active') return null
  if (typeof challenge !== 'string' || challenge.length > 2000) return null
  const granted = Number(query['hub.lease_seconds'])
  const lease = granted > 0 ? Math.min(granted, 30 * 86_400) : leaseSeconds
  const hubExpiresAt = new Date(ctx.clock.now().getTime() + lease * 1000)
  await ctx.db.updateTable('feeds').set({ hubExpiresAt, hubDenied: null }).where('id', '=', feedId).execute()
  return challenge
}

/** Whether a push to this address may be valid, checked before its body is read. */
export async function isPushable({ db }: Context, feedId: number, key: string): Promise<boolean> {
  const feed = await db.selectFrom('feeds').select('hubSecret').where('id', '=', feedId).executeTakeFirst()
  return typeof feed?.hubSecret === 'string' && isSame(key, callbackKey(feed.hubSecret))
}

/** A push. One with a wrong signature is ignored silently, as the specification requires. `gone` tells the hub to stop. */
export async function receivePush(
  ctx: Context,
  feedId: number,
  body: Buffer,
  headers: { signature: string | undefined; contentType: string | undefined },
  parser: Parser = ownParser,
): Promise<'ingested' | 'ignored' | 'gone'> {
  const feed = await ctx.db.selectFrom('feeds').selectAll().where('id', '=', feedId).executeTakeFirst()
  if (!feed) return 'gone'
  if (!feed.hubSecret || feed.state !== 'active' || !isSigned(body, headers.signature, feed.hubSecret)) return 'ignored'
  const reading = await readPush(ctx, feed, body, headers.contentType ?? null, parser)
  if (!reading) return 'ignored'
  await storeFeed(ctx, feed, reading, ctx.clock.now(), feed.nextPollAt ? { nextPollAt: feed.nextPollAt } : {})
  return 'ingested'
}

/** null: it isn't a feed, or the feed backs off after a document that crashed its parser. */
async function readPush(
  ctx: Context,
  feed: Feed,
  body: Buffer,
  contentType: string | null,
  parser: Parser,
): Promise<ParsedFeed | null> {
  const reading = await parser
    .read(
      body,
      { location: feed.url, contentType, timezone: timezoneOf(ctx.config, feed) },
      {
        before: async () => {
          if (!(await beginReadingPush(ctx, feed, ctx.clock.now()))) throw new BacksOff()
        },
      },
    )
    .catch((error: unknown) => {
      if (error instanceof BacksOff) return null
      throw error
    })
  if (reading?.outcome === 'feed') return reading.feed
  if (reading && !reading.isFatal) await forgetReading(ctx, feed)
  return null
}

class BacksOff extends Error {}

function isSigned(body: Buffer, header: string | undefined, secret: string): boolean {
  const [method, given] = (header ?? '').split('=', 2)
  if (!given || !['sha1', 'sha256', 'sha384', 'sha512'].includes(method!)) return false
  return isSame(given.toLowerCase(), createHmac(method!, secret).update(body).digest('hex'))
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/** `Link: <https://hub.example/>; rel="hub", <https://…>; rel="self"`, absolute. */
export function hubLink(header: string | undefined, location: string): { hub?: string; self?: string } {
  const found: Record<string, string> = {}
  for (const [, written, rels] of (header ?? '').matchAll(/<([^<>]*)>[^,<]*?;\s*rel\s*=\s*("[^"]*"|[^\s;,"]+)/gi)) {
    const url = URL.parse(written!, location)?.href
    for (const rel of rels!.replaceAll('"', '').toLowerCase().split(/\s+/)) if (url) found[rel] ??= url
  }
  return found
}

// WebSub: where a feed offers a hub and we have an address that it can reach, we ask to be told. A subscription counts once the
// hub has asked back (we only agree to what we asked for), a push once its signature is right. Polling goes on, more slowly.

import { createHmac, timingSafeEqual } from 'node:crypto'
import { randomSecret } from '../base/tokens.ts'
import { isLoopbackHost } from '../base/config.ts'
import type { Context } from '../db/context.ts'
import { allowedHosts } from './feeds.ts'
import { parseFeed } from './feed-formats.ts'
import { safeFetch } from './safe-fetch.ts'
import { store } from './poll.ts'

const leaseSeconds = 7 * 86_400

export interface Hub {
  hubUrl: string | null
  topic: string
}

export function hubCallback(ctx: Pick<Context, 'config'>, feedId: number): string {
  return `${ctx.config.web.publicUrl}/websub/${feedId}`
}

/** Called after each successful poll: subscribes where there is something new to subscribe to, or the lease runs out within a day. A
 * hub that doesn't answer is asked again at the next poll. */
export async function renewHub(ctx: Context, feedId: number, hub: Hub): Promise<void> {
  if (!hub.hubUrl || isLoopbackHost(new URL(ctx.config.web.publicUrl).hostname)) return
  const feed = await ctx.db.selectFrom('feeds').selectAll().where('id', '=', feedId).executeTakeFirst()
  if (!feed) return
  const now = ctx.clock.now()
  const isSame = feed.hubUrl === hub.hubUrl && feed.hubTopic === hub.topic
  if (isSame && feed.hubExpiresAt && feed.hubExpiresAt.getTime() > now.getTime() + 86_400_000) return
  const secret = (isSame && feed.hubSecret) || randomSecret()
  await ctx.db
    .updateTable('feeds')
    .set({ hubUrl: hub.hubUrl, hubTopic: hub.topic, hubSecret: secret, ...(isSame ? {} : { hubExpiresAt: null }) })
    .where('id', '=', feedId)
    .execute()
  const answer = await safeFetch(hub.hubUrl, {
    userAgent: ctx.config.feeds.userAgent,
    allowHosts: allowedHosts(ctx.config),
    method: 'POST',
    mostBytes: 100_000,
    form: new URLSearchParams({
      'hub.mode': 'subscribe',
      'hub.topic': hub.topic,
      'hub.callback': hubCallback(ctx, feedId),
      'hub.secret': secret,
      'hub.lease_seconds': String(leaseSeconds),
    }),
  })
  if (answer.outcome === 'failed' || answer.status >= 400)
    ctx.log.info({ feedId, status: answer.outcome === 'fetched' ? answer.status : answer.reason }, 'a hub refused')
}

/** The hub asks whether we meant it. Returns what to answer, or null (404): not ours. Repeats are harmless: only the lease moves. */
export async function verifyHub(ctx: Context, feedId: number, query: Record<string, unknown>): Promise<string | null> {
  const feed = await ctx.db.selectFrom('feeds').selectAll().where('id', '=', feedId).executeTakeFirst()
  const challenge = query['hub.challenge']
  if (!feed || typeof challenge !== 'string' || challenge.length > 2000 || query['hub.topic'] !== feed.hubTopic)
    return null
  if (query['hub.mode'] !== 'subscribe' || !feed.hubSecret) return null
  const lease = Math.min(Number(query['hub.lease_seconds']) || leaseSeconds, 30 * 86_400)
  const expiresAt = new Date(ctx.clock.now().getTime() + lease * 1000)
  await ctx.db.updateTable('feeds').set({ hubExpiresAt: expiresAt }).where('id', '=', feedId).execute()
  return challenge
}

/** A push. One with a wrong signature is dropped without a word, as the specification says. */
export async function receivePush(
  ctx: Context,
  feedId: number,
  body: Buffer,
  headers: { signature: string | undefined; contentType: string | undefined },
): Promise<'ingested' | 'ignored'> {
  const feed = await ctx.db.selectFrom('feeds').selectAll().where('id', '=', feedId).executeTakeFirst()
  if (!feed?.hubSecret || feed.state !== 'active' || !isSigned(body, headers.signature, feed.hubSecret))
    return 'ignored'
  const reading = parseFeed(body, { location: feed.url, contentType: headers.contentType ?? null })
  if (reading.outcome === 'refused') return 'ignored'
  await store(ctx, feed, reading.feed, ctx.clock.now(), {})
  return 'ingested'
}

function isSigned(body: Buffer, header: string | undefined, secret: string): boolean {
  const [method, given] = (header ?? '').split('=', 2)
  if (!given || !['sha1', 'sha256', 'sha384', 'sha512'].includes(method!)) return false
  const expected = createHmac(method!, secret).update(body).digest()
  const actual = Buffer.from(given, 'hex')
  return actual.length === expected.length && timingSafeEqual(actual, expected)
}

// Mails don't show pictures with http: addresses. Most of their hosts also support https:. So each host is asked once in 30 days,
// with one of its pictures. Safe to repeat; two processes that ask at once write the same.

import type { Config } from '../base/config.ts'
import type { Context } from '../db/context.ts'
import type { Entry } from './entry.ts'
import { allowedHosts } from './feeds.ts'
import { type FetchOptions, type FetchResult, safeFetch } from './safe-fetch.ts'

const rememberedDays = 30
/** Per document. If a feed's pictures are on more hosts, the others are asked at its next polls. */
const mostAsked = 3
const patienceMs = 5_000

type Fetch = (url: string, options: FetchOptions) => Promise<FetchResult>

/** The entries, with https: pictures if their hosts support it. */
export async function withSecurePictures(
  ctx: Context,
  entries: readonly Entry[],
  now: Date,
  fetch: Fetch = safeFetch,
): Promise<readonly Entry[]> {
  const examples = new Map<string, string>()
  for (const { image } of entries) {
    const url = plainAddress(image)
    if (url && !examples.has(url.hostname)) examples.set(url.hostname, url.href)
  }
  if (examples.size === 0) return entries
  const known = await ctx.db
    .selectFrom('pictureHosts')
    .selectAll()
    .where('host', 'in', [...examples.keys()])
    .execute()
  const since = now.getTime() - rememberedDays * 86_400_000
  const isSecure = new Map(known.map(({ host, isSecure }) => [host, isSecure]))
  const fresh = new Set(known.filter(({ checkedAt }) => checkedAt.getTime() > since).map(({ host }) => host))
  const asked = [...examples].filter(([host]) => !fresh.has(host)).slice(0, mostAsked)
  await Promise.all(
    asked.map(async ([host, url]) => {
      const answer = { isSecure: await hasSecure(ctx.config, url, fetch), checkedAt: now }
      isSecure.set(host, answer.isSecure)
      await ctx.db
        .insertInto('pictureHosts')
        .values({ host, ...answer })
        .onConflict((conflict) => conflict.column('host').doUpdateSet(answer))
        .execute()
    }),
  )
  return entries.map((entry) => {
    const url = plainAddress(entry.image)
    return url && isSecure.get(url.hostname) ? { ...entry, image: securely(url.href) } : entry
  })
}

/** The http: address at the default port. null: https: already, or another port, which says nothing about https:. */
function plainAddress(image: string | null): URL | null {
  const url = image?.startsWith('http:') ? URL.parse(image) : null
  return url && url.port === '' ? url : null
}

function securely(url: string): string {
  return url.replace(/^http:/, 'https:')
}

async function hasSecure(config: Config, url: string, fetch: Fetch): Promise<boolean> {
  const result = await fetch(securely(url), {
    userAgent: config.feeds.userAgent,
    allowHosts: allowedHosts(config),
    accept: 'image/*',
    timeoutMs: patienceMs,
  })
  return (
    result.outcome === 'fetched' &&
    result.status === 200 &&
    result.url.startsWith('https:') &&
    (result.headers['content-type'] ?? '').startsWith('image/')
  )
}

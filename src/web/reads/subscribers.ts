// Subscribers as the console and the API show them: rows with what each has chosen, newest first.

import { listCategories } from '../../articles/store.ts'
import { parseEmailAddress } from '../../base/email-address.ts'
import type { Context } from '../../db/context.ts'
import type { Frequency, Subscriber, SubscriberStatus } from '../../db/schema.ts'
import { expiryOf } from '../../subscribers/links.ts'
import { linesOf, selectSubscribers, type SubscriptionLine } from '../../subscribers/store.ts'

type Reading = Pick<Context, 'db' | 'clock'>

/** A sign-up that waits to be confirmed. */
export interface OpenRequest {
  requestedAt: Date
  /** The link in its mail is too old. */
  isExpired: boolean
  /** Of offered categories: what confirming would choose. */
  choices: { slug: string; name: string; frequency: Frequency }[]
}

export interface ShownSubscriber extends Subscriber {
  subscriptions: SubscriptionLine[]
  request: OpenRequest | null
}

export interface SubscriberFilter {
  limit: number
  /** Only ids below. */
  before?: number | undefined
  status?: SubscriberStatus | undefined
}

export async function listSubscribers(ctx: Reading, filter: SubscriberFilter): Promise<ShownSubscriber[]> {
  let query = selectSubscribers(ctx.db).orderBy('id', 'desc').limit(filter.limit)
  if (filter.before !== undefined) query = query.where('id', '<', filter.before)
  if (filter.status) query = query.where('status', '=', filter.status)
  return withSubscriptions(ctx, await query.execute())
}

/** One or none. What isn't an address finds nobody. */
export async function findSubscribersByAddress(ctx: Reading, email: string): Promise<ShownSubscriber[]> {
  const address = parseEmailAddress(email)
  if (!address) return []
  return withSubscriptions(ctx, await selectSubscribers(ctx.db).where('emailKey', '=', address.key).execute())
}

export async function findShownSubscriber(ctx: Reading, id: number): Promise<ShownSubscriber | undefined> {
  const rows = await selectSubscribers(ctx.db).where('id', '=', id).execute()
  return (await withSubscriptions(ctx, rows))[0]
}

async function withSubscriptions(ctx: Reading, rows: readonly Subscriber[]): Promise<ShownSubscriber[]> {
  if (rows.length === 0) return []
  const lines = await ctx.db
    .selectFrom('subscriptions')
    .innerJoin('categories', 'categories.id', 'subscriptions.categoryId')
    .select(['subscriberId', 'categoryId', 'slug', 'name', 'frequency', 'subscriptions.position'])
    .where(
      'subscriberId',
      'in',
      rows.map((row) => row.id),
    )
    .where('retiredAt', 'is', null)
    .orderBy('subscriptions.position')
    .orderBy('categories.position')
    .orderBy('categories.id')
    .execute()
  const requests = await listOpenRequests(ctx, rows)
  return rows.map((row) => ({
    ...row,
    subscriptions: lines.filter((line) => line.subscriberId === row.id),
    request: requests.get(row.id) ?? null,
  }))
}

/** By subscriber. Those of an earlier generation have ended. */
async function listOpenRequests(
  { db, clock }: Reading,
  rows: readonly Subscriber[],
): Promise<Map<number, OpenRequest>> {
  const requests = await db
    .selectFrom('signupRequests')
    .innerJoin('subscribers', (join) =>
      join
        .onRef('subscribers.id', '=', 'signupRequests.subscriberId')
        .onRef('subscribers.generation', '=', 'signupRequests.generation'),
    )
    .select(['subscriberId', 'choices', 'requestedAt'])
    .where(
      'subscriberId',
      'in',
      rows.map((row) => row.id),
    )
    .where('usedAt', 'is', null)
    .execute()
  if (requests.length === 0) return new Map()
  const categories = await listCategories(db)
  const now = clock.now()
  return new Map(
    requests.map(({ subscriberId, requestedAt, choices }) => [
      subscriberId,
      {
        requestedAt,
        isExpired: expiryOf('confirm', requestedAt) <= now,
        choices: linesOf(choices, categories).map(({ categoryId, frequency }) => {
          const { slug, name } = categories.find(({ id }) => id === categoryId)!
          return { slug, name, frequency }
        }),
      },
    ]),
  )
}

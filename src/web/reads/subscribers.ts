// Subscribers as the console and the API show them: rows with what each has chosen, newest first.

import { parseEmailAddress } from '../../base/email-address.ts'
import type { Db } from '../../db/connect.ts'
import type { Subscriber, SubscriberStatus } from '../../db/schema.ts'
import { selectSubscribers, type SubscriptionLine } from '../../subscribers/store.ts'

export interface ShownSubscriber extends Subscriber {
  subscriptions: SubscriptionLine[]
}

export interface SubscriberFilter {
  limit: number
  /** Only ids below. */
  before?: number | undefined
  status?: SubscriberStatus | undefined
}

export async function listSubscribers(db: Db, filter: SubscriberFilter): Promise<ShownSubscriber[]> {
  let query = selectSubscribers(db).orderBy('id', 'desc').limit(filter.limit)
  if (filter.before !== undefined) query = query.where('id', '<', filter.before)
  if (filter.status) query = query.where('status', '=', filter.status)
  return withSubscriptions(db, await query.execute())
}

/** One or none. What isn't an address finds nobody. */
export async function findSubscribersByAddress(db: Db, email: string): Promise<ShownSubscriber[]> {
  const address = parseEmailAddress(email)
  if (!address) return []
  return withSubscriptions(db, await selectSubscribers(db).where('emailKey', '=', address.key).execute())
}

export async function findShownSubscriber(db: Db, id: number): Promise<ShownSubscriber | undefined> {
  const rows = await selectSubscribers(db).where('id', '=', id).execute()
  return (await withSubscriptions(db, rows))[0]
}

async function withSubscriptions(db: Db, rows: readonly Subscriber[]): Promise<ShownSubscriber[]> {
  if (rows.length === 0) return []
  const lines = await db
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
  return rows.map((row) => ({ ...row, subscriptions: lines.filter((line) => line.subscriberId === row.id) }))
}

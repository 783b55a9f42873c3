// Reads subscribers for other folders, and the lock that every change of a subscriber takes first.

import { Refusal } from '../base/errors.ts'
import type { Db, Trx } from '../db/connect.ts'
import type { Category, Frequency, Subscriber } from '../db/schema.ts'

/** Rows of the type Subscriber, to be filtered. */
export function selectSubscribers(db: Db) {
  return db
    .selectFrom('subscribers')
    .leftJoin('dueTimes', 'dueTimes.subscriberId', 'subscribers.id')
    .selectAll('subscribers')
    .select('dueTimes.nextDueAt')
}

export async function findSubscriber(db: Db, id: number): Promise<Subscriber | undefined> {
  return selectSubscribers(db).where('id', '=', id).executeTakeFirst()
}

/** By the case-folded address: parseEmailAddress(…).key. */
export async function findSubscriberByKey(db: Db, emailKey: string): Promise<Subscriber | undefined> {
  return selectSubscribers(db).where('emailKey', '=', emailKey).executeTakeFirst()
}

/**
 * Serialises changes of one subscriber. Statements that only refer to the row (such as a claim that adds a row to `reading`) don't
 * wait.
 */
export async function lockSubscriber(trx: Trx, id: number): Promise<Subscriber | undefined> {
  return selectSubscribers(trx).where('id', '=', id).forNoKeyUpdate('subscribers').executeTakeFirst()
}

export interface SubscriptionLine {
  categoryId: number
  slug: string
  name: string
  frequency: Frequency
  position: number
}

/** Of offered categories, in the subscriber's own order. */
export async function listSubscriptions(db: Db, subscriberId: number): Promise<SubscriptionLine[]> {
  return db
    .selectFrom('subscriptions')
    .innerJoin('categories', 'categories.id', 'subscriptions.categoryId')
    .select(['categoryId', 'slug', 'name', 'frequency', 'subscriptions.position'])
    .where('subscriberId', '=', subscriberId)
    .where('retiredAt', 'is', null)
    .orderBy('subscriptions.position')
    .orderBy('categories.position')
    .orderBy('categories.id')
    .execute()
}

/** Turns {slug: frequency} into lines for saveSubscriptions: first in `order` (slugs), then in the categories' own order. Pure. */
export function linesOf(
  choices: Record<string, Frequency | 'off'>,
  categories: readonly Category[],
  order: readonly string[] = [],
): { categoryId: number; frequency: Frequency; position: number }[] {
  const rank = (slug: string) => {
    const place = order.indexOf(slug)
    return place < 0 ? order.length : place
  }
  return categories
    .toSorted((a, b) => rank(a.slug) - rank(b.slug))
    .flatMap((category) => {
      const frequency = choices[category.slug]
      return frequency && frequency !== 'off' ? [{ categoryId: category.id, frequency }] : []
    })
    .map((line, position) => ({ ...line, position }))
}

/** The id of the subscriber with this address. Refuses an unknown one. */
export async function subscriberOf(db: Db, email: string): Promise<number> {
  const found = await db
    .selectFrom('subscribers')
    .select('id')
    .where('emailKey', '=', email.trim().toLowerCase())
    .executeTakeFirst()
  if (!found) throw new Refusal('not_found', `There is no subscriber ${email}.`)
  return found.id
}

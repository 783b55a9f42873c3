// "My data": all data about one subscriber, as one JSON document (GDPR articles 15 and 20).

import type { Db } from '../db/connect.ts'
import { findStories, listCategories } from '../articles/store.ts'
import { listDeliveriesOf } from '../delivery/history.ts'
import { findSubscriber, listSubscriptions } from './store.ts'

/**
 * undefined: unknown subscriber. Deliveries: those that aren't purged, newest first. Stories and categories have names; a deleted
 * story has only its number.
 */
export async function personalData(db: Db, subscriberId: number) {
  const subscriber = await findSubscriber(db, subscriberId)
  if (!subscriber) return undefined
  const { email, status, locale, timezone, sendHour, weeklyDay, monthlyDay, pausedUntil, nextDueAt } = subscriber
  const { createdAt, confirmedAt, unsubscribedAt } = subscriber
  const settings = { locale, timezone, sendHour, weeklyDay, monthlyDay, pausedUntil, nextDueAt }
  const subscriptions = await listSubscriptions(db, subscriberId)
  const consents = await db
    .selectFrom('consents')
    .select(['action', 'at', 'wording', 'wordingVersion', 'language', 'ip', 'formUrl', 'detail'])
    .where('subscriberId', '=', subscriberId)
    .orderBy('id')
    .execute()
  const requests = await db
    .selectFrom('signupRequests')
    .select(['requestedAt', 'usedAt', 'choices', 'timezone', 'consentVersion'])
    .where('subscriberId', '=', subscriberId)
    .orderBy('id')
    .execute()
  const reading = await db
    .selectFrom('reading')
    .select(['watermarks', 'seen'])
    .where('subscriberId', '=', subscriberId)
    .executeTakeFirst()
  const deliveries = await listDeliveriesOf(db, subscriberId, 5000)
  const found = await findStories(db, [
    ...(reading?.seen ?? []),
    ...deliveries.flatMap(({ articleIds }) => articleIds ?? []),
  ])
  const named = (ids: readonly number[]) =>
    ids.map((id) => ({ id, title: found.get(id)?.title ?? null, link: found.get(id)?.link ?? null }))
  const names = new Map((await listCategories(db, { withRetired: true })).map(({ id, name }) => [String(id), name]))
  const unsubscribes = await db
    .selectFrom('unsubscribes')
    .select(['at', 'way', 'editionId', 'reason', 'reasonText', 'undoneAt'])
    .where('subscriberId', '=', subscriberId)
    .orderBy('id')
    .execute()
  const addressChanges = await db
    .selectFrom('addressChanges')
    .select(['email', 'previousEmail', 'requestedAt', 'usedAt', 'undoneAt'])
    .where('subscriberId', '=', subscriberId)
    .orderBy('id')
    .execute()
  const returned = await db
    .selectFrom('inboundReports')
    .innerJoin('inboundEvents', 'inboundEvents.id', 'inboundReports.eventId')
    .select(['at', 'source', 'kind', 'recipient', 'class', 'inboundReports.reason', 'status', 'diagnostic', 'effect'])
    .where('subscriberId', '=', subscriberId)
    .orderBy('inboundReports.id')
    .limit(1000)
    .execute()
  const suppression = await db
    .selectFrom('suppressions')
    .select(['reason', 'detail', 'createdAt', 'domain', 'relay', 'statusBefore'])
    .where('emailHash', '=', subscriber.emailHash)
    .executeTakeFirst()
  return {
    subscriber: { email, status, ...settings, createdAt, confirmedAt, unsubscribedAt },
    subscriptions: subscriptions.map(({ slug, name, frequency }) => ({ category: slug, name, frequency })),
    consents,
    signUpRequests: requests,
    addressChanges,
    unsubscribes,
    reading: reading
      ? {
          upTo: Object.entries(reading.watermarks).map(([id, number]) => ({ category: names.get(id) ?? id, number })),
          stories: named(reading.seen),
        }
      : null,
    mails: deliveries.map(
      ({ kind, state, reason, createdAt, settledAt, recipient, messageId, smtpReply, articleIds }) => ({
        kind,
        state,
        reason,
        createdAt,
        settledAt,
        recipient,
        messageId,
        smtpReply,
        stories: articleIds ? named(articleIds) : null,
      }),
    ),
    returnedMail: returned,
    suppression: suppression ?? null,
  }
}

// Erases a person from delivery's tables. The rows stay, because accounts must add up, but nothing in them names a person. Must
// run before the subscriber's row is deleted. A digest without a subscriber is never put on the wire, so open ones end as skipped.

import { sql } from 'kysely'
import type { Trx } from '../db/connect.ts'

/** Replaces the recipient. */
export const erased = 'erased'

/** Until the commit, nobody settles or supersedes these deliveries. */
export async function lockDeliveries(trx: Trx, subscriberId: number): Promise<void> {
  await sql`
    select d.id from editions e join deliveries d on d.edition_id = e.id
    where d.subscriber_id = ${subscriberId} order by d.id for update of d`.execute(trx)
}

/** Removes recipient, payload and the relay's replies (which quote addresses) from all deliveries of the subscriber. */
export async function forgetRecipient(trx: Trx, subscriberId: number): Promise<void> {
  await trx.deleteFrom('deliveries').where('subscriberId', '=', subscriberId).where('editionId', 'is', null).execute()
  await sql`
    update deliveries d set subscriber_id = null, recipient = ${erased}, payload = null, smtp_reply = null
    from editions e where d.edition_id = e.id and d.subscriber_id = ${subscriberId}`.execute(trx)
}

/** The same for deliveries to a former address of a subscriber who now has another one. */
export async function forgetFormerRecipient(trx: Trx, subscriberId: number, recipient: string): Promise<void> {
  await sql`delete from deliveries where subscriber_id = ${subscriberId} and edition_id is null and recipient = ${recipient}`.execute(
    trx,
  )
  await sql`
    update deliveries d set recipient = ${erased}, smtp_reply = null
    from editions e where d.edition_id = e.id and d.subscriber_id = ${subscriberId} and d.recipient = ${recipient}`.execute(
    trx,
  )
}

/** Mail to subscribers who never confirmed. Editions contain none of it. */
export async function forgetUnconfirmed(trx: Trx, subscriberIds: readonly number[]): Promise<void> {
  // Only deliveries of no edition have an index by subscriber.
  await trx
    .deleteFrom('deliveries')
    .where('editionId', 'is', null)
    .where('subscriberId', 'in', [...subscriberIds])
    .execute()
}

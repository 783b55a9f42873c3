// Erasing a person from what delivery keeps: the rows stay, as accounts must add up, but nothing in them names anyone. Must run
// before the subscriber's row goes. A digest without a subscriber is never put on the wire, so open ones end by themselves.

import { sql } from 'kysely'
import type { Trx } from '../db/connect.ts'

/** What stands for the recipient from then on. */
export const erased = 'erased'

/** Nobody settles or supersedes them until the commit. */
export async function lockDeliveries(trx: Trx, subscriberId: number): Promise<void> {
  await sql`
    select d.id from editions e join deliveries d on d.edition_id = e.id
    where d.subscriber_id = ${subscriberId} order by d.id for update of d`.execute(trx)
}

/** Recipient, payload and the relay's replies (which quote addresses) of everything that was or would be mailed. */
export async function forgetRecipient(trx: Trx, subscriberId: number): Promise<void> {
  await trx.deleteFrom('deliveries').where('subscriberId', '=', subscriberId).where('editionId', 'is', null).execute()
  await sql`
    update deliveries d set subscriber_id = null, recipient = ${erased}, payload = null, smtp_reply = null
    from editions e where d.edition_id = e.id and d.subscriber_id = ${subscriberId}`.execute(trx)
}

/** What went to a former address of somebody who is subscribed under another one. */
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

/** What was mailed to subscribers who never confirmed: no edition has them. */
export async function forgetUnconfirmed(trx: Trx, subscriberIds: readonly number[]): Promise<void> {
  // By subscriber only deliveries of no edition have an index.
  await trx
    .deleteFrom('deliveries')
    .where('editionId', 'is', null)
    .where('subscriberId', 'in', [...subscriberIds])
    .execute()
}

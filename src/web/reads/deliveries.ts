// The deliveries of one edition, by state. There is no index on `state`, because it would slow down the settling of every mail. So
// a page scans the edition's deliveries in order and stops after a limited number of rows, with a cursor to continue.

import { sql } from 'kysely'
import type { Db } from '../../db/connect.ts'
import type { Delivery } from '../../db/schema.ts'
import { findMarks, type Mark } from './returned.ts'

export const deliveryFilters = ['open', 'sent', 'failed', 'deferred', 'uncertain', 'skipped', 'returned'] as const
export type DeliveryFilter = (typeof deliveryFilters)[number]

/** The most rows scanned for one page: a fifth of a second. */
const stretch = 200_000

export type ShownDelivery = Pick<
  Delivery,
  | 'id'
  | 'subscriberId'
  | 'recipient'
  | 'state'
  | 'reason'
  | 'attempt'
  | 'smtpCode'
  | 'smtpReply'
  | 'stage'
  | 'relay'
  | 'settledAt'
  | 'nextAttemptAt'
  | 'sizeBytes'
> & {
  isOnTheWire: boolean
  /** It was sent and returned. */
  returned: Mark | null
}

/** `next` is the subscriber id to continue after. It may be set although this part of the scan found nothing. */
export async function listEditionDeliveries(
  db: Db,
  edition: { id: number },
  filter: { state?: DeliveryFilter | undefined; after?: number | undefined; limit: number },
): Promise<{ items: ShownDelivery[]; next: number | null }> {
  const walk = db
    .selectFrom('deliveries')
    .selectAll()
    .where('editionId', '=', edition.id)
    .where('subscriberId', '>', filter.after ?? 0)
    .orderBy('subscriberId')
    .limit(stretch)
    .as('walk')
  let query = db
    .selectFrom(walk)
    .select([
      'id',
      'subscriberId',
      'recipient',
      'state',
      'reason',
      'attempt',
      'smtpCode',
      'smtpReply',
      'stage',
      'relay',
      'settledAt',
      'nextAttemptAt',
      'sizeBytes',
    ])
    .select(sql<boolean>`exists (select 1 from in_flight where delivery_id = walk.id)`.as('isOnTheWire'))
    .orderBy('subscriberId')
    .limit(filter.limit + 1)
  if (filter.state === 'open') query = query.where('state', 'in', ['queued', 'deferred'])
  else if (filter.state === 'returned')
    query = query.where(sql<boolean>`exists (select 1 from returned_deliveries where delivery_id = walk.id)`)
  else if (filter.state) query = query.where('state', '=', filter.state)
  const found = await query.execute()
  const marks = await findMarks(
    db,
    found.map(({ id }) => id),
  )
  const rows = found.map((row) => ({ ...row, returned: marks.get(row.id) ?? null }))
  if (rows.length > filter.limit) {
    const items = rows.slice(0, filter.limit)
    return { items, next: items.at(-1)!.subscriberId }
  }
  return { items: rows, next: await endOfStretch(db, edition.id, filter.after ?? 0) }
}

async function endOfStretch(db: Db, editionId: number, after: number): Promise<number | null> {
  const last = await db
    .selectFrom('deliveries')
    .select('subscriberId')
    .where('editionId', '=', editionId)
    .where('subscriberId', '>', after)
    .orderBy('subscriberId')
    .offset(stretch - 1)
    .limit(1)
    .executeTakeFirst()
  return last?.subscriberId ?? null
}

// Wakes the delivery workers by a notification, and the tick by a chore. If either is lost, the work starts a poll interval or a
// minute later.

import { sql } from 'kysely'
import type { Db, Trx } from '../db/connect.ts'
import type { Queue } from '../db/queue.ts'
import type { Lane } from '../db/schema.ts'

/** Workers LISTEN on it. */
export const deliveryChannel = 'broadsheet_delivery'

/** Within the transaction that creates the deliveries: workers are notified at its commit. */
export async function wakeWorkers(db: Db, lane: Lane = 'digest'): Promise<void> {
  await sql`select pg_notify(${deliveryChannel}, ${lane})`.execute(db)
}

/** After a trigger: the tick runs now instead of at the next minute. */
export async function wakeTick({ db, queue }: { db: Db; queue: Queue }): Promise<void> {
  await db.transaction().execute((trx: Trx) => queue.enqueue(trx, 'tick', {}, 'triggered'))
}

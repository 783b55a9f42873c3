// What five attempts couldn't apply, taken up again: after a repair, or a new version that reads it.

import { sql } from 'kysely'
import { type Actor, audit } from '../access/audit.ts'
import { Refusal } from '../base/errors.ts'
import type { Context } from '../db/context.ts'
import { inboundChannel } from './store.ts'

/** How many have five more attempts now. `id`: only that mail; refused if it isn't a failed one, or its text is deleted already
 * (30 days). Safe to repeat: what waits or is applied stays as it is. */
export async function retryFailed(
  { db, clock }: Pick<Context, 'db' | 'clock'>,
  { id, actor }: { id?: number | undefined; actor: Actor },
): Promise<number> {
  return db.transaction().execute(async (trx) => {
    const rows = await trx
      .updateTable('inboundEvents')
      .set({ attempts: 0, problem: null, nextAttemptAt: sql<Date>`now()` })
      .where('nextAttemptAt', 'is', null)
      .where('appliedAt', 'is', null)
      .where((eb) => eb.or([eb('raw', 'is not', null), eb('facts', 'is not', null)]))
      .$if(id !== undefined, (query) => query.where('id', '=', id!))
      .returning('id')
      .execute()
    if (id !== undefined && rows.length === 0)
      throw new Refusal(
        'conflict',
        `No failed mail ${id} can be retried: it waits, is applied, or its text is deleted.`,
      )
    if (rows.length === 0) return 0
    const subject = id === undefined ? 'inbound' : `inbound:${id}`
    await audit(trx, { at: clock.now(), actor, action: 'inbound.retried', subject, detail: { mails: rows.length } })
    await sql`select pg_notify(${inboundChannel}, '')`.execute(trx)
    return rows.length
  })
}

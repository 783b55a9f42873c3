// Retries mails that five attempts couldn't apply: after a repair, or with a new version that can read them.

import { sql } from 'kysely'
import { type Actor, audit } from '../access/audit.ts'
import { Refusal } from '../base/errors.ts'
import type { Context } from '../db/context.ts'
import { inboundChannel } from './store.ts'

/**
 * Returns how many got five more attempts. `id`: only that mail; refused if it hasn't failed, or its text is already deleted (30
 * days). Safe to repeat: mails that wait or are applied don't change.
 */
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

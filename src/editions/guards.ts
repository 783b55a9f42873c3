// What all workers share about an edition: whether a relay has accepted a mail of it, which worker tries until then, and how many
// times in a row the sender was refused. Costs nothing while all goes well: the values come with the list of editions that every
// claim reads, and are written when they change.

import { sql } from 'kysely'
import type { Log } from '../base/log.ts'
import type { Db, Trx } from '../db/connect.ts'
import { pauseEdition } from './states.ts'
import { deliveryChannel } from './wake.ts'

/** So many refusals of the sender in a row pause an edition. */
export const streakThatPauses = 10

/** $1 worker, $2 edition. One row: this worker tries alone until the edition is proven. No row: another living worker does. */
export const guardEdition = {
  name: 'guard_edition',
  text: `insert into edition_guards as g (edition_id, worker_id) values ($2::bigint, $1::bigint)
    on conflict (edition_id) do update set worker_id = excluded.worker_id
    where g.worker_id is not distinct from excluded.worker_id
      or not exists (select from workers w where w.id = g.worker_id and w.lease_until > now())
    returning g.policy_streak`,
}

/** A relay has accepted a mail of it: every worker may send. Safe to repeat. */
export async function markProven(db: Db, editionId: number): Promise<void> {
  await sql`
    with proven as (update editions set is_proven = true where id = ${editionId} and not is_proven returning id),
      reset as (update edition_guards set policy_streak = 0 where edition_id = ${editionId} and policy_streak > 0)
    select pg_notify(${deliveryChannel}, 'digest') from proven`.execute(db)
}

/** A mail was accepted after some were refused. Safe to repeat. */
export async function clearStreak(db: Db, editionId: number): Promise<void> {
  await sql`update edition_guards set policy_streak = 0 where edition_id = ${editionId} and policy_streak > 0`.execute(
    db,
  )
}

/**
 * Counts a refusal of the sender. The tenth in a row pauses the edition. Resuming is an editor's decision, and starts as
 * cautiously as the first time.
 */
export async function countRefusal(db: Db, log: Log, editionId: number): Promise<void> {
  const isPaused = await db.transaction().execute(async (trx) => {
    const { rows } = await sql<{ streak: number }>`
      insert into edition_guards as g (edition_id, policy_streak)
      select id, 1 from editions where id = ${editionId} and state = 'sending'
      on conflict (edition_id) do update set policy_streak = g.policy_streak + 1
      returning g.policy_streak as streak`.execute(trx)
    // Mails that were on the wire when it was paused don't count against a resumed edition.
    if (!rows[0] || rows[0].streak < streakThatPauses) return false
    if (!(await pauseEdition(trx, editionId, 'policy'))) return false
    await trx
      .updateTable('editionGuards')
      .set({ policyStreak: 0, workerId: null })
      .where('editionId', '=', editionId)
      .execute()
    return true
  })
  if (isPaused)
    log.error({ edition: editionId }, 'an edition was paused: the relay refuses our mail as a matter of policy')
}

/**
 * Pauses an edition in state `sending` if too many mails of it were returned as refusals of the sender. Only those since the last
 * pause count, because the editor who resumed it knows about the others. true: this call paused it.
 */
export async function pauseForReturns(
  trx: Trx,
  editionId: number,
  { refused, most }: { refused: number; most: number },
): Promise<boolean> {
  const known = await trx
    .selectFrom('editionGuards')
    .select('returnedRefusals')
    .where('editionId', '=', editionId)
    .executeTakeFirst()
  if (refused - (known?.returnedRefusals ?? 0) < most || !(await pauseEdition(trx, editionId, 'returns'))) return false
  await sql`
    insert into edition_guards (edition_id, returned_refusals) values (${editionId}, ${refused})
    on conflict (edition_id) do update set returned_refusals = excluded.returned_refusals`.execute(trx)
  return true
}

// The mail that waits under a brake (brakes.ts), and what a decision about the brake or its end does to it.

import { type RawBuilder, sql } from 'kysely'
import type { Db, Trx } from '../db/connect.ts'
import type { Brake } from '../db/schema.ts'
import { heldStage } from './brake-rules.ts'
import { wakeWorkers } from '../editions/wake.ts'

/** Deliveries that wait under a brake and aren't leased. */
function waitsUnder(brake: Brake): RawBuilder<unknown> {
  const isCaught = sql`d.id in (select delivery_id from dead_answers where brake_id = ${brake.id})`
  const place =
    brake.domain === null
      ? sql`d.edition_id = ${brake.editionId}::bigint`
      : sql`d.edition_id in (select id from editions where closed_at is null)
          and lower(substring(d.recipient from '[^@]*$')) = ${brake.domain}`
  return sql`d.next_attempt_at is not null and d.state in ('deferred', 'uncertain') and (
    (d.lane = 'transactional' and ${isCaught}) or (d.lane = 'digest' and ${place} and (d.stage = ${heldStage} or ${isCaught})))`
}

/** How many mails wait under a brake, and how many of them haven't been tried: no answer has called their address dead. */
export async function countWaiting(db: Db, brake: Brake): Promise<{ waiting: number; untried: number }> {
  const { rows } = await sql<{ waiting: number; untried: number }>`
    select count(*)::int as waiting,
      count(*) filter (where d.id not in (select delivery_id from dead_answers where brake_id = ${brake.id}))::int as untried
    from deliveries d where ${waitsUnder(brake)}`.execute(db)
  return rows[0]!
}

/** Lets everything that waits under a brake be tried now. Returns how many. Safe to repeat. */
export async function releaseWaiting(trx: Db, brake: Brake): Promise<number> {
  const { numAffectedRows } = await sql`
    update deliveries d set next_attempt_at = now() where ${waitsUnder(brake)} and d.next_attempt_at > now()`.execute(
    trx,
  )
  await wakeWorkers(trx)
  await wakeWorkers(trx, 'transactional')
  return Number(numAffectedRows ?? 0)
}

/** Fails the waiting deliveries that got a dead answer themselves. Returns how many of each edition failed. */
export async function failCaught(trx: Trx, brake: Brake): Promise<Map<number, number>> {
  const { rows } = await sql<{ editionId: number; count: number }>`
    with failed as (
      update deliveries d set state = case when d.state = 'uncertain' then 'uncertain' else 'failed' end,
        next_attempt_at = null, settled_at = now()
      where d.id in (select delivery_id from dead_answers where brake_id = ${brake.id}) and d.next_attempt_at is not null
      returning d.edition_id, d.state
    )
    select edition_id, count(*)::int from failed where edition_id is not null and state = 'failed' group by 1`.execute(
    trx,
  )
  return new Map(rows.map(({ editionId, count }) => [editionId, count]))
}

/**
 * Fails the mail that waits under a brake in paused editions and was created before that time: no worker takes it, so it would keep
 * the brake on. Returns how many of each edition failed.
 */
export async function failOverdue(trx: Trx, brake: Brake, before: Date): Promise<Map<number, number>> {
  const { rows } = await sql<{ editionId: number; count: number }>`
    with failed as (
      update deliveries d set state = case when d.state = 'uncertain' then 'uncertain' else 'failed' end,
        next_attempt_at = null, settled_at = now()
      from editions e where e.id = d.edition_id and e.state = 'paused'
        and ${waitsUnder(brake)} and d.lane = 'digest' and d.created_at < ${before}
      returning d.edition_id, d.state
    )
    select edition_id, count(*)::int from failed where state = 'failed' group by 1`.execute(trx)
  return new Map(rows.map(({ editionId, count }) => [editionId, count]))
}

/** Whether the retry window of any mail that waits under the brake has passed. */
export async function isAnyOverdue(db: Db, brake: Brake, before: Date): Promise<boolean> {
  const { rows } = await sql<{ found: boolean }>`
    select exists (select from deliveries d where ${waitsUnder(brake)} and d.lane = 'digest' and d.created_at < ${before}) as found`.execute(
    db,
  )
  return rows[0]!.found
}

/**
 * Failed deliveries that a brake is to blame for: called dead under it, or never tried again while it was on. A condition on `d`
 * in a statement about one edition.
 */
export function failedUnder(brake: Brake): RawBuilder<unknown> {
  const place = brake.domain === null ? sql`true` : sql`lower(substring(d.recipient from '[^@]*$')) = ${brake.domain}`
  return sql`(d.id in (select delivery_id from dead_answers where brake_id = ${brake.id})
    or (d.stage = ${heldStage} and d.settled_at >= ${brake.since} and ${place}))`
}

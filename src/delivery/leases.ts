// Which workers live, by the database's clock. Workers register, renew their lease, and take over from those that stopped. The id
// of a `workers` row is the fence: a worker without its row can settle nothing, and everything that it held was given away with
// the row.

import { sql } from 'kysely'
import type { Db, Trx } from '../db/connect.ts'

/** A worker that is silent for so long counts as dead. */
export const defaultLeaseSeconds = 15
/** Beats per lease. */
export const beatsPerLease = 5

export type UncertainPolicy = 'resend' | 'hold'

/** A new worker with `connections` rows in in_flight, all idle. */
export async function registerWorker(
  db: Db,
  worker: { name: string; connections: number; leaseSeconds: number },
): Promise<number> {
  return db.transaction().execute(async (trx) => {
    const { id } = await trx
      .insertInto('workers')
      .values({
        name: worker.name,
        leaseUntil: sql<Date>`now() + ${worker.leaseSeconds}::float8 * interval '1 second'`,
      })
      .returning('id')
      .executeTakeFirstOrThrow()
    await sql`insert into in_flight (worker_id, connection) select ${id}, generate_series(0, ${worker.connections - 1}::int)`.execute(
      trx,
    )
    return id
  })
}

/**
 * Renews the lease and deletes the claims that are done. `lost`: the row is gone. `stale`: the lease had expired but nobody took
 * it over, so it is valid again.
 */
export async function renewLease(
  db: Db,
  workerId: number,
  leaseSeconds: number,
  doneClaims: readonly number[],
): Promise<'kept' | 'stale' | 'lost'> {
  if (doneClaims.length)
    await db
      .deleteFrom('claims')
      .where('workerId', '=', workerId)
      .where('id', 'in', [...doneClaims])
      .execute()
  const { rows } = await sql<{ wasStale: boolean }>`
    update workers w set lease_until = now() + ${leaseSeconds}::float8 * interval '1 second'
    from (select id, lease_until < now() as was_stale from workers where id = ${workerId} for update) old
    where w.id = old.id returning old.was_stale`.execute(db)
  return rows[0] ? (rows[0].wasStale ? 'stale' : 'kept') : 'lost'
}

export interface Reaped {
  workerId: number
  uncertain: number
  released: number
}

/**
 * Takes over from dead workers: see `takeOver`. `living`: the workers of this process. `everyone`: also workers whose lease is
 * valid, for the embedded database, which has one process.
 */
export async function reapWorkers(
  db: Db,
  living: readonly number[],
  options: { policy: UncertainPolicy; everyone: boolean },
): Promise<Reaped[]> {
  return db.transaction().execute(async (trx) => {
    const dead = await sql<{ id: number }>`
      select id from workers where id <> all(${`{${living.join(',')}}`}::bigint[])
        and (lease_until < now() or ${options.everyone}::boolean)
      order by id for update skip locked`.execute(trx)
    const reaped: Reaped[] = []
    for (const { id } of dead.rows) reaped.push(await takeOver(trx, id, options.policy))
    return reaped
  })
}

/** A worker's own end. The same as a takeover, and after a clean stop no delivery becomes uncertain. */
export async function retireWorker(db: Db, workerId: number, policy: UncertainPolicy): Promise<Reaped | null> {
  return db.transaction().execute(async (trx) => {
    const own = await sql`select id from workers where id = ${workerId} for update`.execute(trx)
    return own.rows.length ? takeOver(trx, workerId, policy) : null
  })
}

/**
 * Deliveries that its connections named on the wire become uncertain, their stories count as seen, and they are sent again once if
 * the policy allows it. All other deliveries of its claims may be claimed again at once. Deletes the worker, whose row the caller
 * has locked.
 */
async function takeOver(trx: Trx, workerId: number, policy: UncertainPolicy): Promise<Reaped> {
  const uncertain = await markUncertain(trx, workerId, policy)
  const released = await sql`
    update deliveries set next_attempt_at = now()
    where id in (select unnest(delivery_ids) from claims where worker_id = ${workerId}) and claimed_by = ${workerId}
      and next_attempt_at is null and settled_at is null`.execute(trx)
  await trx.deleteFrom('workers').where('id', '=', workerId).execute()
  return { workerId, uncertain, released: Number(released.numAffectedRows ?? 0) }
}

async function markUncertain(trx: Trx, workerId: number, policy: UncertainPolicy): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    with flight as materialized (
      select f.delivery_id, f.record from in_flight f where f.worker_id = ${workerId} and f.delivery_id is not null
    ), held as materialized (
      select d.id, d.edition_id, d.subscriber_id, d.state = 'uncertain' as was_uncertain, f.record,
        ${policy} = 'resend' and d.doubts = 0 as resend
      from deliveries d join flight f on f.delivery_id = d.id
      where d.claimed_by = ${workerId} and d.next_attempt_at is null and d.settled_at is null for update of d
    ), marked as (
      update deliveries d set state = 'uncertain', reason = null, attempt = d.attempt + 1, doubts = d.doubts + 1,
        stage = 'dot', smtp_code = null, smtp_reply = 'the worker was lost while it was on the wire',
        message_id = coalesce(h.record->>'messageId', d.message_id),
        article_ids = coalesce((select array_agg(v::int) from jsonb_array_elements_text(nullif(h.record->'articleIds', 'null')) v), d.article_ids),
        next_attempt_at = case when h.resend then now() end,
        settled_at = case when h.resend then null else now() end
      from held h where d.id = h.id returning d.id
    ), read as (
      update reading r set watermarks = r.watermarks || (h.record->'watermarks'),
        seen = r.seen || coalesce((select array_agg(v::int) from jsonb_array_elements_text(h.record->'articleIds') v), '{}')
      from held h where r.subscriber_id = h.subscriber_id and jsonb_typeof(h.record->'watermarks') = 'object'
    ), counted as (
      insert into edition_counts (edition_id, worker_id, outcome, count)
      select edition_id, ${workerId}, 'uncertain', count(*) from held
      where edition_id is not null and not was_uncertain group by edition_id
      on conflict (edition_id, worker_id, outcome) do update set count = edition_counts.count + excluded.count
    )
    select id from marked`.execute(trx)
  return rows.length
}

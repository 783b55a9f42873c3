// The brake: if a server calls implausibly many addresses dead, mail waits and no address is suppressed until an editor decides.
// Outages of large providers have caused this. answers.ts counts, and brake-rules.ts holds the limits.
//
// A brake is either for a recipient domain, across all editions and both lanes, or for an edition at one relay, across all
// domains. Answers under one brake don't count for another, so trouble at a single provider doesn't stop an edition.
//
// Anybody can type dead addresses into the sign-up form. So a brake that was caused mostly by single mails holds no digests. Under
// it, single mails are still sent, and their answers suppress no address.

import { type InsertObject, type RawBuilder, sql } from 'kysely'
import type { Db, Trx } from '../db/connect.ts'
import type { Brake, Schema } from '../db/schema.ts'
import { addCount } from '../editions/account.ts'
import { heldStage, implausible, type Measured, mostDead, newestMinutes, windowMinutes } from './brake-rules.ts'
import type { DeadAddresses } from './dead-addresses.ts'
import { brakeWord } from './outbox.ts'
import { deliveryChannel } from '../editions/wake.ts'

/** Answers of one scope are counted together. */
export type Scope = { domain: string } | { relay: string; editionId: number | null }

export function scopeKey(scope: Scope): string {
  return 'domain' in scope ? `domain ${scope.domain}` : `relay ${scope.relay} ${scope.editionId ?? ''}`
}

/** An arbitrary constant, the same in every process. */
const brakeLock = 1_801_301_003

/**
 * Until the commit, no other transaction counts or decides: twenty connections with a dead answer count one after the other. Take
 * this lock before all others.
 */
export async function lockBrakes(trx: Trx): Promise<void> {
  await sql`select pg_advisory_xact_lock(${sql.lit(brakeLock)})`.execute(trx)
}

/** Brakes that are on, oldest first. */
export async function listStanding(db: Db): Promise<Brake[]> {
  return db.selectFrom('brakes').selectAll().where('decidedAt', 'is', null).orderBy('id').execute()
}

/** Brakes whose addresses an editor confirmed as dead, while mail that waited under them can still be tried. */
export async function listBelieved(db: Db, retryHours: number): Promise<Brake[]> {
  return db
    .selectFrom('brakes')
    .selectAll()
    .where('decision', '=', 'addresses-are-dead')
    .where('decidedAt', '>', sql<Date>`now() - ${retryHours}::int * interval '1 hour'`)
    .orderBy('id', 'desc')
    .execute()
}

interface Measure extends Measured {
  /** Of the dead answers, those to digests: recent ones, and those since the first of the newest. */
  digests: { recent: number; newest: number }
  newestFrom: Date | null
}

/** The answers of a scope that no brake covers, including those of this transaction. */
async function measure(trx: Trx, scope: Scope, now: Date): Promise<Measure> {
  const { rows } = await sql<{
    newestFrom: Date | null
    recentDead: number
    recentDigests: number
    recentOthers: number
    newestDead: number
    newestDigests: number
    newestOthers: number
  }>`
    with dead as materialized (
      select at, lane from dead_answers
      where ${inScope(scope)} and brake_id is null and at > ${now}::timestamptz - ${newestMinutes} * interval '1 minute'
    ), newest as (select at from dead order by at desc offset ${mostDead} limit 1),
    others as materialized (
      select at, answers from answer_counts
      where scope = ${scopeKey(scope)} and at > ${now}::timestamptz - ${newestMinutes} * interval '1 minute'
    ), ten as (select ${now}::timestamptz - ${windowMinutes} * interval '1 minute' as at)
    select (select at from newest) as newest_from,
      (select count(*)::int from dead where at > (select at from ten)) as recent_dead,
      (select count(*)::int from dead where at > (select at from ten) and lane = 'digest') as recent_digests,
      (select coalesce(sum(answers), 0)::int from others where at > (select at from ten)) as recent_others,
      (select count(*)::int from dead where at >= (select at from newest)) as newest_dead,
      (select count(*)::int from dead where at >= (select at from newest) and lane = 'digest') as newest_digests,
      (select coalesce(sum(answers), 0)::int from others where at >= (select at from newest)) as newest_others`.execute(
    trx,
  )
  const row = rows[0]!
  return {
    recent: { dead: row.recentDead, others: row.recentOthers },
    newest: row.newestFrom && { dead: row.newestDead, others: row.newestOthers },
    digests: { recent: row.recentDigests, newest: row.newestDigests },
    newestFrom: row.newestFrom,
  }
}

/** The time since when most answers have been dead. */
async function beginningOf(trx: Trx, scope: Scope, now: Date): Promise<Date> {
  const { rows } = await sql<{ at: Date }>`
    with dead as (
      select at, count(*) over (order by at desc) as dead from dead_answers
      where ${inScope(scope)} and brake_id is null and at > ${now}::timestamptz - ${newestMinutes} * interval '1 minute'
      order by at desc limit 200
    )
    select min(at) as at from dead where dead > coalesce((
      select sum(answers) from answer_counts where scope = ${scopeKey(scope)} and at >= dead.at), 0)`.execute(trx)
  return rows[0]!.at
}

function inScope(scope: Scope): RawBuilder<unknown> {
  return 'domain' in scope
    ? sql`domain = ${scope.domain} and not returned`
    : sql`relay = ${scope.relay} and edition_id is not distinct from ${scope.editionId}::bigint and not returned`
}

/**
 * Creates a brake if the answers, including those of this transaction, are implausible. Returns null if they aren't. Undoes the
 * suppressions of the same incident, and its failed mails wait again. The caller holds lockBrakes.
 */
export async function brakeIfImplausible(
  trx: Trx,
  scope: Scope,
  at: { now: Date; retryHours: number },
  deadAddresses: DeadAddresses,
): Promise<Brake | null> {
  const measured = await measure(trx, scope, at.now)
  const why = implausible(measured)
  if (!why) return null
  const { dead, others } = measured[why]!
  const from =
    why === 'newest' ? await beginningOf(trx, scope, at.now) : new Date(at.now.getTime() - windowMinutes * 60_000)
  const isDomain = 'domain' in scope
  // If single mails already have a brake, only digests can have caused another.
  const holdsDigests = isDomain
    ? measured.digests[why] * 2 > dead || (await isOn(trx, scope))
    : scope.editionId !== null
  const brake = await addBrake(trx, {
    domain: isDomain ? scope.domain : null,
    relay: isDomain ? null : scope.relay,
    editionId: isDomain ? null : scope.editionId,
    holdsDigests,
    since: at.now,
    dead,
    answers: dead + others,
  })
  const { rows } = await sql<{ deliveryId: number }>`
    update dead_answers set brake_id = ${brake.id}
    where ${inScope(scope)} and brake_id is null and at >= ${from} and (${holdsDigests}::boolean or lane = 'transactional')
    returning delivery_id`.execute(trx)
  const deliveryIds = rows.map((row) => row.deliveryId)
  await reopenCaught(trx, deliveryIds, at.retryHours)
  await deadAddresses.restore(trx, deliveryIds)
  return brake
}

/** All workers are notified when the transaction commits. */
export async function addBrake(trx: Trx, values: InsertObject<Schema, 'brakes'>): Promise<Brake> {
  const brake = await trx.insertInto('brakes').values(values).returningAll().executeTakeFirstOrThrow()
  await sql`select pg_notify(${deliveryChannel}, ${brakeWord})`.execute(trx)
  return brake
}

/** The same for answers that were believed just before a brake was created and settled after it. Safe to repeat. */
export async function reopenLate(db: Db, retryHours: number): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const { rows } = await sql<{ deliveryId: number }>`
      select a.delivery_id from brakes b join dead_answers a on a.brake_id = b.id
      where b.decided_at is null and b.since > now() - interval '2 minutes' order by 1`.execute(trx)
    const deliveryIds = rows.map((row) => row.deliveryId)
    if (deliveryIds.length) await reopenCaught(trx, deliveryIds, retryHours)
  })
}

async function isOn(trx: Trx, { domain }: { domain: string }): Promise<boolean> {
  const brake = await trx
    .selectFrom('brakes')
    .select('id')
    .where('domain', '=', domain)
    .where('decidedAt', 'is', null)
    .executeTakeFirst()
  return brake !== undefined
}

/**
 * Deliveries that an answer of the incident ended wait like the others, and that try doesn't count. Mail of closed editions waits
 * for the editor's decision.
 */
async function reopenCaught(trx: Trx, deliveryIds: readonly number[], retryHours: number): Promise<void> {
  const ids = `{${deliveryIds.join(',')}}`
  // Lock first, so that none of them closes meanwhile.
  await sql`
    select id from editions where closed_at is null and id in (select edition_id from deliveries where id = any(${ids}::bigint[]))
    order by id for no key update`.execute(trx)
  const { rows } = await sql<{ editionId: number; count: number }>`
    with reopened as (
      update deliveries d set state = case when o.state = 'uncertain' then 'uncertain' else 'deferred' end, attempt = greatest(d.attempt - 1, 0), settled_at = null,
        next_attempt_at = case when d.lane = 'transactional' then now() + interval '5 minutes'
          else d.created_at + least(e.retry_hours, ${retryHours}::int) * interval '1 hour' + interval '1 second' end
      from deliveries o left join editions e on e.id = o.edition_id
      where d.id = any(${ids}::bigint[]) and d.state in ('failed', 'uncertain') and d.settled_at is not null and d.stage is distinct from ${heldStage} and o.id = d.id
        and (d.edition_id is null or (e.closed_at is null and e.state in ('sending', 'paused')))
      returning d.edition_id, o.state
    )
    select edition_id, count(*)::int as count from reopened where edition_id is not null and state = 'failed' group by 1 order by 1`.execute(
    trx,
  )
  for (const { editionId, count } of rows) await addCount(trx, editionId, 'failed', -count)
}

/** Stores how a brake ends. `unlessDecided`: only if there is no decision yet. Returns whether it was stored. */
export async function setDecision(
  trx: Trx,
  brakeId: number,
  { decision, by, unlessDecided = false }: Pick<Brake, 'decision'> & { by?: string; unlessDecided?: boolean },
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable('brakes')
    .set({ decision, decidedAt: sql<Date>`now()`, ...(by === undefined ? {} : { decidedBy: by }) })
    .where('id', '=', brakeId)
    .$if(unlessDecided, (query) => query.where('decidedAt', 'is', null))
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Deletes answers that nothing counts any more. Safe to repeat. */
export async function forgetAnswers(db: Db, keepBrakesFrom: Date): Promise<void> {
  await sql`delete from answer_counts where at < now() - ${newestMinutes} * interval '1 minute'`.execute(db)
  await sql`
    delete from dead_answers where brake_id is null
      and at < now() - case when returned then interval '2 days' else ${2 * newestMinutes} * interval '1 minute' end`.execute(
    db,
  )
  await db.deleteFrom('brakes').where('decidedAt', '<', keepBrakesFrom).execute()
}

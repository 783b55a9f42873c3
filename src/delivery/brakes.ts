// The brake: where a server calls implausibly many addresses dead, mail waits and nobody is suppressed until an editor decides. This
// happened to real senders in outages of large providers. What is counted: answers.ts; when it is too much: brake-rules.ts.
//
// A brake is for a recipient domain, whatever the edition and the lane, or for an edition on a relay, whatever the domain. Answers
// that one brake has caught count for no other, so a single provider's trouble doesn't stop an edition.
//
// Anybody can type dead addresses into the sign-up form. So a brake that mostly single mails brought about holds no digests: under it
// those mails go on, and suppress nobody.

import { type InsertObject, type RawBuilder, sql } from 'kysely'
import type { Db, Trx } from '../db/connect.ts'
import type { Brake, Schema } from '../db/schema.ts'
import { addCount } from '../editions/account.ts'
import { heldStage, implausible, type Measured, mostDead, newestMinutes, windowMinutes } from './brake-rules.ts'
import type { DeadAddresses } from './dead-addresses.ts'
import { brakeWord } from './outbox.ts'
import { deliveryChannel } from '../editions/wake.ts'

/** What is counted together. */
export type Scope = { domain: string } | { relay: string; editionId: number | null }

export function scopeKey(scope: Scope): string {
  return 'domain' in scope ? `domain ${scope.domain}` : `relay ${scope.relay} ${scope.editionId ?? ''}`
}

/** Any constant of its own; the same in every process. */
const brakeLock = 1_801_301_003

/** Until the commit nobody else counts or decides: twenty connections that hear "dead" at once count one after the other. To be taken
 * before anything else is locked. */
export async function lockBrakes(trx: Trx): Promise<void> {
  await sql`select pg_advisory_xact_lock(${sql.lit(brakeLock)})`.execute(trx)
}

/** Oldest first. */
export async function listStanding(db: Db): Promise<Brake[]> {
  return db.selectFrom('brakes').selectAll().where('decidedAt', 'is', null).orderBy('id').execute()
}

/** Those whose addresses an editor has called dead, for as long as what waited then can be tried. */
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
  /** Of the dead ones, those of digests: recent, and since the first of the newest. */
  digests: { recent: number; newest: number }
  newestFrom: Date | null
}

/** The answers of a scope that no brake has caught, those of this transaction included. */
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

/** Since when most of the newest answers have been dead: before that it was as always. */
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

/** Puts the brake on where the answers, with those of this transaction, can't be true; null: they may be. Whatever the same incident
 * suppressed is undone, and what failed in it waits. The caller holds lockBrakes. */
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
  // Where single mails have their brake already, only digests can have brought about another.
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

/** All workers hear of it when the transaction commits. */
export async function addBrake(trx: Trx, values: InsertObject<Schema, 'brakes'>): Promise<Brake> {
  const brake = await trx.insertInto('brakes').values(values).returningAll().executeTakeFirstOrThrow()
  await sql`select pg_notify(${deliveryChannel}, ${brakeWord})`.execute(trx)
  return brake
}

/** The same for answers that were believed just before a brake went on, and settled after it. Safe to repeat. */
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

/** What an answer of the incident had ended isn't over: it waits like the others, and that try doesn't count. Mail of closed editions
 * waits for the editor's decision. */
async function reopenCaught(trx: Trx, deliveryIds: readonly number[], retryHours: number): Promise<void> {
  const ids = `{${deliveryIds.join(',')}}`
  // First, so that none of them closes meanwhile.
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

/** Writes down how a brake ends. `unlessDecided`: only if nobody has decided yet. Says whether it did. */
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

/** Answers that nothing counts any more. Safe to repeat. */
export async function forgetAnswers(db: Db, keepBrakesFrom: Date): Promise<void> {
  await sql`delete from answer_counts where at < now() - ${newestMinutes} * interval '1 minute'`.execute(db)
  await sql`
    delete from dead_answers where brake_id is null
      and at < now() - case when returned then interval '2 days' else ${2 * newestMinutes} * interval '1 minute' end`.execute(
    db,
  )
  await db.deleteFrom('brakes').where('decidedAt', '<', keepBrakesFrom).execute()
}

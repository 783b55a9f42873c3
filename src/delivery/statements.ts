// The two statements whose cost all mails share: the claim, which only leases, and the turn (group commit).
//
// One turn serves all waiting connections in one round trip: it settles their last mails, moves their subscribers' watermarks,
// counts, names their next mails in `in_flight`, and checks again who may be mailed. Everything depends on `me`, the fence: a
// worker whose row is gone or whose lease expired changes nothing and is told so. Each part is safe to repeat, as after a commit
// whose answer was lost: a delivery is settled only while it is leased and at the attempt at which it was claimed.
//
// If a subscriber was erased while their mail was on the wire, nothing of the reply is stored: replies quote addresses.
//
// `seen` is pruned when its hundredth story is older than 60 days, not each time, because pruning costs more than the rest of the
// statement.

import type { DeliveryState, SkipReason } from '../db/schema.ts'
import type { DigestRecord } from './composer.ts'
import { erased } from './forget.ts'
import { arrayOf, type Column, type HotStatement, type HotValue, namesOf, plainArray, unnest } from './hot-query.ts'
import type { LeasedDelivery } from './lane.ts'
import type { SmtpReply } from './smtp-reply.ts'
import { isSendingHeld } from './sending-hold.ts'

/** How a leased delivery ends. */
export interface Settlement {
  delivery: LeasedDelivery
  /** null: unchanged; its lease is given back. */
  state: Exclude<DeliveryState, 'queued'> | null
  reason: SkipReason | null
  /** Seconds until it may be claimed again; null: it is final. */
  retryInSeconds: number | null
  wasTried: boolean
  isDoubt: boolean
  reply: SmtpReply | null
  /** Stored if there is no reply. */
  note: string | null
  stage: string | null
  relay: string | null
  sizeBytes: number | null
  messageId: string | null
  record: DigestRecord | null
}

/** A mail that a connection is about to send. */
export interface Naming {
  delivery: LeasedDelivery
  record: { messageId: string; articleIds?: readonly number[]; watermarks?: Record<string, number> }
  /**
   * Whose wish counts: the subscriber's (digests), the address's (suppressions only; for a confirmation only those that it can't
   * end), or nobody's (an editor signs in).
   */
  rule: 'subscriber' | 'address' | 'confirmation' | 'always'
  addressHash: string
}

/**
 * `go`: it is durable that this connection carries the mail. `hold`: its edition, or the whole site, doesn't send at the moment.
 */
export type Verdict = 'go' | 'hold' | SkipReason

const me = `me as materialized (select id from workers where id = $1::bigint and lease_until > now() for key share)`

const leasedColumns = `d.id, d.kind, d.lane, d.edition_id, d.subscriber_id, d.recipient, d.due, d.attempt, d.doubts,
  d.state = 'uncertain' as was_uncertain, d.message_id, d.article_ids, d.payload,
  extract(epoch from greatest($3::timestamptz, now()) - d.created_at)::float8 as age_seconds, p.due_at::text as due_at`

/**
 * $1 worker, $2 limit, $3 as-of, $4 edition, $5 and $6 cursor. The cursor keeps a claim from reading the dead index entries of all
 * earlier claims. Each subscriber gets a row in `reading` here, so that a turn only updates.
 */
export const claimDigests: HotStatement = {
  name: 'claim_digests',
  text: `with ${me}, picked as materialized (
      select d.id, d.next_attempt_at as due_at from deliveries d
      where d.edition_id = $4::bigint and d.lane = 'digest' and d.next_attempt_at is not null
        and d.next_attempt_at <= greatest($3::timestamptz, now())
        and (d.next_attempt_at, d.id) > ($5::timestamptz, $6::bigint) and exists (select from me) and not ${isSendingHeld}
      order by d.next_attempt_at, d.id limit $2::int for update of d skip locked
    ), leased as (
      update deliveries d set next_attempt_at = null, claimed_by = $1::bigint from picked p where d.id = p.id returning ${leasedColumns}
    ), noted as (
      insert into claims (worker_id, delivery_ids) select $1::bigint, array_agg(id) from picked having count(*) > 0 returning id
    ), readers as (
      insert into reading (subscriber_id) select l.subscriber_id from leased l
      where l.kind = 'digest' and l.subscriber_id is not null
        and not exists (select from reading r where r.subscriber_id = l.subscriber_id)
      on conflict do nothing
    )
    select leased.*, noted.id as claim_id from leased cross join noted order by leased.due_at, leased.id`,
}

/** $1 worker, $2 limit, $3 as-of. Mails of no edition: those that somebody waits for, and those in the digest lane. */
const claimSingles = (name: string, which: string): HotStatement => ({
  name,
  text: `with ${me}, picked as materialized (
      select d.id, d.next_attempt_at as due_at from deliveries d
      where ${which} and d.next_attempt_at is not null
        and d.next_attempt_at <= greatest($3::timestamptz, now()) and exists (select from me) and not ${isSendingHeld}
      order by d.next_attempt_at, d.id limit $2::int for update of d skip locked
    ), leased as (
      update deliveries d set next_attempt_at = null, claimed_by = $1::bigint from picked p where d.id = p.id returning ${leasedColumns}
    ), noted as (
      insert into claims (worker_id, delivery_ids) select $1::bigint, array_agg(id) from picked having count(*) > 0 returning id
    )
    select leased.*, noted.id as claim_id from leased cross join noted order by leased.due_at, leased.id`,
})
export const claimTransactional = claimSingles('claim_transactional', `d.lane = 'transactional'`)
export const claimSinglesOfDigestLane = claimSingles('claim_singles', `d.edition_id is null and d.lane = 'digest'`)

/**
 * $1 worker, $2 the claims that it knows. Deliveries of its other claims may be claimed again: the answers to those claims were
 * lost.
 */
export const releaseUnknown: HotStatement = {
  name: 'release_unknown',
  text: `with ${me}, unknown as (
      delete from claims c using me where c.worker_id = me.id and c.id <> all($2::bigint[]) returning c.delivery_ids
    )
    update deliveries d set next_attempt_at = now()
    where d.id in (select unnest(delivery_ids) from unknown) and d.claimed_by = $1::bigint
      and d.next_attempt_at is null and d.settled_at is null`,
}

/** Editions whose deliveries may be claimed, oldest first, with what a worker must know about them. */
export const sendingEditions: HotStatement = {
  name: 'sending_editions',
  text: `select e.id, e.retry_hours, e.is_proven, coalesce(g.policy_streak, 0) as policy_streak
    from editions e left join edition_guards g on g.edition_id = e.id
    where e.state = 'sending' order by coalesce(e.slot_at, e.created_at), e.id`,
}

/** Each column of `x` in the turn, for a settled delivery: its type and its value. */
const settleColumns: readonly Column<Settlement>[] = [
  ['id', 'bigint', ({ delivery }) => delivery.id],
  ['attempt', 'smallint', ({ delivery }) => delivery.attempt],
  ['state', 'text', ({ state }) => state],
  ['reason', 'text', ({ reason }) => reason],
  ['retry_in', 'float8', ({ retryInSeconds }) => retryInSeconds],
  ['tries', 'smallint', ({ wasTried }) => (wasTried ? 1 : 0)],
  ['doubts', 'smallint', ({ isDoubt }) => (isDoubt ? 1 : 0)],
  ['code', 'smallint', ({ reply }) => reply?.code ?? null],
  ['reply', 'text', replyText],
  ['stage', 'text', ({ stage }) => stage],
  ['relay', 'text', ({ relay }) => relay],
  ['size', 'int', ({ sizeBytes }) => sizeBytes],
  ['message_id', 'text', ({ messageId }) => messageId],
  ['article_ids', 'text', ({ record }) => (record ? plainArray(record.articleIds) : null)],
  ['watermarks', 'text', ({ record }) => (record ? JSON.stringify(record.watermarks) : null)],
  ['was_uncertain', 'boolean', ({ delivery }) => delivery.wasUncertain],
]

/** Each column of `y` in the turn, for a mail that a connection is about to send. */
const nameColumns: readonly Column<{ connection: number; name: Naming | null }>[] = [
  ['connection', 'int', ({ connection }) => connection],
  ['id', 'bigint', ({ name }) => name?.delivery.id ?? null],
  ['record', 'text', ({ name }) => (name ? JSON.stringify(name.record) : null)],
  ['edition_id', 'bigint', ({ name }) => name?.delivery.editionId ?? null],
  ['subscriber_id', 'bigint', ({ name }) => name?.delivery.subscriberId ?? null],
  ['rule', 'text', ({ name }) => name?.rule ?? 'always'],
  ['hash', 'text', ({ name }) => name?.addressHash ?? null],
]

/** The values after the worker's id ($1) and the settled columns: as-of, and the first article id that `seen` keeps. */
const asOfAt = 2 + settleColumns.length
const nameAt = asOfAt + 2

/** The values of `turn`, in the order of its parameters. */
export function turnValues(
  workerId: number,
  settle: readonly Settlement[],
  { asOf, seenFrom }: { asOf: Date | null; seenFrom: number },
  names: readonly { connection: number; name: Naming | null }[],
): HotValue[] {
  const settled = settleColumns.map((column) => arrayOf(column, settle))
  return [
    workerId,
    ...settled,
    asOf?.toISOString() ?? null,
    seenFrom,
    ...nameColumns.map((each) => arrayOf(each, names)),
  ]
}

function replyText({ reply, note }: Settlement): string | null {
  if (!reply) return note
  return reply.text.startsWith(reply.enhanced ?? ' ') || !reply.enhanced
    ? reply.text
    : `${reply.enhanced} ${reply.text}`
}

export const turn: HotStatement = {
  name: 'turn',
  text: `with ${me}, fate as materialized (
      select * from ${unnest(2, settleColumns)} as x(${namesOf(settleColumns)})
      where exists (select from me)
    ), settled as (
      update deliveries d set
        state = coalesce(x.state, d.state), reason = x.reason, attempt = d.attempt + x.tries, doubts = d.doubts + x.doubts,
        next_attempt_at = greatest($${asOfAt}::timestamptz, now()) + x.retry_in * interval '1 second',
        settled_at = case when x.retry_in is null then now() end,
        smtp_code = coalesce(x.code, d.smtp_code),
        smtp_reply = case when d.recipient <> '${erased}' then coalesce(x.reply, d.smtp_reply) end,
        stage = coalesce(x.stage, d.stage), relay = coalesce(x.relay, d.relay), size_bytes = coalesce(x.size, d.size_bytes),
        message_id = coalesce(x.message_id, d.message_id), article_ids = coalesce(x.article_ids::int[], d.article_ids)
      from fate x
      where d.id = x.id and d.claimed_by = $1::bigint and d.attempt = x.attempt and d.next_attempt_at is null and d.settled_at is null
      returning d.id, d.edition_id, d.subscriber_id, x.was_uncertain, x.watermarks, x.article_ids,
        case when x.state = 'skipped' then 'skipped:' || x.reason when x.state = 'deferred' then null else x.state end as outcome
    ), read as (
      update reading r set watermarks = r.watermarks || s.watermarks::jsonb,
        seen = case when coalesce(r.seen[100], $${asOfAt + 1}::int) >= $${asOfAt + 1}::int then r.seen || s.article_ids::int[]
          else array(select v from unnest(r.seen) v where v >= $${asOfAt + 1}::int) || s.article_ids::int[] end
      from settled s where r.subscriber_id = s.subscriber_id and s.watermarks is not null
    ), counted as (
      insert into edition_counts (edition_id, worker_id, outcome, count)
      select edition_id, $1::bigint, outcome, sum(n) from (
        select edition_id, outcome, 1 as n from settled where outcome is not null
        union all select edition_id, 'uncertain', -1 from settled where was_uncertain and outcome is not null
      ) c where edition_id is not null group by edition_id, outcome having sum(n) <> 0
      on conflict (edition_id, worker_id, outcome) do update set count = edition_counts.count + excluded.count
    ), wish as materialized (
      select y.connection, y.id, y.record, case
        when ${isSendingHeld} then 'hold'
        when y.edition_id is not null and e.state is distinct from 'sending'
          then case when e.state = 'cancelled' then 'cancelled' else 'hold' end
        when y.edition_id is not null and not e.is_proven
          and not exists (select from edition_guards g where g.edition_id = y.edition_id and g.worker_id = $1::bigint) then 'hold'
        when y.rule = 'subscriber' and s.status is distinct from 'active'
          then case when s.status = 'suppressed' then 'suppressed' else 'unsubscribed' end
        when y.rule = 'subscriber' and y.edition_id is not null and s.paused_until > now() then 'paused'
        when y.rule <> 'always' and exists (select from suppressions p
          where p.email_hash = case when y.rule = 'subscriber' then s.email_hash else y.hash end
            and (y.rule <> 'confirmation' or p.reason in ('complaint', 'manual'))) then 'suppressed'
        else 'go' end as verdict
      from ${unnest(nameAt, nameColumns)} as y(${namesOf(nameColumns)})
      left join editions e on e.id = y.edition_id
      left join subscribers s on s.id = y.subscriber_id
      where exists (select from me)
    ), named as (
      update in_flight f set
        delivery_id = case when w.verdict = 'go' then w.id end,
        record = case when w.verdict = 'go' then w.record::jsonb end, since = now()
      from wish w where f.worker_id = $1::bigint and f.connection = w.connection
    )
    select (select count(*)::int from me) as alive, w.connection, w.verdict from (select 1) one left join wish w on true`,
}

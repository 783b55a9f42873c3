// The brake for returned mail: if implausibly many sent mails come back as "this address is dead", no address is suppressed until
// an editor decides (brakes.ts). The relay's answers to these mails are too old to count, so the mails that came back in a day are
// compared with those that were sent.

import { type RawBuilder, sql } from 'kysely'
import type { Trx } from '../db/connect.ts'
import type { Brake } from '../db/schema.ts'
import type { DeadAnswer } from './answers.ts'
import { covers, exceedsShare, mostDead } from './brake-rules.ts'
import { addBrake, listBelieved, listStanding, lockBrakes } from './brakes.ts'
import type { DeadAddresses } from './dead-addresses.ts'
import { withoutAddresses } from './reasons.ts'
import { countSent, sumSent } from './sent-counts.ts'

interface Judging {
  deadAddresses: DeadAddresses
  retryHours: number
}

/** Suppresses each address, unless there is a brake for it. Answers in the same order. */
export async function judgeReturned(
  trx: Trx,
  { deadAddresses, retryHours }: Judging,
  answers: readonly DeadAnswer[],
): Promise<('suppressed' | 'braked')[]> {
  if (answers.length === 0) return []
  await lockBrakes(trx)
  const known = [...(await listStanding(trx)), ...(await listBelieved(trx, retryHours))]
  const judged: Judged[] = answers.map((answer) => ({
    answer,
    brake: known.find((each) => covers(each, answer)) ?? null,
  }))
  await trx
    .insertInto('deadAnswers')
    .values(
      judged.map(({ answer: { deliveryId, emailHash, lane, domain, relay, editionId, reply }, brake }) => ({
        at: sql<Date>`clock_timestamp()`,
        deliveryId,
        emailHash,
        lane,
        domain,
        relay,
        editionId,
        reply: withoutAddresses(reply).slice(0, 500),
        brakeId: brake?.id ?? null,
        returned: true,
      })),
    )
    .execute()
  for (const scope of await listDomainsOf(trx, judged)) await brakeAll(trx, deadAddresses, scope, judged)
  for (const scope of relaysOf(judged)) await brakeAll(trx, deadAddresses, scope, judged)
  const isBraked = ({ brake }: Judged) => brake !== null && brake.decision === null
  await deadAddresses.suppress(
    trx,
    judged.filter((each) => !isBraked(each)).map(({ answer, brake }) => ({ ...answer, brakeId: brake?.id ?? null })),
  )
  return judged.map((each) => (isBraked(each) ? 'braked' : 'suppressed'))
}

interface Judged {
  answer: DeadAnswer
  brake: Brake | null
}

/** Domains of these answers where a brake may be due. An old count of sent mails is too small, never too large. */
async function listDomainsOf(trx: Trx, judged: readonly Judged[]): Promise<Scope[]> {
  const domains = [...new Set(judged.flatMap(({ answer, brake }) => (brake ? [] : answer.domain)))]
  const { rows } = await sql<{ domain: string; dead: number; sent: number; hasSingle: boolean }>`
    with dead as (
      select domain, edition_id, count(*) as dead from dead_answers
      where domain = any(${domains}::text[]) and ${uncaught} group by 1, 2
    )
    select domain, sum(dead)::int as dead, bool_or(edition_id is null) as has_single,
      sum((select coalesce(sum(c.sent), 0) from sent_counts c where c.domain = d.domain and c.edition_id = d.edition_id))::int as sent
    from dead d group by 1 order by 1`.execute(trx)
  return rows
    .filter(
      ({ dead, sent, hasSingle }) =>
        dead > mostDead && (hasSingle || exceedsShare({ dead, others: Math.max(sent - dead, 0) })),
    )
    .map(({ domain }) => ({ domain, relay: null, editionId: null }))
}

function relaysOf(judged: readonly Judged[]): Scope[] {
  const scopes = judged
    .filter(({ brake }) => !brake)
    .map(({ answer: { relay, editionId } }) => ({ domain: null, relay, editionId }))
  return [...new Map(scopes.map((scope) => [`${scope.editionId} ${scope.relay}`, scope])).values()]
}

/** Puts a brake on all answers of a scope that have none, if so many can't be true. */
async function brakeAll(
  trx: Trx,
  deadAddresses: DeadAddresses,
  scope: Scope,
  judged: readonly Judged[],
): Promise<void> {
  const brake = await brakeReturned(trx, deadAddresses, scope)
  if (!brake) return
  for (const each of judged) {
    const { domain, relay, editionId } = each.answer
    const isOfScope = scope.domain ? scope.domain === domain : scope.relay === relay && scope.editionId === editionId
    if (isOfScope) each.brake ??= brake
  }
}

type Scope = Pick<Brake, 'domain' | 'relay' | 'editionId'>

/**
 * Creates a brake if so many dead addresses are implausible, and undoes the suppressions of the same incident. null: they are
 * plausible.
 */
async function brakeReturned(trx: Trx, deadAddresses: DeadAddresses, scope: Scope): Promise<Brake | null> {
  const { rows } = await sql<{ editionId: number | null; dead: number }>`
    select edition_id, count(*)::int as dead from dead_answers where ${ofIncident(scope)} group by 1`.execute(trx)
  const dead = rows.reduce((sum, row) => sum + row.dead, 0)
  if (dead <= mostDead) return null
  const editionIds = rows.flatMap(({ editionId }) => (editionId === null ? [] : [editionId]))
  const hasSingle = editionIds.length < rows.length
  const isTooMuch = async () => {
    const sent = (await sumSent(trx, editionIds, scope)) + (hasSingle ? await sentSingly(trx, scope) : 0)
    return { sent, is: exceedsShare({ dead, others: Math.max(sent - dead, 0) }) }
  }
  await countSent(trx, editionIds)
  if (!(await isTooMuch()).is) return null
  // More may have been sent since the last count.
  await countSent(trx, editionIds, 1)
  const { sent, is } = await isTooMuch()
  if (!is) return null
  const brake = await addBrake(trx, {
    ...scope,
    holdsDigests: editionIds.length > 0,
    since: sql<Date>`clock_timestamp()`,
    cause: 'returned',
    dead,
    answers: Math.max(sent, dead),
  })
  const caught = await sql<{ deliveryId: number }>`
    update dead_answers set brake_id = ${brake.id} where ${ofIncident(scope)} returning delivery_id`.execute(trx)
  await deadAddresses.restore(
    trx,
    caught.rows.map(({ deliveryId }) => deliveryId),
  )
  return brake
}

function ofIncident({ domain, relay, editionId }: Scope): RawBuilder<unknown> {
  const place = domain
    ? sql`domain = ${domain}`
    : sql`relay = ${relay} and edition_id is not distinct from ${editionId}::bigint`
  return sql`${place} and ${uncaught}`
}

/** As a condition on `dead_answers`: of the day, and caught by no brake. */
const uncaught = sql`returned and brake_id is null and at > now() - interval '1 day'`

/** Sign-up and other single mails of the day. */
async function sentSingly(trx: Trx, { domain, relay }: Scope): Promise<number> {
  const { rows } = await sql<{ sent: number }>`
    select count(*)::int as sent from deliveries
    where edition_id is null and created_at > now() - interval '1 day' and state in ('sent', 'uncertain')
      and ${domain ? sql`lower(substring(recipient from '[^@]*$')) = ${domain}` : sql`coalesce(relay, '') = ${relay}`}`.execute(
    trx,
  )
  return rows[0]!.sent
}

/**
 * Too many subscribers report mail at a domain as spam. No address is dead: digests to the domain wait. The caller holds
 * lockBrakes.
 */
export async function brakeComplained(
  trx: Trx,
  { domain, complaints, sent }: { domain: string; complaints: number; sent: number },
): Promise<void> {
  if ((await listStanding(trx)).some((brake) => brake.domain === domain && brake.holdsDigests)) return
  await addBrake(trx, {
    domain,
    relay: null,
    editionId: null,
    holdsDigests: true,
    since: sql<Date>`clock_timestamp()`,
    cause: 'complaints',
    dead: complaints,
    answers: sent,
  })
}

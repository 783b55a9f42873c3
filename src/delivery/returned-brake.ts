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

/** Suppresses the address, unless there is a brake for it. */
export async function judgeReturned(
  trx: Trx,
  { deadAddresses, retryHours }: Judging,
  answer: DeadAnswer,
): Promise<'suppressed' | 'braked'> {
  await lockBrakes(trx)
  const { deliveryId, emailHash, lane, domain, relay, editionId, reply } = answer
  const known = [...(await listStanding(trx)), ...(await listBelieved(trx, retryHours))]
  let brake = known.find((each) => covers(each, answer)) ?? null
  await trx
    .insertInto('deadAnswers')
    .values({
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
    })
    .execute()
  brake ??= await brakeReturned(trx, deadAddresses, { domain, relay: null, editionId: null })
  brake ??= await brakeReturned(trx, deadAddresses, { domain: null, relay, editionId })
  if (brake && brake.decision === null) return 'braked'
  await deadAddresses.suppress(trx, [{ ...answer, brakeId: brake?.id ?? null }])
  return 'suppressed'
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
  return sql`${place} and returned and brake_id is null and at > now() - interval '1 day'`
}

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

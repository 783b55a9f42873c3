// The brake for what comes back: where implausibly many of the mails that were sent come back as "this address is dead", nobody is
// suppressed until an editor decides (delivery/brakes.ts). The mails were taken once and their answers are long gone, so what came
// back in a day is held against what was sent.

import { type RawBuilder, sql } from 'kysely'
import { domainOf } from '../base/email-address.ts'
import type { Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { Brake, ReportEffect } from '../db/schema.ts'
import { covers, exceedsShare, mostDead } from '../delivery/brake-rules.ts'
import { listBelieved, listStanding, lockBrakes } from '../delivery/brakes.ts'
import { withoutAddresses } from '../delivery/reasons.ts'
import { deadAddressesOf } from '../subscribers/suppression.ts'
import type { MatchedDelivery } from './match.ts'
import { countSent } from './sent-counts.ts'

interface Dead {
  delivery: MatchedDelivery
  emailHash: string
  text: string
}

/** Suppresses the address, unless a brake is for it. */
export async function judgeDead(trx: Trx, ctx: Context, { delivery, emailHash, text }: Dead): Promise<ReportEffect> {
  await lockBrakes(trx)
  const domain = domainOf(delivery.recipient).toLowerCase()
  const course = { lane: delivery.lane, domain, relay: delivery.relay ?? '', editionId: delivery.editionId }
  const known = [...(await listStanding(trx)), ...(await listBelieved(trx, ctx.config.mail.retryHours))]
  let brake = known.find((each) => covers(each, course)) ?? null
  await trx
    .insertInto('deadAnswers')
    .values({
      ...course,
      at: sql<Date>`clock_timestamp()`,
      deliveryId: delivery.id,
      emailHash,
      reply: withoutAddresses(text).slice(0, 500),
      brakeId: brake?.id ?? null,
      returned: true,
    })
    .execute()
  brake ??= await brakeReturned(trx, ctx, { domain, relay: null, editionId: null })
  brake ??= await brakeReturned(trx, ctx, { domain: null, relay: course.relay, editionId: course.editionId })
  if (brake && brake.decision === null) return 'braked'
  await deadAddressesOf(ctx).suppress(trx, {
    email: delivery.recipient,
    emailHash,
    deliveryId: delivery.id,
    domain,
    relay: course.relay,
    reply: text,
    brakeId: brake?.id ?? null,
  })
  return 'suppressed'
}

type Scope = Pick<Brake, 'domain' | 'relay' | 'editionId'>

/** Puts a brake on where so many dead ones can't be true, and undoes what the same incident suppressed; null: they may be. */
async function brakeReturned(trx: Trx, ctx: Context, scope: Scope): Promise<Brake | null> {
  const { rows } = await sql<{ editionId: number | null; dead: number }>`
    select edition_id, count(*)::int as dead from dead_answers where ${ofIncident(scope)} group by 1`.execute(trx)
  const dead = rows.reduce((sum, row) => sum + row.dead, 0)
  if (dead <= mostDead) return null
  const editionIds = rows.flatMap(({ editionId }) => (editionId === null ? [] : [editionId]))
  const hasSingle = editionIds.length < rows.length
  const isTooMuch = async () => {
    const sent = (await sentOfEditions(trx, scope, editionIds)) + (hasSingle ? await sentSingly(trx, scope) : 0)
    return { sent, is: exceedsShare({ dead, others: Math.max(sent - dead, 0) }) }
  }
  await countSent(trx, editionIds)
  if (!(await isTooMuch()).is) return null
  // More may have been sent since it was counted.
  await countSent(trx, editionIds, 1)
  const { sent, is } = await isTooMuch()
  if (!is) return null
  const brake = await trx
    .insertInto('brakes')
    .values({
      ...scope,
      holdsDigests: editionIds.length > 0,
      since: sql<Date>`clock_timestamp()`,
      cause: 'returned',
      dead,
      answers: Math.max(sent, dead),
    })
    .returningAll()
    .executeTakeFirstOrThrow()
  const caught = await sql<{ deliveryId: number }>`
    update dead_answers set brake_id = ${brake.id} where ${ofIncident(scope)} returning delivery_id`.execute(trx)
  await deadAddressesOf(ctx).restore(
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

async function sentOfEditions(trx: Trx, { domain, relay }: Scope, editionIds: readonly number[]): Promise<number> {
  if (!editionIds.length) return 0
  const { sent } = await trx
    .selectFrom('sentCounts')
    .select((eb) => eb.fn.sum<number | null>('sent').as('sent'))
    .where('editionId', 'in', editionIds)
    .where(domain ? 'domain' : 'relay', '=', domain ?? relay!)
    .executeTakeFirstOrThrow()
  return Number(sent ?? 0)
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

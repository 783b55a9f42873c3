// What a report changes: the address is suppressed, its score rises, the subscriber is unsubscribed. Each within the transaction
// that applies its mail (apply.ts).

import { domainOf, parseEmailAddress } from '../base/email-address.ts'
import { hashAddress } from '../base/tokens.ts'
import type { Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { InboundEvent, ReportEffect } from '../db/schema.ts'
import { judgeReturned } from '../delivery/returned-brake.ts'
import { deadAddressesOf, suppress } from '../subscribers/suppression.ts'
import { unsubscribeIn } from '../subscribers/unsubscribe.ts'
import { brakeIfComplained } from './complaint-rates.ts'
import { isSameAddress, type Match, type MatchedDelivery } from './match.ts'
import type { Mark } from './returned-mark.ts'
import { hourOf, isHostGone, isWornOut, withReport } from './scores.ts'
import type { UnderstoodReport } from './understand.ts'

export interface Applying {
  ctx: Context
  pepper: string
  event: Pick<InboundEvent, 'id' | 'receivedAt'>
  match: Match | null
}

const byMailOrigin = { ip: null, formUrl: null }

export async function applyComplaint(
  trx: Trx,
  applying: Applying,
  delivery: MatchedDelivery,
  report: UnderstoodReport,
): Promise<ReportEffect> {
  const { ctx, pepper } = applying
  await unsubscribeRecipient(trx, applying, delivery)
  const address = parseEmailAddress(delivery.recipient)
  await suppress(
    trx,
    {
      emailHash: hashAddress(pepper, address?.key ?? delivery.recipient),
      email: delivery.recipient,
      reason: 'complaint',
      detail: report.text || 'called spam by its reader',
      deliveryId: delivery.id,
      domain: domainOf(delivery.recipient).toLowerCase(),
      ...(delivery.relay ? { relay: delivery.relay } : {}),
    },
    ctx.clock.now(),
  )
  await brakeIfComplained(trx, ctx, domainOf(delivery.recipient).toLowerCase())
  return 'suppressed'
}

/** A subscriber with another address by now isn't unsubscribed because of the former one. */
export async function unsubscribeRecipient(
  trx: Trx,
  applying: Applying,
  delivery: MatchedDelivery,
): Promise<ReportEffect> {
  if (delivery.subscriberId === null) return 'nothing'
  const subscriber = await trx
    .selectFrom('subscribers')
    .select('email')
    .where('id', '=', delivery.subscriberId)
    .executeTakeFirst()
  if (!subscriber || !isSameAddress(subscriber.email, delivery.recipient)) return 'nothing'
  return (await unsubscribe(trx, applying, delivery.subscriberId)) ? 'unsubscribed' : 'repeated'
}

export async function unsubscribe(trx: Trx, { ctx }: Applying, subscriberId: number): Promise<boolean> {
  const result = await unsubscribeIn(trx, ctx, subscriberId, { way: 'mail', origin: byMailOrigin })
  return result?.isNow === true
}

/** Suppresses the address, unless the brake says that the answer is implausible. */
export function applyDead(
  trx: Trx,
  { ctx }: Applying,
  { id: deliveryId, recipient: email, lane, relay, editionId }: MatchedDelivery,
  emailHash: string,
  reply: string,
): Promise<ReportEffect> {
  const judging = { deadAddresses: deadAddressesOf(ctx), retryHours: ctx.config.mail.retryHours }
  const domain = domainOf(email).toLowerCase()
  return judgeReturned(trx, judging, {
    deliveryId,
    email,
    emailHash,
    lane,
    domain,
    relay: relay ?? '',
    editionId,
    reply,
  })
}

export async function applyScore(
  trx: Trx,
  applying: Applying,
  delivery: MatchedDelivery,
  emailHash: string,
  report: UnderstoodReport,
  mark: Mark,
): Promise<ReportEffect> {
  const { ctx, event } = applying
  await trx
    .insertInto('bounceScores')
    .values({ emailHash, changedAt: event.receivedAt })
    .onConflict((conflict) => conflict.column('emailHash').doNothing())
    .execute()
  const before = await trx
    .selectFrom('bounceScores')
    .selectAll()
    .where('emailHash', '=', emailHash)
    .forUpdate()
    .executeTakeFirstOrThrow()
  const hour = hourOf(event.receivedAt)
  const isHost = mark.class === 'hard'
  const hours = withReport(isHost ? before.hostHours : before.softHours, hour)
  await trx
    .updateTable('bounceScores')
    .set({ [isHost ? 'hostHours' : 'softHours']: hours, changedAt: event.receivedAt })
    .where('emailHash', '=', emailHash)
    .execute()
  if (isHost) return isHostGone(hours) ? applyDead(trx, applying, delivery, emailHash, report.text) : 'counted'
  if (!isWornOut(hours)) return 'counted'
  await suppress(
    trx,
    {
      emailHash,
      email: delivery.recipient,
      reason: 'soft_bounces',
      detail: report.text,
      deliveryId: delivery.id,
      domain: mark.domain,
      ...(delivery.relay ? { relay: delivery.relay } : {}),
    },
    ctx.clock.now(),
  )
  return 'suppressed'
}

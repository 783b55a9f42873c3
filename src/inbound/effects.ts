// What reports change: the address is suppressed, its score rises, the subscriber is unsubscribed. Each within the transaction
// that applies their mails (apply.ts).

import { sql } from 'kysely'
import type { Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { ReportEffect } from '../db/schema.ts'
import { judgeReturned } from '../delivery/returned-brake.ts'
import { deadAddressesOf, suppress, suppressAll } from '../subscribers/suppression.ts'
import { unsubscribeIn } from '../subscribers/unsubscribe.ts'
import { brakeIfComplained } from './complaint-rates.ts'
import { isSameAddress, type MatchedDelivery } from './match.ts'
import type { Mark } from './returned-mark.ts'
import { hourOf, isHostGone, isWornOut, withReport } from './scores.ts'
import type { UnderstoodReport } from './understand.ts'

export interface Applying {
  ctx: Context
  pepper: string
}

/** A report whose delivery has just got this mark. */
export interface Marked {
  delivery: MatchedDelivery
  report: UnderstoodReport
  mark: Mark
  /** Of the delivery's recipient. */
  emailHash: string
}

const byMailOrigin = { ip: null, formUrl: null }

export async function applyComplaint(trx: Trx, applying: Applying, marked: Marked): Promise<ReportEffect> {
  const { ctx } = applying
  await unsubscribeRecipient(trx, applying, marked.delivery)
  await suppress(
    trx,
    { ...suppressionOf(marked), reason: 'complaint', detail: marked.report.text || 'called spam by its reader' },
    ctx.clock.now(),
  )
  await brakeIfComplained(trx, ctx, marked.mark.domain)
  return 'suppressed'
}

function suppressionOf({ emailHash, delivery, report, mark }: Marked) {
  return {
    emailHash,
    email: delivery.recipient,
    detail: report.text,
    deliveryId: delivery.id,
    domain: mark.domain,
    ...(delivery.relay ? { relay: delivery.relay } : {}),
  }
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

/** Suppresses each address, unless the brake says that the answers are implausible. Answers in the same order. */
export async function applyDead(
  trx: Trx,
  { ctx }: Applying,
  dead: readonly Marked[],
): Promise<('suppressed' | 'braked')[]> {
  const judging = { deadAddresses: deadAddressesOf(ctx), retryHours: ctx.config.mail.retryHours }
  return judgeReturned(
    trx,
    judging,
    dead.map(({ delivery, report, mark, emailHash }) => ({
      deliveryId: delivery.id,
      email: delivery.recipient,
      emailHash,
      lane: delivery.lane,
      domain: mark.domain,
      relay: delivery.relay ?? '',
      editionId: delivery.editionId,
      reply: report.text,
    })),
  )
}

/** Counts one more report against each address. All addresses are different. Answers in the same order; `dead`: the host has been
 * unknown for a day, and the caller treats the address as dead. */
export async function applyScores(
  trx: Trx,
  { ctx }: Applying,
  scored: readonly Marked[],
): Promise<('counted' | 'suppressed' | 'dead')[]> {
  if (scored.length === 0) return []
  const hashes = scored.map(({ emailHash }) => emailHash).toSorted()
  await sql`insert into bounce_scores (email_hash, changed_at) select h, now() from unnest(${hashes}::text[]) h
    on conflict do nothing`.execute(trx)
  const rows = await trx
    .selectFrom('bounceScores')
    .selectAll()
    .where(sql<boolean>`email_hash = any(${hashes}::text[])`)
    .orderBy('emailHash')
    .forUpdate()
    .execute()
  const before = new Map(rows.map((row) => [row.emailHash, row]))
  const after = scored.map(({ emailHash, mark }) => {
    const { softHours, hostHours } = before.get(emailHash)!
    const hour = hourOf(mark.at)
    return mark.class === 'hard'
      ? { emailHash, softHours, hostHours: withReport(hostHours, hour), changedAt: mark.at }
      : { emailHash, softHours: withReport(softHours, hour), hostHours, changedAt: mark.at }
  })
  await trx
    .insertInto('bounceScores')
    .values(after)
    .onConflict((conflict) =>
      conflict.column('emailHash').doUpdateSet((eb) => ({
        softHours: eb.ref('excluded.softHours'),
        hostHours: eb.ref('excluded.hostHours'),
        changedAt: eb.ref('excluded.changedAt'),
      })),
    )
    .execute()
  const verdicts = scored.map(({ mark }, i) => {
    if (mark.class === 'hard') return isHostGone(after[i]!.hostHours) ? 'dead' : 'counted'
    return isWornOut(after[i]!.softHours) ? 'suppressed' : 'counted'
  })
  await suppressAll(
    trx,
    'soft_bounces',
    scored
      .filter((_, i) => verdicts[i] === 'suppressed')
      .map((marked) => ({ ...suppressionOf(marked), reason: 'soft_bounces' as const })),
    ctx.clock.now(),
  )
  return verdicts
}

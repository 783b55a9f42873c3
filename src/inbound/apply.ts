// What follows from a mail that came back. Everything of one mail happens in one transaction with its `applied_at`, so that a process
// that is killed anywhere leaves it undone or done.
//
// Only a return path, a signed header or a verified event may suppress, only the recipient of that delivery, only while the delivery
// is recent, and only once: what is replayed has its mark already.

import { domainOf, parseEmailAddress } from '../base/email-address.ts'
import { hashAddress } from '../base/tokens.ts'
import type { Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { InboundEvent, Proof, ReportClass, ReportEffect } from '../db/schema.ts'
import { erased } from '../delivery/forget.ts'
import { judgeReturned } from '../delivery/returned-brake.ts'
import { deadAddressesOf, suppress } from '../subscribers/suppression.ts'
import { unsubscribeIn } from '../subscribers/unsubscribe.ts'
import { brakeIfComplained } from './complaint-rates.ts'
import { isSameAddress, type Match, type MatchedDelivery } from './match.ts'
import { pauseIfRefused } from './refusals.ts'
import { markReturned, type Mark } from './returned-mark.ts'
import { hourOf, isHostGone, isWornOut, withReport } from './scores.ts'

/** What one mail says, whoever read it. */
export interface Understood {
  kind: string
  reports: readonly UnderstoodReport[]
}

export interface UnderstoodReport {
  recipient: string | null
  class: ReportClass
  reason: string
  status: string | null
  text: string
}

/** Refused because of who sends, not of who receives. */
export const senderReasons: ReadonlySet<string> = new Set(['relaying', 'blocked', 'policy', 'throttled'])
const mayAct: ReadonlySet<Proof> = new Set<Proof>(['return-path', 'header', 'webhook'])

export interface Applying {
  ctx: Context
  pepper: string
  event: Pick<InboundEvent, 'id' | 'receivedAt'>
  match: Match | null
}

/** `unsubscribes`: the mail came to the address that unsubscribes this subscriber. */
export async function applyMail(
  trx: Trx,
  applying: Applying,
  { kind, reports }: Understood,
  unsubscribes: number | null,
): Promise<void> {
  if (unsubscribes !== null && reports.length === 0) {
    const effect = (await leave(trx, applying, unsubscribes)) ? 'unsubscribed' : 'repeated'
    await writeReport(
      trx,
      applying,
      byMail,
      { proof: 'unsubscribe-token', delivery: null, subscriberId: unsubscribes },
      effect,
    )
    return
  }
  // What is said of the recipient itself before what is said of others: each delivery is marked once.
  const isAboutIt = ({ recipient }: UnderstoodReport) =>
    Number(isForwarded(recipient, applying.match?.delivery ?? null))
  for (const given of reports.toSorted((a, b) => isAboutIt(a) - isAboutIt(b))) {
    const report = softened(given, applying.match)
    await writeReport(trx, applying, report, applying.match, await follow(trx, applying, report))
  }
  if (reports.length === 0 && kind === 'autoreply')
    await writeReport(trx, applying, { ...nothing, class: 'autoreply' }, applying.match, 'nothing')
}

const nothing: UnderstoodReport = { recipient: null, class: 'unknown', reason: '', status: null, text: '' }
const byMailOrigin = { ip: null, formUrl: null }
const byMail: UnderstoodReport = { ...nothing, class: 'unsubscribe' }

const isForwarded = (recipient: string | null, delivery: MatchedDelivery | null) =>
  recipient !== null && delivery !== null && !isSameAddress(recipient, delivery.recipient)

/** Our recipient forwards to an address that is dead: theirs lives. */
function softened(report: UnderstoodReport, match: Match | null): UnderstoodReport {
  return report.class === 'hard' && isForwarded(report.recipient, match?.delivery ?? null)
    ? { ...report, class: 'soft' }
    : report
}

async function follow(trx: Trx, applying: Applying, report: UnderstoodReport): Promise<ReportEffect> {
  const { match } = applying
  if (!match) return 'not-ours'
  if (match.proof === 'unsubscribe-token') {
    if (report.class !== 'complaint' && report.class !== 'unsubscribe') return 'shown'
    return (await leave(trx, applying, match.subscriberId!)) ? 'unsubscribed' : 'repeated'
  }
  if (!mayAct.has(match.proof)) return 'shown'
  const { delivery } = match
  if (!delivery?.isRecent || delivery.recipient === erased) return 'too-old'
  if (report.class === 'unsubscribe') return leaveFrom(trx, applying, delivery)
  const mark = markOf(report, delivery, applying.event.receivedAt)
  if (!mark) return 'nothing'
  if (!(await markReturned(trx, mark))) return 'repeated'
  if (mark.class === 'complaint') return complained(trx, applying, delivery, report)
  if (senderReasons.has(report.reason)) {
    await pauseIfRefused(trx, applying.ctx, delivery)
    return 'sender-refused'
  }
  const emailHash = hashAddress(applying.pepper, parseEmailAddress(delivery.recipient)?.key ?? delivery.recipient)
  if (mark.class === 'hard' && report.reason !== 'host_unknown')
    return judgeDead(trx, applying, delivery, emailHash, report.text)
  return score(trx, applying, delivery, emailHash, report, mark)
}

/** null: it says nothing against the address. */
function markOf(report: UnderstoodReport, delivery: MatchedDelivery, at: Date): Mark | null {
  const { class: kind, reason, status } = report
  if ((kind !== 'hard' && kind !== 'soft' && kind !== 'complaint') || reason === 'delayed') return null
  const { id: deliveryId, editionId, relay, recipient } = delivery
  return {
    deliveryId,
    editionId,
    relay,
    domain: domainOf(recipient).toLowerCase(),
    class: kind === 'hard' && senderReasons.has(reason) ? 'soft' : kind,
    reason,
    status,
    at,
  }
}

async function complained(
  trx: Trx,
  applying: Applying,
  delivery: MatchedDelivery,
  report: UnderstoodReport,
): Promise<ReportEffect> {
  const { ctx, pepper } = applying
  await leaveFrom(trx, applying, delivery)
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

/** Who has another address by now isn't unsubscribed on behalf of the former one. */
async function leaveFrom(trx: Trx, applying: Applying, delivery: MatchedDelivery): Promise<ReportEffect> {
  if (delivery.subscriberId === null) return 'nothing'
  const subscriber = await trx
    .selectFrom('subscribers')
    .select('email')
    .where('id', '=', delivery.subscriberId)
    .executeTakeFirst()
  if (!subscriber || !isSameAddress(subscriber.email, delivery.recipient)) return 'nothing'
  return (await leave(trx, applying, delivery.subscriberId)) ? 'unsubscribed' : 'repeated'
}

async function leave(trx: Trx, { ctx }: Applying, subscriberId: number): Promise<boolean> {
  const left = await unsubscribeIn(trx, ctx, subscriberId, { way: 'mail', origin: byMailOrigin })
  return left?.isNow === true
}

/** Suppressed, unless that is implausible. */
function judgeDead(
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

async function score(
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
  if (isHost) return isHostGone(hours) ? judgeDead(trx, applying, delivery, emailHash, report.text) : 'counted'
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

async function writeReport(
  trx: Trx,
  { event }: Applying,
  report: UnderstoodReport,
  match: Match | null,
  effect: ReportEffect,
): Promise<void> {
  const isErased = match?.delivery?.recipient === erased
  await trx
    .insertInto('inboundReports')
    .values({
      eventId: event.id,
      at: event.receivedAt,
      recipient: isErased ? null : (report.recipient?.slice(0, 320) ?? null),
      class: report.class,
      reason: report.reason,
      status: report.status,
      diagnostic: isErased ? null : report.text.slice(0, 500) || null,
      proof: match?.proof ?? null,
      deliveryId: match?.delivery?.id ?? null,
      subscriberId: match?.subscriberId ?? null,
      effect,
    })
    .execute()
}

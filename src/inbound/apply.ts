// Applies a returned mail. All changes of one mail happen in one transaction with its `applied_at`, so after a kill the mail is
// either not applied or completely applied.
//
// Only a return path, a signed header or a verified event may suppress an address. Only the recipient of that delivery, only while
// the delivery is recent, and only once: a repeated mail has its mark already.

import { domainOf, parseEmailAddress } from '../base/email-address.ts'
import { hashAddress } from '../base/tokens.ts'
import type { Trx } from '../db/connect.ts'
import type { Proof, ReportEffect } from '../db/schema.ts'
import { erased } from '../delivery/forget.ts'
import { applyComplaint, applyDead, type Applying, applyScore, unsubscribe, unsubscribeRecipient } from './effects.ts'
import { isSameAddress, type Match, type MatchedDelivery } from './match.ts'
import { pauseIfRefused } from './refusals.ts'
import { markReturned, type Mark } from './returned-mark.ts'
import type { Understood, UnderstoodReport } from './understand.ts'

/** Refused because of the sender, not because of the recipient. */
export const senderReasons: ReadonlySet<string> = new Set(['relaying', 'blocked', 'policy', 'throttled'])
const mayAct: ReadonlySet<Proof> = new Set<Proof>(['return-path', 'header', 'webhook'])

/** `unsubscribes`: the mail was sent to the address that unsubscribes this subscriber. */
export async function applyMail(
  trx: Trx,
  applying: Applying,
  { kind, reports }: Understood,
  unsubscribes: number | null,
): Promise<void> {
  if (unsubscribes !== null && reports.length === 0) {
    const effect = (await unsubscribe(trx, applying, unsubscribes)) ? 'unsubscribed' : 'repeated'
    await writeReport(
      trx,
      applying,
      byMail,
      { proof: 'unsubscribe-token', delivery: null, subscriberId: unsubscribes },
      effect,
    )
    return
  }
  // Reports about the recipient itself come before reports about others: each delivery is marked once.
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
const byMail: UnderstoodReport = { ...nothing, class: 'unsubscribe' }

const isForwarded = (recipient: string | null, delivery: MatchedDelivery | null) =>
  recipient !== null && delivery !== null && !isSameAddress(recipient, delivery.recipient)

/** Our recipient forwards to a dead address. Their own address isn't dead. */
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
    return (await unsubscribe(trx, applying, match.subscriberId!)) ? 'unsubscribed' : 'repeated'
  }
  if (!mayAct.has(match.proof)) return 'shown'
  const { delivery } = match
  if (!delivery?.isRecent || delivery.recipient === erased) return 'too-old'
  if (report.class === 'unsubscribe') return unsubscribeRecipient(trx, applying, delivery)
  const mark = markOf(report, delivery, applying.event.receivedAt)
  if (!mark) return 'nothing'
  if (!(await markReturned(trx, mark))) return 'repeated'
  if (mark.class === 'complaint') return applyComplaint(trx, applying, delivery, report)
  if (senderReasons.has(report.reason)) {
    await pauseIfRefused(trx, applying.ctx, delivery)
    return 'sender-refused'
  }
  const emailHash = hashAddress(applying.pepper, parseEmailAddress(delivery.recipient)?.key ?? delivery.recipient)
  if (mark.class === 'hard' && report.reason !== 'host_unknown')
    return applyDead(trx, applying, delivery, emailHash, report.text)
  return applyScore(trx, applying, delivery, emailHash, report, mark)
}

/** null: the report says nothing against the address. */
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

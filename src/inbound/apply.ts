// Applies returned mails. All changes of a batch happen in one transaction with each mail's `applied_at`, so after a kill the batch is
// either not applied or completely applied.
//
// Only a return path, a signed header or a verified event may suppress an address. Only the recipient of that delivery, only while
// the delivery is recent, and only once: a repeated mail has its mark already.

import { domainOf, parseEmailAddress } from '../base/email-address.ts'
import { hashAddress } from '../base/tokens.ts'
import type { Trx } from '../db/connect.ts'
import type { InboundEvent, Proof, ReportEffect } from '../db/schema.ts'
import { erased } from '../delivery/forget.ts'
import {
  applyComplaint,
  applyDead,
  type Applying,
  applyScores,
  type Marked,
  unsubscribe,
  unsubscribeRecipient,
} from './effects.ts'
import { isSameAddress, type Match, type MatchedDelivery } from './match.ts'
import { pauseIfRefused } from './refusals.ts'
import { markReturned, type Mark } from './returned-mark.ts'
import type { Read, UnderstoodReport } from './understand.ts'

/** Refused because of the sender, not because of the recipient. */
export const senderReasons: ReadonlySet<string> = new Set(['relaying', 'blocked', 'policy', 'throttled'])
const mayAct: ReadonlySet<Proof> = new Set<Proof>(['return-path', 'header', 'webhook'])
/** As many rows as one statement inserts. */
const mostRows = 1000

export interface MatchedMail {
  event: Pick<InboundEvent, 'id' | 'receivedAt'>
  read: Read
  match: Match | null
}

/** The report of one mail about one address. */
interface Finding {
  event: MatchedMail['event']
  report: UnderstoodReport
  match: Match | null
  /** null: not known yet. */
  effect: ReportEffect | null
}

/** In order. */
export async function applyMails(trx: Trx, applying: Applying, mails: readonly MatchedMail[]): Promise<void> {
  const findings = mails.flatMap(findingsOf)
  for (const some of apart(findings)) await follow(trx, applying, some)
  await writeReports(trx, findings)
}

function findingsOf({ event, match, read: { mail, unsubscribes } }: MatchedMail): Finding[] {
  const { kind, reports } = mail
  if (unsubscribes !== null && reports.length === 0) {
    const proven: Match = { proof: 'unsubscribe-token', delivery: null, subscriberId: unsubscribes }
    return [{ event, report: byMail, match: proven, effect: null }]
  }
  if (reports.length === 0 && kind === 'autoreply')
    return [{ event, report: { ...nothing, class: 'autoreply' }, match, effect: 'nothing' }]
  // Reports about the recipient itself come before reports about others: each delivery is marked once.
  const isAboutIt = ({ recipient }: UnderstoodReport) => Number(isForwarded(recipient, match?.delivery ?? null))
  return reports
    .toSorted((a, b) => isAboutIt(a) - isAboutIt(b))
    .map((report) => ({ event, report: softened(report, match), match, effect: null }))
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

/** Groups that contain each of our recipients once, so that the statements for a group change each row once. */
function* apart(findings: readonly Finding[]): Generator<Finding[]> {
  let group: Finding[] = []
  const named = new Set<string>()
  for (const finding of findings) {
    const delivery = finding.match?.delivery
    const key = delivery ? keyOf(delivery) : undefined
    if (key !== undefined && named.has(key)) {
      yield group
      group = []
      named.clear()
    }
    if (key !== undefined) named.add(key)
    group.push(finding)
  }
  if (group.length) yield group
}

async function follow(trx: Trx, applying: Applying, findings: readonly Finding[]): Promise<void> {
  const open: (Marked & { finding: Finding })[] = []
  for (const finding of findings) {
    if (finding.effect) continue
    const { report, match, event } = finding
    finding.effect = await withoutMark(trx, applying, finding)
    if (finding.effect) continue
    const delivery = match!.delivery!
    const mark = markOf(report, delivery, event.receivedAt)
    if (!mark) finding.effect = 'nothing'
    else open.push({ finding, delivery, report, mark, emailHash: hashAddress(applying.pepper, keyOf(delivery)) })
  }
  const isNew = await markReturned(
    trx,
    open.map(({ mark }) => mark),
  )
  for (const { finding, delivery } of open) if (!isNew.has(delivery.id)) finding.effect = 'repeated'
  const fresh = open.filter(({ finding }) => finding.effect === null)
  for (const each of fresh)
    if (each.mark.class === 'complaint') each.finding.effect = await applyComplaint(trx, applying, each)
    else if (senderReasons.has(each.report.reason)) each.finding.effect = 'sender-refused'
  const refused = fresh.filter(({ finding }) => finding.effect === 'sender-refused')
  for (const editionId of new Set(refused.map(({ delivery }) => delivery.editionId)))
    await pauseIfRefused(trx, applying.ctx, editionId)
  const rest = fresh.filter(({ finding }) => finding.effect === null)
  const isDead = ({ mark, report }: Marked) => mark.class === 'hard' && report.reason !== 'host_unknown'
  const scored = rest.filter((each) => !isDead(each))
  const verdicts = await applyScores(trx, applying, scored)
  for (const [i, { finding }] of scored.entries()) if (verdicts[i] !== 'dead') finding.effect = verdicts[i]!
  const dead = rest.filter(({ finding }) => finding.effect === null)
  const effects = await applyDead(trx, applying, dead)
  for (const [i, { finding }] of dead.entries()) finding.effect = effects[i]!
}

/** The effect of a report that needs no mark; null: the mark decides. */
async function withoutMark(trx: Trx, applying: Applying, { match, report }: Finding): Promise<ReportEffect | null> {
  if (!match) return 'not-ours'
  if (match.proof === 'unsubscribe-token') {
    if (report.class !== 'complaint' && report.class !== 'unsubscribe') return 'shown'
    return (await unsubscribe(trx, applying, match.subscriberId!)) ? 'unsubscribed' : 'repeated'
  }
  if (!mayAct.has(match.proof)) return 'shown'
  const { delivery } = match
  if (!delivery?.isRecent || delivery.recipient === erased) return 'too-old'
  return report.class === 'unsubscribe' ? unsubscribeRecipient(trx, applying, delivery) : null
}

const keyOf = ({ recipient }: MatchedDelivery) => parseEmailAddress(recipient)?.key ?? recipient

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

async function writeReports(trx: Trx, findings: readonly Finding[]): Promise<void> {
  const rows = findings.map(({ event, report, match, effect }) => {
    const isErased = match?.delivery?.recipient === erased
    return {
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
      effect: effect!,
    }
  })
  for (let at = 0; at < rows.length; at += mostRows)
    await trx
      .insertInto('inboundReports')
      .values(rows.slice(at, at + mostRows))
      .execute()
}

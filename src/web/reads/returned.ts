// Returned mail for pages and API. It is shown next to the accounts, which don't change: sent means accepted by a relay.

import { type SqlBool, sql } from 'kysely'
import type { Config } from '../../base/config.ts'
import type { Db } from '../../db/connect.ts'
import type { InboundEvent, InboundReportsTable, ReturnedDeliveriesTable } from '../../db/schema.ts'
import type { Selectable } from 'kysely'

/** How returned mail is received. Empty: it isn't. */
export function waysIn({ inbound }: Pick<Config, 'inbound'>): string[] {
  return [
    ...(inbound.listen ? ['by a mail server'] : []),
    ...(inbound.imap ? ['from a mailbox'] : []),
    ...(inbound.sesTopics.length ? ['from Amazon SES'] : []),
    ...(inbound.mailgunKey ? ['from Mailgun'] : []),
  ]
}

export type ReturnedClass = ReturnedDeliveriesTable['class']
export type Returned = Record<ReturnedClass, number>
const nothing: Returned = { hard: 0, soft: 0, complaint: 0 }

/** How many mails of each edition were returned. */
export async function countReturned(db: Db, editionIds: readonly number[]): Promise<Map<number, Returned>> {
  const counts = new Map(editionIds.map((id) => [id, { ...nothing }]))
  if (editionIds.length === 0) return counts
  const rows = await db
    .selectFrom('returnedDeliveries')
    .select(['editionId', 'class', sql<number>`count(*)::int`.as('count')])
    .where('editionId', 'in', editionIds)
    .groupBy(['editionId', 'class'])
    .execute()
  for (const row of rows) counts.get(row.editionId!)![row.class] = row.count
  return counts
}

export interface ReturnedLine {
  domain: string
  class: ReturnedClass
  reason: string
  count: number
}

/** For one edition, by domain and reason, most first. */
export async function listReturnedOf(db: Db, editionId: number, limit: number): Promise<ReturnedLine[]> {
  return db
    .selectFrom('returnedDeliveries')
    .select(['domain', 'class', 'reason', sql<number>`count(*)::int`.as('count')])
    .where('editionId', '=', editionId)
    .groupBy(['domain', 'class', 'reason'])
    .orderBy('count', 'desc')
    .orderBy('domain')
    .orderBy('class')
    .orderBy('reason')
    .limit(limit)
    .execute()
}

/** In the last 24 hours. */
export async function countReturnedOfDay(db: Db, now: Date): Promise<Returned> {
  const rows = await db
    .selectFrom('returnedDeliveries')
    .select(['class', sql<number>`count(*)::int`.as('count')])
    .where('at', '>', new Date(now.getTime() - 86_400_000))
    .groupBy('class')
    .execute()
  return { ...nothing, ...Object.fromEntries(rows.map((row) => [row.class, row.count])) }
}

export async function countOpenInbound(db: Db): Promise<{ waiting: number; failed: number }> {
  const { rows } = await sql<{ waiting: number; failed: number }>`select
    (select count(*)::int from inbound_events where next_attempt_at is not null) as waiting,
    (select count(*)::int from inbound_events where next_attempt_at is null and applied_at is null) as failed`.execute(
    db,
  )
  return rows[0]!
}

export type Mark = Pick<ReturnedDeliveriesTable, 'class' | 'reason' | 'at'>

/** Which of these deliveries were returned. */
export async function findMarks(db: Db, deliveryIds: readonly number[]): Promise<Map<number, Mark>> {
  if (deliveryIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('returnedDeliveries')
    .select(['deliveryId', 'class', 'reason', 'at'])
    .where('deliveryId', 'in', deliveryIds)
    .execute()
  return new Map(rows.map(({ deliveryId, ...mark }) => [deliveryId, mark]))
}

export type InboundReportRow = Selectable<InboundReportsTable>

/** Reports about one subscriber's mails, newest first. */
export async function listReportsOf(db: Db, subscriberId: number, limit: number): Promise<InboundReportRow[]> {
  return db
    .selectFrom('inboundReports')
    .selectAll()
    .where('subscriberId', '=', subscriberId)
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
}

/** unmatched: it names no mail of ours. failed: it couldn't be applied. waiting: it hasn't been yet. */
export const inboundFilters = ['unmatched', 'failed', 'waiting'] as const
export type InboundFilter = (typeof inboundFilters)[number]

export type ShownInbound = Pick<
  InboundEvent,
  'id' | 'receivedAt' | 'source' | 'kind' | 'attempts' | 'problem' | 'appliedAt'
> & { reports: InboundReportRow[] }

const conditions: Record<InboundFilter, ReturnType<typeof sql<SqlBool>>> = {
  unmatched: sql`e.matched = false`,
  failed: sql`e.next_attempt_at is null and e.applied_at is null`,
  waiting: sql`e.next_attempt_at is not null`,
}

/** Newest first. `before`: the id of the last one seen. */
export async function listInbound(
  db: Db,
  page: { limit: number; before?: number | undefined; filter?: InboundFilter | undefined },
): Promise<ShownInbound[]> {
  const events = await db
    .selectFrom('inboundEvents as e')
    .select(['id', 'receivedAt', 'source', 'kind', 'attempts', 'problem', 'appliedAt'])
    .$if(page.filter !== undefined, (query) => query.where(conditions[page.filter!]))
    .$if(page.before !== undefined, (query) => query.where('id', '<', page.before!))
    .orderBy('id', 'desc')
    .limit(page.limit)
    .execute()
  if (events.length === 0) return []
  const reports = await db
    .selectFrom('inboundReports')
    .selectAll()
    .where(
      'eventId',
      'in',
      events.map(({ id }) => id),
    )
    .orderBy('id')
    .execute()
  const byEvent = Map.groupBy(reports, ({ eventId }) => eventId)
  return events.map((event) => ({ ...event, reports: byEvent.get(event.id) ?? [] }))
}

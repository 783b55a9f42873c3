// All subscribers as CSV lines or JSON, read in keyset pages, so that a million need no more memory than a thousand. An import
// restores the lines unchanged: the choice of a pending sign-up comes from its request, and the consent is the last one. A cell
// that a spreadsheet would run as a formula gets a quote in front, except the address.

import { stringify } from 'csv-stringify/sync'
import { sql } from 'kysely'
import type { Db } from '../db/connect.ts'
import type { Frequency, Subscriber, SubscriberStatus } from '../db/schema.ts'
import { listCategories } from '../articles/store.ts'
import type { SuppressionReason } from './suppression.ts'

const pageSize = 1000

export interface ExportedSubscriber {
  email: string
  status: Subscriber['status']
  subscriptions: Record<string, Frequency>
  /** Slugs of the subscriptions, in the subscriber's own order. */
  order: string[]
  timezone: string | null
  sendHour: number | null
  weeklyDay: number | null
  monthlyDay: number | null
  locale: string | null
  pausedUntil: Date | null
  createdAt: Date
  /** For a pending sign-up: when it was last requested. */
  requestedAt: Date | null
  confirmedAt: Date | null
  unsubscribedAt: Date | null
  suppressedAt: Date | null
  suppressionReason: SuppressionReason | null
  /** The status before the suppression. */
  statusBefore: Subscriber['status'] | null
  /** The last consent, or the request of a pending sign-up. For an imported subscriber, as the file says. */
  consent: Record<'at' | 'ip' | 'place' | 'wording', string | null> | null
}

interface ExportRow extends Omit<ExportedSubscriber, 'subscriptions'> {
  id: number
  subscriptions: ExportedSubscriber['subscriptions'] | null
}

/** In pages, by sign-up. */
export async function* streamSubscribers(
  db: Db,
  status: SubscriberStatus | null = null,
): AsyncGenerator<ExportedSubscriber[]> {
  let after = 0
  for (;;) {
    const { rows: page } = await sql<ExportRow>`
      select s.id, s.email, status, s.timezone, send_hour, weekly_day, monthly_day, locale, paused_until, s.created_at,
        case when 'pending' in (status, standing.status_before) then request.requested_at end as requested_at, confirmed_at, unsubscribed_at,
        case when status = 'suppressed' then listed.created_at end as suppressed_at,
        case when status = 'suppressed' then listed.reason end as suppression_reason, standing.status_before,
        case when 'pending' in (status, standing.status_before) then request.choices else chosen.subscriptions end as subscriptions,
        coalesce(chosen.slugs, '{}') as "order", agreed.consent
      from (select * from subscribers where id > ${after} and (${status}::text is null or status = ${status}) order by id limit ${pageSize}) s
      left join lateral (
        select requested_at, choices from signup_requests
        where subscriber_id = s.id and used_at is null order by requested_at desc limit 1
      ) request on true
      left join suppressions listed using (email_hash)
      left join lateral (select case when status = 'suppressed' then listed.status_before end as status_before) standing on true
      left join lateral (
        select jsonb_object_agg(slug, frequency) as subscriptions, array_agg(slug order by u.position, c.position, c.id) as slugs
        from subscriptions u join categories c on c.id = u.category_id where u.subscriber_id = s.id
      ) chosen on true
      left join lateral (
        select jsonb_build_object('at', coalesce(detail #>> '{said,consent_at}', to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')),
          'ip', ip, 'place', form_url, 'wording', coalesce(detail #>> '{said,consent_wording}', wording)) as consent
        from consents where subscriber_id = s.id and action in ('confirmed', 'resubscribed', 'imported',
          case when 'pending' in (status, standing.status_before) then 'requested' else 'confirmed' end) order by id desc limit 1
      ) agreed on true
      order by s.id`.execute(db)
    if (page.length === 0) return
    after = page.at(-1)!.id
    yield page.map(({ id: _id, subscriptions, ...row }) => ({ ...row, subscriptions: subscriptions ?? {} }))
  }
}

/**
 * The header, then texts of up to a thousand lines each, without a final line end. The address is never changed: `formulas` lists
 * addresses that a spreadsheet would run as a formula.
 */
export async function* exportCsv(
  db: Db,
  status: SubscriberStatus | null = null,
): AsyncGenerator<{ text: string; count: number; formulas: string[] }> {
  const slugs = (await listCategories(db, { withRetired: true })).map((category) => category.slug)
  const header = [...columns.map(([name]) => name), ...slugs.map((slug) => `frequency[${slug}]`)]
  yield { text: csv([header]), count: 0, formulas: [] }
  for await (const page of streamSubscribers(db, status)) {
    const rows = page.map((one) => [
      ...columns.map(([name, read]) => (name === 'email' ? read(one) : unlikeFormula(read(one)))),
      ...slugs.map((slug) => one.subscriptions[slug] ?? 'off'),
    ])
    if (rows.length > 0)
      yield { text: csv(rows), count: page.length, formulas: page.map(({ email }) => email).filter(isFormula) }
  }
}

const isFormula = (cell: string) => /^[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/.test(cell)

/** Adds a quote in front. An import removes it. */
function unlikeFormula(cell: string | number | null): string | number | null {
  return typeof cell === 'string' && isFormula(cell) ? `'${cell}` : cell
}

const time = (at: Date | null) => at?.toISOString() ?? ''

const columns: readonly (readonly [string, (one: ExportedSubscriber) => string | number | null])[] = [
  ['email', (one) => one.email],
  ['status', (one) => one.status],
  ['timezone', (one) => one.timezone],
  ['send_hour', (one) => one.sendHour],
  ['weekly_day', (one) => one.weeklyDay],
  ['monthly_day', (one) => one.monthlyDay],
  ['locale', (one) => one.locale],
  ['order', (one) => one.order.join(' ')],
  ['paused_until', (one) => time(one.pausedUntil)],
  ['created_at', (one) => time(one.createdAt)],
  ['requested_at', (one) => time(one.requestedAt)],
  ['confirmed_at', (one) => time(one.confirmedAt)],
  ['unsubscribed_at', (one) => time(one.unsubscribedAt)],
  ['suppressed_at', (one) => time(one.suppressedAt)],
  ['suppression_reason', (one) => one.suppressionReason],
  ['status_before', (one) => one.statusBefore],
  ['consent_at', (one) => one.consent?.at ?? null],
  ['consent_ip', (one) => one.consent?.ip ?? null],
  ['consent_place', (one) => one.consent?.place ?? null],
  ['consent_wording', (one) => one.consent?.wording ?? null],
]

function csv(rows: unknown[][]): string {
  return stringify(rows).trimEnd()
}

// All subscribers as CSV lines or JSON, read by key in pages, so that a million of them need no more memory than a thousand.
// A cell that a spreadsheet would take for a formula gets a quote in front; import.ts takes it away again.

import { stringify } from 'csv-stringify/sync'
import { sql } from 'kysely'
import type { Db } from '../db/connect.ts'
import type { Frequency, Subscriber } from '../db/schema.ts'
import { listCategories } from '../articles/store.ts'

const pageSize = 1000

export interface ExportedSubscriber {
  email: string
  status: Subscriber['status']
  subscriptions: Record<string, Frequency>
  timezone: string | null
  sendHour: number | null
  weeklyDay: number | null
  monthlyDay: number | null
  locale: string | null
  pausedUntil: Date | null
  createdAt: Date
  confirmedAt: Date | null
  unsubscribedAt: Date | null
}

/** Pages in the order of sign-up. */
export async function* streamSubscribers(db: Db): AsyncGenerator<ExportedSubscriber[]> {
  let after = 0
  for (;;) {
    const page = await db
      .selectFrom('subscribers')
      .select(['id', 'email', 'status', 'timezone', 'sendHour', 'weeklyDay', 'monthlyDay', 'locale', 'pausedUntil'])
      .select(['createdAt', 'confirmedAt', 'unsubscribedAt'])
      .select((eb) =>
        eb
          .selectFrom('subscriptions')
          .innerJoin('categories', 'categories.id', 'subscriptions.categoryId')
          .whereRef('subscriptions.subscriberId', '=', 'subscribers.id')
          .select(sql<Record<string, Frequency> | null>`jsonb_object_agg(slug, frequency)`.as('chosen'))
          .as('chosen'),
      )
      .where('id', '>', after)
      .orderBy('id')
      .limit(pageSize)
      .execute()
    if (page.length === 0) return
    after = page.at(-1)!.id
    yield page.map(({ id: _id, chosen, ...row }) => ({ ...row, subscriptions: chosen ?? {} }))
  }
}

/** The header, then a text of up to a thousand lines at a time; none ends in a line end. */
export async function* exportCsv(db: Db): AsyncGenerator<{ text: string; count: number }> {
  const slugs = (await listCategories(db, { withRetired: true })).map((category) => category.slug)
  const header = [...columns.map(([name]) => name), ...slugs.map((slug) => `frequency[${slug}]`)]
  yield { text: csv([header]), count: 0 }
  for await (const page of streamSubscribers(db)) {
    const rows = page.map((one) => [
      ...columns.map(([, read]) => read(one)),
      ...slugs.map((slug) => one.subscriptions[slug] ?? 'off'),
    ])
    yield { text: csv(rows), count: page.length }
  }
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
  ['paused_until', (one) => time(one.pausedUntil)],
  ['created_at', (one) => time(one.createdAt)],
  ['confirmed_at', (one) => time(one.confirmedAt)],
  ['unsubscribed_at', (one) => time(one.unsubscribedAt)],
]

function csv(rows: unknown[][]): string {
  return stringify(rows, { escape_formulas: true }).trimEnd()
}

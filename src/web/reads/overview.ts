// The overview's numbers. Each is one index scan. Slow counts are cached for half a minute per process.

import { sql } from 'kysely'
import type { Db } from '../../db/connect.ts'
import type { Context } from '../../db/context.ts'
import type { SubscriberStatus } from '../../db/schema.ts'
import { findSendingHold, holdSentence } from '../../delivery/sending-hold.ts'
import { listStanding } from '../../delivery/brakes.ts'
import { listAlerts } from '../../desk/alerts.ts'
import { brakeSentence } from '../../desk/brake-words.ts'
import { countDue } from './audience.ts'
import { waysIn } from './returned.ts'

const keptMs = 30_000
const slowMs = 25
const kept = new WeakMap<Db, Map<string, { at: number; value: Promise<unknown> }>>()

function keep<T>(ctx: Context, name: string, read: () => Promise<T>): Promise<T> {
  const now = ctx.clock.now().getTime()
  if (!kept.has(ctx.db)) kept.set(ctx.db, new Map())
  const values = kept.get(ctx.db)!
  const known = values.get(name)
  if (known && now >= known.at && now - known.at < keptMs) return known.value as Promise<T>
  const since = performance.now()
  const value = read()
  const forget = () => values.delete(name)
  values.set(name, { at: now, value })
  value.then(() => performance.now() - since < slowMs && forget(), forget)
  return value
}

/** How many subscribers are due at each of the next six instants, found by stepping through the index. */
export function nextSlots(ctx: Context): Promise<{ slotAt: Date; due: number }[]> {
  return keep(ctx, 'slots', async () => {
    const { rows } = await sql<{ slotAt: Date; due: number }>`
      with recursive slots (slot_at, number) as (
        select min(next_due_at), 1 from due_times
        union all
        select (select min(next_due_at) from due_times where next_due_at > slot_at), number + 1
        from slots where slot_at is not null and number < 6
      )
      select slot_at, (${countDue(sql`slot_at`)}) as due from slots where slot_at is not null order by slot_at`.execute(
      ctx.db,
    )
    return rows
  })
}

export function subscriberTotals(ctx: Context): Promise<Record<SubscriberStatus, number>> {
  return keep(ctx, 'totals', async () => {
    const { rows } = await sql<{ status: SubscriberStatus; count: number }>`
      select 'active' as status, count(*)::int as count from subscribers where status = 'active'
      union all select 'pending', count(*)::int from subscribers where status = 'pending'
      union all select 'unsubscribed', count(*)::int from subscribers where status = 'unsubscribed'
      union all select 'suppressed', count(*)::int from subscribers where status = 'suppressed'`.execute(ctx.db)
    return Object.fromEntries(rows.map((row) => [row.status, row.count])) as Record<SubscriberStatus, number>
  })
}

export interface GrowthHour {
  at: Date
  came: number
  left: number
}

/** Confirmed, imported and returning subscribers, and unsubscribes, by hour, oldest first. The page sums them by day. */
export function growth(ctx: Context, days: number): Promise<GrowthHour[]> {
  return keep(ctx, `growth ${days}`, async () => {
    const from = new Date(ctx.clock.now().getTime() - days * 86_400_000)
    const { rows } = await sql<GrowthHour>`
      select date_trunc('hour', at) as at, count(*) filter (where action <> 'withdrawn')::int as came,
        count(*) filter (where action = 'withdrawn')::int as left
      from consents
      where at >= ${from} and action in ('confirmed', 'imported', 'resubscribed', 'withdrawn')
      group by 1 order by 1`.execute(ctx.db)
    return rows
  })
}

export interface Warning {
  tone: 'warn' | 'bad'
  text: string
  href: string | null
}

/** What needs an editor's attention, in words. Empty: nothing. */
export async function healthWarnings(ctx: Context): Promise<Warning[]> {
  const { db } = ctx
  const warnings: Warning[] = []
  const hold = await findSendingHold(db)
  if (hold) warnings.push({ tone: 'bad', text: holdSentence(hold), href: '/admin/sending' })
  const { rows: workers } = await sql<{ alive: number }>`
    select count(*)::int as alive from workers where lease_until > now()`.execute(db)
  if (workers[0]!.alive === 0)
    warnings.push({ tone: 'bad', text: 'No worker is running, so no mail goes out. Start one.', href: null })
  const { rows: waiting } = await sql<{ waiting: number; minutes: number }>`
    select count(*)::int as waiting, coalesce(extract(epoch from now() - min(created_at)) / 60, 0)::int as minutes
    from (select created_at from deliveries where lane = 'transactional' and next_attempt_at is not null
      order by next_attempt_at, id limit 1000) oldest`.execute(db)
  if (waiting[0]!.minutes >= 5 && !hold)
    warnings.push({
      tone: 'bad',
      text: `Confirmations and other single mails wait since ${waiting[0]!.minutes} minutes (${waiting[0]!.waiting}). Look at the relay.`,
      href: null,
    })
  const stopped = await db
    .selectFrom('editions')
    .select(['id', 'state', 'note'])
    .where('state', 'in', ['paused', 'held', 'awaiting_approval'])
    .where((eb) => eb.not(eb.and([eb('state', '=', 'awaiting_approval'), eb('approvedAt', 'is not', null)])))
    .where('closedAt', 'is', null)
    .orderBy('id', 'desc')
    .limit(10)
    .execute()
  for (const edition of stopped)
    warnings.push({
      tone: 'warn',
      text: `Edition ${edition.id} ${stoppedWords[edition.state]}.${edition.note ? ` ${edition.note}` : ''}`,
      href: `/admin/editions/${edition.id}`,
    })
  for (const brake of await listStanding(db))
    warnings.push({ tone: 'bad', text: brakeSentence(brake), href: `/admin/brakes/${brake.id}` })
  const alerts = (await listAlerts(db)).filter(({ key }) => !key.startsWith('brake:') && key !== 'sending')
  for (const alert of alerts) warnings.push({ tone: 'bad', text: alert.message, href: hrefOf(alert.key) })
  const feeds = await db
    .selectFrom('feeds')
    .select(['id', 'title', 'url', 'state', 'failures', 'lastError'])
    .where((eb) => eb.or([eb('failures', '>=', 3), eb('state', '=', 'gone')]))
    .orderBy('id')
    .limit(10)
    .execute()
  for (const feed of feeds)
    warnings.push({
      tone: 'warn',
      text: `The feed ${feed.title || feed.url} ${feed.state === 'gone' ? 'is gone' : `failed ${feed.failures} times in a row`}${feed.lastError ? `: ${feed.lastError}` : ''}.`,
      href: `/admin/feeds/${feed.id}`,
    })
  if (!ctx.config.trial && waysIn(ctx.config).length === 0)
    warnings.push({
      tone: 'warn',
      text: 'Nothing comes back: bounces and complaints are not seen.',
      href: '/admin/returned',
    })
  return warnings
}

/** `edition:12`, `feed:3`: the page for an alert. */
function hrefOf(key: string): string | null {
  const [what, id] = key.split(':')
  return what === 'edition' || what === 'account'
    ? `/admin/editions/${id}`
    : what === 'feed'
      ? `/admin/feeds/${id}`
      : null
}

const stoppedWords: Record<string, string> = {
  paused: 'is paused',
  held: 'is held',
  awaiting_approval: 'waits for approval',
}

/** What must exist before the first digest, for the empty states. */
export async function beginnings(ctx: Context): Promise<{ feeds: boolean; articles: boolean; categories: boolean }> {
  const { rows } = await sql<{ feeds: boolean; articles: boolean; categories: boolean }>`
    select exists (select 1 from feeds) as feeds, (select min(id) from articles) is not null as articles,
      exists (select 1 from categories where retired_at is null) as categories`.execute(ctx.db)
  return rows[0]!
}

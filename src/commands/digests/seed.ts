// `seed`: many subscribers, stories and a history, created by the database itself, to see how a site of that size behaves. The
// rows look as if the program had written them, so planning, sending and purging work as usual.
//
// All seeded subscribers are due at one future slot, in any time zone: each has the local hour, weekday and day of the month of
// that instant in their zone.

import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import { addCategory } from '../../articles/categories.ts'
import { listCategories } from '../../articles/store.ts'
import type { Out } from '../out.ts'
import type { Context } from '../../db/context.ts'
import { getPepper } from '../../db/settings.ts'
import { localTime, nextDueAt } from '../../calendar/cadence.ts'
import { addArticles } from './seed-articles.ts'
import { seedHistory } from './seed-history.ts'

export interface SeedArgs {
  subscribers: number
  articles?: number | undefined
  /** Days with past editions, for some of the subscribers. */
  history?: number | undefined
  /** All hours, weekdays and days of the month instead of one slot. */
  spread?: boolean | undefined
  json?: boolean | undefined
  /** When aborted, adds no more. What was added stays. */
  signal?: AbortSignal | undefined
}

const zones = `UTC Europe/Berlin Europe/London Europe/Lisbon Europe/Helsinki Europe/Istanbul
    Africa/Cairo Africa/Lagos Africa/Johannesburg Asia/Dubai Asia/Karachi Asia/Dhaka
    Asia/Bangkok Asia/Singapore Asia/Tokyo Australia/Sydney Pacific/Auckland America/Sao_Paulo
    America/New_York America/Chicago America/Denver America/Los_Angeles America/Anchorage Pacific/Honolulu`.split(/\s+/)
const domains = 50
const seedChunk = 20_000

export async function seed(ctx: Context, args: SeedArgs, out: Out): Promise<number> {
  const started = performance.now()
  const now = ctx.clock.now()
  const slot = seedSlot(ctx, now)
  await ensureCategories(ctx)
  const [first, last] = await addSubscribers(ctx, args, slot, now, out)
  if (args.history) await seedHistory(ctx, { days: args.history, first, last, now, signal: args.signal })
  if (args.articles) await addArticles(ctx, args.articles, now)
  // Otherwise Postgres would use the statistics of an empty table until autovacuum runs.
  for (const table of ['subscribers', 'due_times', 'subscriptions', 'deliveries', 'reading', 'article_categories'])
    await sql`analyze ${sql.table(table)}`.execute(ctx.db)
  out.progress('')
  const ms = Math.round(performance.now() - started)
  if (args.json)
    out.print(JSON.stringify({ event: 'seeded', subscribers: args.subscribers, slot: slot.toISOString(), ms }))
  else
    out.print(
      `Added ${args.subscribers} subscribers and ${args.articles ?? 0} stories in ${(ms / 1000).toFixed(1)} s. ` +
        (args.spread ? 'They are due during the next weeks.' : `All are due at ${slot.toISOString()}.`),
    )
  return 0
}

/** The site's next daily slot that is at least an hour away. */
function seedSlot(ctx: Context, now: Date): Date {
  const { timezone, hour } = ctx.config.digest
  const site = { timezone, hour, weeklyDay: 1, monthlyDay: 1, frequencies: 1 }
  let slot = nextDueAt(site, new Date(now.getTime() + 3_600_000))!
  // In a zone with an offset of half an hour, this instant isn't a full hour in other zones.
  if (slot.getTime() % 3_600_000 !== 0) slot = new Date(Math.ceil(slot.getTime() / 3_600_000) * 3_600_000)
  return slot
}

async function ensureCategories(ctx: Context): Promise<void> {
  if ((await listCategories(ctx.db)).length > 0) return
  for (const name of ['Politics', 'World News', 'Business', 'Investing']) await addCategory(ctx, { name })
}

/** Returns the ids of the first and the last. */
async function addSubscribers(
  ctx: Context,
  args: SeedArgs,
  slot: Date,
  now: Date,
  out: Out,
): Promise<[first: number, last: number]> {
  const { inner, outer } = hmacKeys(await getPepper(ctx.db))
  const categories = (await listCategories(ctx.db)).map((category) => category.id)
  const usable = zones.map((zone) => ({ zone, ...localTime(zone, slot) })).filter((zone) => zone.isWholeHour)
  const list = (values: readonly (string | number)[]) => `{${values.map((value) => `"${value}"`).join(',')}}`
  const run = randomBytes(4).toString('hex')
  let first = 0
  let last = 0
  for (let done = 0; done < args.subscribers; done += seedChunk) {
    args.signal?.throwIfAborted()
    const to = Math.min(done + seedChunk, args.subscribers)
    const spread = args.spread ?? false
    const local = (field: 'hour' | 'weekday' | 'monthday') =>
      sql`(${list(usable.map((zone) => zone[field]))}::int[])[z]`
    // Two random bits per category choose off, daily, weekly or monthly. One category is always chosen.
    const choices = sql`(
      select c.id as category_id, (n + c.place) % ${categories.length}::int as position,
        case when wish = 0 then 1 else wish end as wish
      from (select c.id, c.place, ((dice >> (8 + 2 * (c.place::int % 12))) % 4)::int as wish
        from unnest(${list(categories)}::int[]) with ordinality as c (id, place)) c
      where wish <> 0 or place = 1 + n % ${categories.length}::int)`
    const { rows } = await ctx.db.transaction().execute(async (trx) => {
      // Postgres can't estimate how many rows these expressions return; a nested loop over them would be quadratic.
      await sql`set local enable_nestloop = off`.execute(trx)
      return sql<{ first: number; last: number }>`
        with numbered as materialized (
          select n, 'reader-' || n || '-' || ${run}::text || '@mail' || lpad((n % ${domains}::int + 1)::text, 2, '0') || '.example' as email,
            (n * 7 + n / 11) % ${usable.length}::int + 1 as z, mod(n::bigint * 2654435761, 4294967296) as dice
          from generate_series(${done + 1}::int, ${to}::int) n
        ), added as (
          insert into subscribers (email, email_key, email_hash, status, timezone, send_hour, weekly_day, monthly_day,
            frequencies, created_at, confirmed_at)
          select email, email,
            encode(sha256(decode(${outer}, 'hex') || sha256(decode(${inner}, 'hex') || convert_to(email, 'UTF8'))), 'hex'), 'active',
            (${list(usable.map(({ zone }) => zone))}::text[])[z],
            case when ${spread}::boolean then dice / 7 % 24 else ${local('hour')} end,
            case when ${spread}::boolean then 1 + dice / 171 % 7 else ${local('weekday')} end,
            case when ${spread}::boolean then 1 + dice / 1203 % 31 else ${local('monthday')} end,
            (select bit_or(case wish when 1 then 1 when 2 then 2 else 4 end) from ${choices} w), ${now}, ${now}
          from numbered order by n returning id, email
        ), subscribed as (
          insert into subscriptions (subscriber_id, category_id, frequency, position)
          select a.id, w.category_id, (array['daily', 'weekly', 'monthly'])[w.wish], w.position
          from added a join numbered m on m.email = a.email cross join lateral ${choices} w
        ), timed as (
          insert into due_times (subscriber_id, next_due_at) select id, ${slot} from added order by id
        ), proven as (
          insert into consents (subscriber_id, action, wording, wording_version, at, detail)
          select id, 'imported', 'Made by the command seed.', 'seed', ${now}, '{"seed": true}' from added
        )
        select min(id) as first, max(id) as last from added`.execute(trx)
    })
    first ||= rows[0]!.first
    last = rows[0]!.last
    if (args.spread) await spreadDueTimes(ctx, rows[0]!.first, last, now)
    out.progress(`seeding ${to.toLocaleString('en')} of ${args.subscribers.toLocaleString('en')} subscribers`)
  }
  return [first, last]
}

async function spreadDueTimes(ctx: Context, first: number, last: number, now: Date): Promise<void> {
  const rows = await ctx.db
    .selectFrom('subscribers')
    .select(['id', 'timezone', 'sendHour', 'weeklyDay', 'monthlyDay', 'frequencies'])
    .where('id', '>=', first)
    .where('id', '<=', last)
    .execute()
  const next = rows.map((row) => {
    const hour = row.sendHour!
    const days = { weeklyDay: row.weeklyDay!, monthlyDay: row.monthlyDay! }
    return nextDueAt({ timezone: row.timezone!, hour, ...days, frequencies: row.frequencies }, now)!
  })
  await sql`
    update due_times t set next_due_at = c.next
    from unnest(${`{${rows.map((row) => row.id).join(',')}}`}::bigint[],
      ${`{${next.map((at) => `"${at.toISOString()}"`).join(',')}}`}::timestamptz[]) as c (id, next)
    where t.subscriber_id = c.id`.execute(ctx.db)
}

/** The two keys of HMAC-SHA256, so that Postgres, which only has sha256(), can hash addresses as hashAddress() does. */
function hmacKeys(pepper: string): { inner: string; outer: string } {
  const block = Buffer.alloc(64)
  Buffer.from(pepper, 'utf8').copy(block)
  if (Buffer.byteLength(pepper) > 64) throw new Error('the address pepper is longer than a block of SHA-256')
  const key = (mask: number) => Buffer.from(block.map((byte) => byte ^ mask)).toString('hex')
  return { inner: key(0x36), outer: key(0x5c) }
}

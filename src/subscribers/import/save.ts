// Writes decided rows, one batch per transaction. New people are inserted into all tables by one statement. Existing subscribers
// are changed one by one, by the same functions as elsewhere.

import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { addDueTimes } from '../../calendar/due-times.ts'
import type { Trx } from '../../db/connect.ts'
import type { Context } from '../../db/context.ts'
import type { Category, SubscriberStatus } from '../../db/schema.ts'
import { linesOf } from '../store.ts'
import { whenDue } from '../subscriptions.ts'
import { suppressAll } from '../suppression.ts'
import { unsubscribeIn } from '../unsubscribe.ts'
import { askToConfirm } from './ask.ts'
import type { Decision, FoundRow } from './decide.ts'
import { statusFor } from './standing.ts'

export interface SaveTerms {
  source: string
  now: Date
  categories: readonly Category[]
  /** {categoryId: seq}: stories from before the import count as read for new subscribers. */
  watermarks: Record<string, number>
  pepper: string
}

/**
 * Returns the rows that couldn't be imported after all, with the reason. Somebody who signed up at the same moment keeps their
 * choice.
 */
export async function saveBatch<Row extends FoundRow>(
  trx: Trx,
  ctx: Context,
  decisions: readonly Decision<Row>[],
  terms: SaveTerms,
): Promise<Map<Row, string>> {
  const refused = new Map<Row, string>()
  const added = decisions.filter(
    ({ subscriberId, why, outcome }) => subscriberId === null && !why && outcome !== 'kept-out',
  )
  const asked = added.filter(({ outcome }) => outcome === 'asked')
  const asking = await askToConfirm.allowed(
    trx,
    asked.map(({ row }) => row),
    terms,
  )
  for (const { row } of asked)
    if (!asking.has(row)) refused.set(row, 'email: was asked to confirm within the last day, or three times in 30 days')
  const ids = await addSubscribers(
    trx,
    ctx,
    added.filter(({ row }) => !refused.has(row)),
    terms,
  )
  await askToConfirm.mail(
    trx,
    asked.flatMap(({ row }) => {
      const found = ids.get(row.emailKey)
      return found?.requestId ? [{ ...found, requestId: found.requestId, email: row.email }] : []
    }),
    terms.source,
  )

  const detail = `imported from ${terms.source} on ${terms.now.toISOString().slice(0, 10)}`
  const suppressed = decisions.flatMap(({ row, outcome, listed, subscriberId }) => {
    const isNew = subscriberId === null && ids.has(row.emailKey)
    // An address on the list without a subscriber stays on it, with its reason.
    const reason = outcome === 'suppressed-now' || (isNew && row.reason) ? row.reason : isNew ? listed : null
    return reason ? [{ emailHash: row.emailHash, email: row.email, reason, detail, at: row.endedAt }] : []
  })
  for (const [reason, entries] of Map.groupBy(suppressed, (entry) => entry.reason))
    await suppressAll(trx, reason, entries, terms.now)
  for (const { outcome, subscriberId } of decisions)
    if (outcome === 'unsubscribed-now')
      await unsubscribeIn(trx, ctx, subscriberId!, {
        way: 'import',
        origin: { ip: null, formUrl: null },
        detail: { source: terms.source },
      })
  return refused
}

interface Added {
  id: number
  emailKey: string
  requestId: number | null
}

/** By address key. People who exist by now are missing. */
async function addSubscribers(
  trx: Trx,
  ctx: Context,
  decisions: readonly Decision[],
  { source, now, categories, watermarks }: SaveTerms,
): Promise<Map<string, Added>> {
  if (decisions.length === 0) return new Map()
  const wording = `imported from ${source} on ${now.toISOString().slice(0, 10)}`
  const version = createHash('sha256').update(wording).digest('hex').slice(0, 12)
  const given = decisions.map((decision) => columnsOf(ctx, decision, categories, now))
  const { rows } = await sql<Added>`
    with given as materialized (
      select * from jsonb_to_recordset(${JSON.stringify(given.map(({ columns }) => columns))}::jsonb) as g (email text, key text, hash text, status text,
        locale text, timezone text, hour smallint, weekday smallint, monthday smallint, bits smallint, paused timestamptz,
        created timestamptz, confirmed timestamptz, ended timestamptz, chosen jsonb, ip text, place text,
        detail jsonb, choices jsonb, requested timestamptz)
    ), added as (
      insert into subscribers (email, email_key, email_hash, status, locale, timezone, send_hour, weekly_day, monthly_day,
        frequencies, paused_until, created_at, confirmed_at, unsubscribed_at)
      select email, key, hash, status, locale, timezone, hour, weekday, monthday, bits, paused, created, confirmed, ended from given
      on conflict (email_key) do nothing returning id, email_key
    ), joined as materialized (select a.id, g.* from added a join given g on g.key = a.email_key),
    readers as (
      insert into reading (subscriber_id, watermarks)
      select id, case when status in ('active', 'pending') then ${JSON.stringify(watermarks)}::jsonb else '{}' end from joined
    ), chosen as (
      insert into subscriptions (subscriber_id, category_id, frequency, position)
      select id, (c->>0)::int, c->>1, (c->>2)::smallint from joined, jsonb_array_elements(chosen) c
    ), agreed as (
      insert into consents (subscriber_id, action, wording, wording_version, at, ip, form_url, detail)
      select id, 'imported', ${wording}, ${version}, ${now}::timestamptz, ip, place, detail from joined
    ), requests as (
      insert into signup_requests (subscriber_id, choices, timezone, consent_version, requested_at)
      select id, choices, timezone, ${version}, requested from joined where requested is not null
      returning id, subscriber_id
    )
    select a.id, a.email_key, r.id as request_id from added a left join requests r on r.subscriber_id = a.id`.execute(
    trx,
  )
  const added = new Map(rows.map((row) => [row.emailKey, row]))
  const due = given.flatMap(({ columns: { key }, nextDueAt }) =>
    nextDueAt && added.has(key) ? [{ subscriberId: added.get(key)!.id, nextDueAt }] : [],
  )
  await addDueTimes(trx, due)
  return added
}

function columnsOf(ctx: Context, { row, outcome }: Decision, categories: readonly Category[], now: Date) {
  const status = outcome === 'asked' ? 'pending' : firstStatus(row)
  const lines = linesOf(row.choices, categories, row.order)
  // The choice of a pending sign-up is stored in its request.
  const subscriptions = status === 'pending' ? [] : lines
  const { frequencies, nextDueAt } = whenDue(ctx.config, { ...row, status }, subscriptions, now)
  const { line, standing, choices, said } = row
  const columns = {
    email: row.email,
    key: row.emailKey,
    hash: row.emailHash,
    status,
    locale: row.locale,
    timezone: row.timezone,
    hour: row.sendHour,
    weekday: row.weeklyDay,
    monthday: row.monthlyDay,
    bits: frequencies,
    paused: row.pausedUntil,
    created: row.createdAt,
    confirmed: outcome === 'asked' ? null : row.confirmedAt,
    ended: status === 'unsubscribed' ? row.unsubscribedAt : null,
    chosen: subscriptions.map(({ categoryId, frequency, position }) => [categoryId, frequency, position]),
    ip: row.consentIp,
    place: row.consentPlace,
    detail: {
      line,
      status: standing,
      ...(standing === 'pending' ? { note: 'never confirmed there' } : {}),
      choices,
      said,
    },
    choices: row.choices,
    requested: status !== 'pending' ? null : outcome === 'asked' ? now : row.requestedAt,
  }
  return { columns, nextDueAt }
}

/** The status that a suppressed person gets when an editor removes the suppression. */
function firstStatus(row: FoundRow): Exclude<SubscriberStatus, 'suppressed'> {
  const status = statusFor(row.standing, row.isOurs)
  return status === 'suppressed' ? row.statusBefore : status
}

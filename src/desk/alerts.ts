// Alerts: reports once that a slot isn't planned, an edition doesn't progress, a feed is silent, or no tick runs. To the log, to
// every editor by mail, and to ALERT_WEBHOOK. An alert that is cleared may be raised again.
//
// Every process checks, whatever its role and however its ticks end (schedule.ts), because a check in the tick itself couldn't
// report that the tick fails. If many processes check at once, each alert is still raised once.

import { sql } from 'kysely'
import { addressOf } from '../base/addresses.ts'
import { systemClock } from '../base/clock.ts'
import type { Context } from '../db/context.ts'
import type { Db, Trx } from '../db/connect.ts'
import { addToOutbox } from '../delivery/outbox.ts'
import { findSendingHold, holdSentence } from '../delivery/sending-hold.ts'
import { listStanding } from '../delivery/brakes.ts'
import { noteProgress } from '../editions/account.ts'
import { lastTick } from '../planning/last-tick.ts'
import { brakeSentence } from './brake-words.ts'
import { listWarnings } from '../inbound/complaint-rates.ts'
import { listRefusals } from '../inbound/refusals.ts'
import { countFailed } from '../inbound/work.ts'

const planningMinutes = 15
const progressMinutes = 15
const tickMinutes = 5

/** The beginnings of keys. */
export const alertKinds = [
  'sending',
  'planning',
  'edition',
  'brake',
  'feed',
  'tick',
  'account',
  'inbound',
  'complaints',
  'refused',
] as const

const sendingAlert = 'sending'

interface Trouble {
  key: string
  message: string
}

/** Checks everything that can be stuck; raises new alerts, and clears those that are over. */
export async function checkAlerts(ctx: Context): Promise<void> {
  const now = ctx.clock.now()
  await noteProgress(ctx.db)
  const hold = await findSendingHold(ctx.db)
  const troubles = [
    // While sending is held, nothing is planned and no edition progresses, as intended.
    ...(hold
      ? [{ key: sendingAlert, message: holdSentence(hold) }]
      : [...(await latePlanning(ctx.db, now)), ...(await stuckEditions(ctx.db))]),
    ...(await miscountedEditions(ctx.db)),
    ...(await standingBrakes(ctx.db)),
    ...(await silentFeeds(ctx.db, now)),
    ...(await missingTicks(ctx.db)),
    ...(await returnedMail(ctx.db, now)),
  ].sort((a, b) => a.key.localeCompare(b.key))
  await ctx.db.transaction().execute(async (trx) => {
    for (const { key, message } of troubles) await raiseAlert(trx, ctx, key, message)
    const keys = troubles.map((trouble) => trouble.key)
    let over = trx.updateTable('alerts').set({ clearedAt: now }).where('clearedAt', 'is', null)
    if (keys.length > 0) over = over.where('key', 'not in', keys)
    for (const { key } of await over.returning('key').execute()) ctx.log.info({ alert: key }, 'an alert is over')
  })
  await tellWebhook(ctx)
}

/** false: it has been raised already. The mails to the editors commit with the transaction. */
export async function raiseAlert(trx: Trx, ctx: Context, key: string, message: string): Promise<boolean> {
  const now = ctx.clock.now()
  const { rows } = await sql`
    insert into alerts (key, message, raised_at) values (${key}, ${message}, ${now})
    on conflict (key) do update set message = excluded.message, raised_at = excluded.raised_at, cleared_at = null,
        told_at = null
      where alerts.cleared_at is not null
    returning key`.execute(trx)
  if (rows.length === 0) return false
  ctx.log.error({ alert: key }, message)
  // While sending is held, a mail about it would arrive only after its end.
  if (key === sendingAlert) return true
  const editors = await trx.selectFrom('editors').select('email').where('disabledAt', 'is', null).execute()
  for (const { email } of editors)
    await addToOutbox(trx, {
      kind: 'alert',
      recipient: email,
      payload: { subject: 'Something needs your attention', text: message },
    })
  return true
}

export async function clearAlert(trx: Trx, key: string, now: Date): Promise<void> {
  await trx
    .updateTable('alerts')
    .set({ clearedAt: now })
    .where('key', '=', key)
    .where('clearedAt', 'is', null)
    .execute()
}

/** Current alerts, newest first, for the console and the metrics. */
export async function listAlerts(db: Db) {
  return db.selectFrom('alerts').selectAll().where('clearedAt', 'is', null).orderBy('raisedAt', 'desc').execute()
}

async function standingBrakes(db: Db): Promise<Trouble[]> {
  const standing = await listStanding(db)
  return standing.map((brake) => ({ key: `brake:${brake.id}`, message: brakeSentence(brake) }))
}

async function returnedMail(db: Db, now: Date): Promise<Trouble[]> {
  const failed = await countFailed(db)
  const troubles = (await listWarnings(db, now)).map(({ domain, complaints, sent }) => ({
    key: `complaints:${domain}`,
    message: `${complaints} of ${sent} mails to ${domain} in seven days were called spam by their readers. Providers refuse mail from 0.3 % on.`,
  }))
  for (const { domain, day, count } of await listRefusals(db, now))
    troubles.push({
      key: `refused:${domain}:${day}`,
      message: `${count} mails to ${domain} came back on ${day} as refused because of us, not of their recipients.`,
    })
  if (failed > 0)
    troubles.push({
      key: 'inbound',
      message: `${failed} ${failed === 1 ? 'mail that came back' : 'mails that came back'} could not be applied in five attempts.`,
    })
  return troubles
}

async function latePlanning(db: Db, now: Date): Promise<Trouble[]> {
  const late = new Date(now.getTime() - planningMinutes * 60_000)
  const { slot } = await db
    .selectFrom('dueTimes')
    .select((eb) => eb.fn.min('nextDueAt').as('slot'))
    .where('nextDueAt', '<=', late)
    .executeTakeFirstOrThrow()
  if (!slot) return []
  return [
    {
      key: `planning:${slot.toISOString()}`,
      message: `The slot of ${slot.toISOString()} still has subscribers who are due and not planned.`,
    },
  ]
}

async function stuckEditions(db: Db): Promise<Trouble[]> {
  const { rows } = await sql<{ id: number }>`
    select e.id from editions e
    where e.closed_at is null and e.state in ('planning', 'sending')
      and coalesce(e.progress_at, e.created_at) < now() - ${progressMinutes} * interval '1 minute'
      and (e.state = 'planning' or exists (select from deliveries d where d.edition_id = e.id and d.lane = 'digest'
        and d.next_attempt_at < now() - ${progressMinutes} * interval '1 minute'))`.execute(db)
  const paused = await db
    .selectFrom('editions')
    .select(['id', 'note'])
    .where('state', '=', 'paused')
    .where('pausedBy', 'in', ['policy', 'returns'])
    .execute()
  return [
    ...rows.map(({ id }) => ({
      key: `edition:${id}`,
      message: `Edition ${id} has made no progress for ${progressMinutes} minutes.`,
    })),
    ...paused.map(({ id, note }) => ({ key: `edition:${id}`, message: `Edition ${id} doesn't move. ${note}` })),
  ]
}

async function miscountedEditions(db: Db): Promise<Trouble[]> {
  const editions = await db
    .selectFrom('editions')
    .select(['id', 'note'])
    .where('closedAt', 'is', null)
    .where('miscountedAt', 'is not', null)
    .execute()
  return editions.map(({ id, note }) => ({ key: `account:${id}`, message: note }))
}

/** Silent for five times its usual interval, and for at least two days. */
async function silentFeeds(db: Db, now: Date): Promise<Trouble[]> {
  const { rows } = await sql<{ id: number; url: string; lastNewAt: Date }>`
    select f.id, f.url, f.last_new_at as "lastNewAt" from feeds f
    cross join lateral (
      select count(*) as stories, max(first_seen_at) - min(first_seen_at) as span
      from (select first_seen_at from articles where feed_id = f.id order by id desc limit 50) recent
    ) rhythm
    where f.state = 'active' and not f.is_sample and f.last_new_at is not null and rhythm.stories >= 5
      and ${now}::timestamptz - f.last_new_at > greatest(interval '2 days', 5 * rhythm.span / (rhythm.stories - 1))`.execute(
    db,
  )
  return rows.map(({ id, url, lastNewAt }) => ({
    key: `feed:${id}`,
    message: `The feed ${url} has had nothing new since ${lastNewAt.toISOString()}, which is not like it.`,
  }))
}

async function missingTicks(db: Db): Promise<Trouble[]> {
  const last = await lastTick(db, tickMinutes)
  if (!last) return []
  return [
    {
      key: 'tick',
      message: `No tick has come to its end since ${last.toISOString()}. Is a process with the role worker or all running?`,
    },
  ]
}

/** A nightly chore: deletes alerts that ended more than RETENTION_DAYS ago. Safe to repeat. */
export async function purgeAlerts({ db, config }: Context): Promise<void> {
  const before = new Date(systemClock.now().getTime() - config.retentionDays * 86_400_000)
  await db.deleteFrom('alerts').where('clearedAt', '<', before).execute()
}

/**
 * Sends new alerts to ALERT_WEBHOOK. If it doesn't accept one, the next check sends it again. A lock keeps two processes from
 * sending it at once.
 */
async function tellWebhook(ctx: Context): Promise<void> {
  const { alertWebhook } = ctx.config
  if (!alertWebhook) return
  const untold = await ctx.db
    .selectFrom('alerts')
    .select('key')
    .where('clearedAt', 'is', null)
    .where('toldAt', 'is', null)
    .orderBy('raisedAt')
    .execute()
  for (const { key } of untold)
    await ctx.db.transaction().execute(async (trx) => {
      const alert = await trx
        .selectFrom('alerts')
        .select('message')
        .where('key', '=', key)
        .where('toldAt', 'is', null)
        .forUpdate()
        .skipLocked()
        .executeTakeFirst()
      if (
        alert &&
        (await post(ctx, alertWebhook, { alert: key, text: alert.message, url: addressOf(ctx.config, '/admin') }))
      )
        await trx
          .updateTable('alerts')
          .set({ toldAt: sql<Date>`now()` })
          .where('key', '=', key)
          .execute()
    })
}

async function post(
  ctx: Context,
  address: string,
  body: { alert: string; text: string; url: string },
): Promise<boolean> {
  try {
    const answer = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(5000),
    })
    await answer.body?.cancel()
    if (!answer.ok) ctx.log.warn({ status: answer.status }, 'the alert webhook refused; it is told again')
    return answer.ok
  } catch (cause) {
    ctx.log.warn({ err: cause }, 'the alert webhook did not answer; it is told again')
    return false
  }
}

// The dead-man's switch: says once, and loudly, that a slot isn't planned, an edition doesn't move or a feed has gone quiet. To
// the log, to every editor by mail, and to ALERT_WEBHOOK. An alert that is cleared may be raised again.

import { sql } from 'kysely'
import type { Context } from '../db/context.ts'
import type { Db, Trx } from '../db/connect.ts'
import { addToOutbox } from '../delivery/outbox.ts'

const planningMinutes = 15
const progressMinutes = 15

interface Trouble {
  key: string
  message: string
}

/** Looks at everything that can be stuck; raises what is new, clears what is over. */
export async function checkAlerts(ctx: Context): Promise<void> {
  const now = ctx.clock.now()
  await noteProgress(ctx.db)
  const troubles = [
    ...(await latePlanning(ctx.db, now)),
    ...(await stuckEditions(ctx.db)),
    ...(await silentFeeds(ctx.db, now)),
  ]
  const raised: Trouble[] = []
  await ctx.db.transaction().execute(async (trx) => {
    for (const { key, message } of troubles) if (await raiseAlert(trx, ctx, key, message)) raised.push({ key, message })
    const keys = troubles.map((trouble) => trouble.key)
    let over = trx.updateTable('alerts').set({ clearedAt: now }).where('clearedAt', 'is', null)
    over = over.where('key', 'not like', 'account:%')
    if (keys.length > 0) over = over.where('key', 'not in', keys)
    await over.execute()
  })
  for (const trouble of raised) await tellWebhook(ctx, trouble)
}

/** False when it has been raised already. The mails to the editors go with the transaction. */
export async function raiseAlert(trx: Trx, ctx: Context, key: string, message: string): Promise<boolean> {
  const now = ctx.clock.now()
  const { rows } = await sql`
    insert into alerts (key, message, raised_at) values (${key}, ${message}, ${now})
    on conflict (key) do update set message = excluded.message, raised_at = excluded.raised_at, cleared_at = null
      where alerts.cleared_at is not null
    returning key`.execute(trx)
  if (rows.length === 0) return false
  ctx.log.error({ alert: key }, message)
  const editors = await trx.selectFrom('editors').select('email').where('disabledAt', 'is', null).execute()
  for (const { email } of editors)
    await addToOutbox(trx, {
      kind: 'alert',
      recipient: email,
      payload: { subject: 'Something needs a look', text: message },
    })
  return true
}

/** Those that still stand, newest first: for the console and the metrics. */
export async function listAlerts(db: Db) {
  return db.selectFrom('alerts').selectAll().where('clearedAt', 'is', null).orderBy('raisedAt', 'desc').execute()
}

async function latePlanning(db: Db, now: Date): Promise<Trouble[]> {
  const late = new Date(now.getTime() - planningMinutes * 60_000)
  const { slot } = await db
    .selectFrom('subscribers')
    .select((eb) => eb.fn.min('nextDueAt').as('slot'))
    .where('status', '=', 'active')
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
  return rows.map(({ id }) => ({
    key: `edition:${id}`,
    message: `Edition ${id} has made no progress for ${progressMinutes} minutes.`,
  }))
}

/** Notes which editions moved since the last look: their live counts are a few small rows each. */
export async function noteProgress(db: Db): Promise<void> {
  await sql`
    update editions e set progress_at = now(), progress_done = c.done
    from (select n.edition_id, sum(n.count)::int as done from edition_counts n
      join editions u on u.id = n.edition_id where u.closed_at is null group by 1) c
    where e.id = c.edition_id and e.progress_done <> c.done`.execute(db)
}

/** Quiet for five times as long as it usually is, and for two days at least. */
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

async function tellWebhook(ctx: Context, trouble: Trouble): Promise<void> {
  const { alertWebhook } = ctx.config
  if (!alertWebhook) return
  try {
    const answer = await fetch(alertWebhook, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ alert: trouble.key, text: trouble.message }),
      signal: AbortSignal.timeout(5000),
    })
    if (!answer.ok) ctx.log.warn({ status: answer.status }, 'the alert webhook refused')
  } catch (cause) {
    ctx.log.warn({ err: cause }, 'the alert webhook did not answer')
  }
}

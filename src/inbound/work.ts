// The chore `inbound`: received mails are read in the parser's thread, matched, and applied, a batch in one transaction. Safe to repeat
// and to kill anywhere.

import { sql } from 'kysely'
import { isOutage } from '../db/outage.ts'
import { ParserClosed } from '../base/parser-thread.ts'
import type { Db } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import { retryDeadlock } from '../db/retry-deadlock.ts'
import type { InboundEvent } from '../db/schema.ts'
import { getPepper } from '../db/settings.ts'
import { withoutAddresses } from '../delivery/reasons.ts'
import { applyMails } from './apply.ts'
import { findMatches } from './match.ts'
import { mostBytes } from './open.ts'
import { type Read, understand } from './understand.ts'
import { purgeSentCounts } from '../delivery/sent-counts.ts'

/** After that the mail is kept, shown, and an alert is raised. */
export const mostAttempts = 5
const batchSize = 50
/** A batch takes far less: reading stops after `readMs`, and the transaction has about twenty statements. */
const leaseSeconds = 60
const readMs = 20_000
/** The chore ends before the queue considers it dead. If mail still waits, it is added again. */
const longestRunMs = 10 * 60_000
const keepRawDays = 30

/** Returns how many were applied. */
export async function runInbound(ctx: Context): Promise<number> {
  const until = Date.now() + longestRunMs
  let applied = 0
  for (let claimed = 1; claimed > 0 && Date.now() < until;) {
    claimed = 0
    for (const isNew of [true, false]) {
      const events = await claim(ctx.db, isNew)
      const { readings, isClosed } = await readAll(ctx, events)
      applied += await apply(ctx, readings)
      if (isClosed) return applied
      claimed += events.length
    }
  }
  return applied
}

/** New mails are claimed in a batch. A mail that was attempted before is claimed alone: a mail that crashes the process must not use
 * up more than one attempt of others. */
async function claim(db: Db, isNew: boolean): Promise<InboundEvent[]> {
  const { rows } = await sql<InboundEvent>`
    update inbound_events e
    set attempts = e.attempts + 1, next_attempt_at = now() + ${leaseSeconds} * interval '1 second'
    from (
      select id from inbound_events where next_attempt_at <= now() and ${isNew ? sql`attempts = 0` : sql`attempts > 0`}
      order by next_attempt_at, id limit ${isNew ? batchSize : 1} for update skip locked
    ) w
    where e.id = w.id
    returning e.id, e.received_at, e.source, e.envelope_to, substring(e.raw for ${mostBytes}::int) as raw, e.facts,
      e.attempts`.execute(db)
  return rows.toSorted((a, b) => a.id - b.id)
}

async function giveBack(db: Db, events: readonly InboundEvent[]): Promise<void> {
  if (events.length === 0) return
  await db
    .updateTable('inboundEvents')
    .set((eb) => ({ attempts: eb('attempts', '-', 1), nextAttemptAt: sql<Date>`now()` }))
    .where(
      'id',
      'in',
      events.map(({ id }) => id),
    )
    .where('appliedAt', 'is', null)
    .execute()
}

interface Reading {
  event: InboundEvent
  read: Read
}

/** Reads one after the other. A mail that can't be read has failed. Mails for which there is no time are given back. */
async function readAll(
  ctx: Context,
  events: readonly InboundEvent[],
): Promise<{ readings: Reading[]; isClosed: boolean }> {
  const until = Date.now() + readMs
  const readings: Reading[] = []
  for (const [at, event] of events.entries()) {
    try {
      if (Date.now() > until) {
        await giveBack(ctx.db, events.slice(at))
        break
      }
      if (event.attempts > mostAttempts) throw new Error('The process ended each time that it was read.')
      readings.push({ event, read: await understand(ctx.config, event) })
    } catch (error) {
      if (error instanceof ParserClosed) {
        await giveBack(ctx.db, events.slice(at))
        return { readings, isClosed: true }
      }
      if (isOutage(error)) throw error
      await fail(ctx, event, error)
    }
  }
  return { readings, isClosed: false }
}

/** Applies them in one transaction. If that fails, each gets its own, so that a mail that can't be applied doesn't delay the others.
 * Returns how many were applied. */
async function apply(ctx: Context, readings: readonly Reading[]): Promise<number> {
  if (readings.length === 0) return 0
  try {
    await retryDeadlock(() => applyTogether(ctx, readings))
    return readings.length
  } catch (error) {
    // If the database didn't get the result, the mails are claimed again when their lease ends.
    if (isOutage(error)) throw error
    if (readings.length === 1) {
      await fail(ctx, readings[0]!.event, error)
      return 0
    }
    let applied = 0
    for (const one of readings) applied += await apply(ctx, [one])
    return applied
  }
}

async function applyTogether(ctx: Context, readings: readonly Reading[]): Promise<void> {
  const now = ctx.clock.now()
  const pepper = await getPepper(ctx.db)
  await ctx.db.transaction().execute(async (trx) => {
    const questions = readings.map(({ read: { hints, mail, quotedTo } }) => ({
      hints,
      recipients: [...mail.reports.flatMap(({ recipient }) => recipient ?? []), ...quotedTo],
    }))
    const matches = await findMatches(trx, ctx.config, questions, now)
    const mails = readings.map((reading, i) => ({ ...reading, match: matches[i]! }))
    const ends = mails.map(({ event: { id }, match, read: { mail, unsubscribes } }) => {
      const isReport = mail.reports.length > 0 || mail.kind === 'autoreply'
      return { id, kind: mail.kind, matched: isReport ? match !== null : unsubscribes !== null }
    })
    const { rows } = await sql<{ id: number }>`
      update inbound_events e
      set applied_at = ${now}, next_attempt_at = null, problem = null, kind = g.kind, matched = g.matched
      from jsonb_to_recordset(${JSON.stringify(ends)}::jsonb) as g (id bigint, kind text, matched boolean)
      where e.id = any(${ends.map(({ id }) => id)}) and e.id = g.id and e.applied_at is null returning e.id`.execute(
      trx,
    )
    const isOurs = new Set(rows.map(({ id }) => id))
    await applyMails(
      trx,
      { ctx, pepper },
      mails.filter(({ event }) => isOurs.has(event.id)),
    )
  })
}

async function fail({ db, log }: Context, { id, attempts }: InboundEvent, error: unknown): Promise<void> {
  const isOver = attempts >= mostAttempts
  // Errors of statements may quote an address.
  const problem = withoutAddresses(String((error as Error).message)).slice(0, 500)
  log.error({ inbound: id, attempt: attempts, problem }, 'a returned mail could not be applied')
  await db
    .updateTable('inboundEvents')
    .set({
      problem,
      nextAttemptAt: isOver ? null : sql<Date>`now() + ${attempts * attempts} * interval '1 minute'`,
    })
    .where('id', '=', id)
    .where('appliedAt', 'is', null)
    .execute()
}

/** Mails that five attempts couldn't apply. */
export async function countFailed(db: Db): Promise<number> {
  const { count } = await db
    .selectFrom('inboundEvents')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('nextAttemptAt', 'is', null)
    .where('appliedAt', 'is', null)
    .executeTakeFirstOrThrow()
  return count
}

/** The nightly chore. The text of a mail is deleted after 30 days, everything else with its delivery. Safe to repeat. */
export async function purgeInbound({ db, clock, config }: Context): Promise<void> {
  const daysAgo = (days: number) => new Date(clock.now().getTime() - days * 86_400_000)
  await db
    .updateTable('inboundEvents')
    .set({ raw: null, facts: null })
    .where('receivedAt', '<', daysAgo(keepRawDays))
    .where((eb) => eb.or([eb('raw', 'is not', null), eb('facts', 'is not', null)]))
    .execute()
  const before = daysAgo(Math.max(keepRawDays, config.retentionDays))
  await db.deleteFrom('inboundEvents').where('receivedAt', '<', before).execute()
  await db.deleteFrom('returnedDeliveries').where('at', '<', before).execute()
  await db.deleteFrom('bounceScores').where('changedAt', '<', daysAgo(keepRawDays)).execute()
  await purgeSentCounts(db)
}

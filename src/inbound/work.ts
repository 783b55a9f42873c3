// The chore `inbound`: received mails are read in the parser's thread, matched, and applied. Safe to repeat and to kill anywhere.

import { sql } from 'kysely'
import { isOutage } from '../db/outage.ts'
import { ParserClosed } from '../base/parser-thread.ts'
import type { Db } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import { retryDeadlock } from '../db/retry-deadlock.ts'
import type { InboundEvent } from '../db/schema.ts'
import { getPepper } from '../db/settings.ts'
import { withoutAddresses } from '../delivery/reasons.ts'
import { applyMail } from './apply.ts'
import { findMatch } from './match.ts'
import { understand } from './understand.ts'
import { purgeSentCounts } from '../delivery/sent-counts.ts'

/** After that the mail is kept, shown, and an alert is raised. */
export const mostAttempts = 5
/** A process that takes longer for one mail is gone: reading has a deadline of seconds. */
const leaseSeconds = 60
/** The chore ends before the queue considers it dead. If mail still waits, it is added again. */
const longestRunMs = 10 * 60_000
const keepRawDays = 30

/** Returns how many were applied. */
export async function runInbound(ctx: Context): Promise<number> {
  const until = Date.now() + longestRunMs
  let applied = 0
  while (Date.now() < until) {
    const event = await claim(ctx.db)
    if (!event) break
    try {
      await handle(ctx, event)
      applied++
    } catch (error) {
      if (error instanceof ParserClosed) {
        await giveBack(ctx.db, event)
        break
      }
      // If the database didn't get the result, the mail is claimed again when its lease ends.
      if (isOutage(error)) throw error
      await fail(ctx, event, error)
    }
  }
  return applied
}

/** One at a time: a mail that crashes the process must not use up the attempts of others. */
async function claim(db: Db): Promise<InboundEvent | undefined> {
  return db
    .updateTable('inboundEvents')
    .set((eb) => ({
      attempts: eb('attempts', '+', 1),
      nextAttemptAt: sql<Date>`now() + ${leaseSeconds} * interval '1 second'`,
    }))
    .where('id', '=', (eb) =>
      eb
        .selectFrom('inboundEvents')
        .select('id')
        .where('nextAttemptAt', '<=', sql<Date>`now()`)
        .orderBy('nextAttemptAt')
        .orderBy('id')
        .limit(1)
        .forUpdate()
        .skipLocked(),
    )
    .returningAll()
    .executeTakeFirst()
}

async function giveBack(db: Db, { id }: InboundEvent): Promise<void> {
  await db
    .updateTable('inboundEvents')
    .set((eb) => ({ attempts: eb('attempts', '-', 1), nextAttemptAt: sql<Date>`now()` }))
    .where('id', '=', id)
    .where('appliedAt', 'is', null)
    .execute()
}

async function handle(ctx: Context, event: InboundEvent): Promise<void> {
  if (event.attempts > mostAttempts) throw new Error('The process ended each time that it was read.')
  const understood = await understand(ctx.config, event)
  const pepper = await getPepper(ctx.db)
  await retryDeadlock(() =>
    ctx.db.transaction().execute(async (trx) => {
      const { hints, mail, unsubscribes } = understood
      const recipients = mail.reports.flatMap(({ recipient }) => recipient ?? [])
      const match = await findMatch(trx, ctx.config, hints, [...recipients, ...understood.quotedTo], ctx.clock.now())
      const isReport = mail.reports.length > 0 || mail.kind === 'autoreply'
      const matched = isReport ? match !== null : unsubscribes !== null
      const { numUpdatedRows } = await trx
        .updateTable('inboundEvents')
        .set({ appliedAt: ctx.clock.now(), nextAttemptAt: null, problem: null, kind: mail.kind, matched })
        .where('id', '=', event.id)
        .where('appliedAt', 'is', null)
        .executeTakeFirst()
      if (!numUpdatedRows) return
      await applyMail(trx, { ctx, pepper, event, match }, mail, unsubscribes)
    }),
  )
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

// The tick does everything that is due at a time. Cron, a command or five machines may call it at any moment, any number of times:
// what is due is in the database, and each step is safe to repeat. After a crash, the next tick continues. The end of each tick is
// recorded: desk/alerts.ts warns if there is none.

import type { Context } from '../db/context.ts'
import type { Edition } from '../db/schema.ts'
import { releaseDue, takeBackReleases } from '../articles/release.ts'
import { closeFinished } from '../editions/close.ts'
import { decideAtSlot } from '../editions/states.ts'
import { findEdition, listUnfinished } from '../editions/store.ts'
import { dueSlots, passMissed } from './missed.ts'
import { type Planned, planScheduled } from './plan.ts'
import { planTriggered } from './plan-triggered.ts'
import { findSendingHold } from '../delivery/sending-hold.ts'
import { type MakeSnapshot, prepare } from './prepare.ts'
import { purge } from '../delivery/purge.ts'
import { realign, takeBack } from './realign.ts'
import { makeSnapshot, purgeSnapshots } from '../digests/snapshot.ts'
import { makeForApproval } from './approval.ts'
import { finishCancelled } from '../delivery/cancel.ts'
import { ensureScheduled } from '../editions/create.ts'
import { noteTick } from './last-tick.ts'
import { endBrakes } from './end-brakes.ts'

export interface TickOptions {
  /** In slots, only this subscriber is planned. */
  only?: number | undefined
  /** `now` isn't the present. */
  isAsOf?: boolean | undefined
  /** Called after each planned chunk, with the edition and how many were added to it. */
  onProgress?: ((editionId: number, planned: number) => void) | undefined
  makeSnapshot?: MakeSnapshot
  chunkSize?: number | undefined
}

export interface TickResult {
  /** Editions that wait for an editor's approval, some minutes before their slots. */
  built: number[]
  /** Editions that this tick planned, in that order. */
  planned: { editionId: number; planned: number; isComplete: boolean }[]
  /** Another process was planning one of them, so it isn't known whether it is complete. */
  isBusy: boolean
  closed: number[]
  missed: number
}

export async function runTick(ctx: Context, options: TickOptions = {}): Promise<TickResult> {
  const now = ctx.clock.now()
  const parts = { makeSnapshot: options.makeSnapshot ?? makeSnapshot }
  const planned: TickResult['planned'] = []
  let isBusy = false
  const plan = async (edition: Edition) => {
    const { outcome, planned: count } = await planOne(ctx, edition, parts, options)
    if (outcome === 'busy') isBusy = true
    if (outcome !== 'busy' || count > 0)
      planned.push({ editionId: edition.id, planned: count, isComplete: outcome === 'complete' })
  }

  // While an edition of a run ahead of the clock is open, its stories stay in its mails.
  if (!options.isAsOf && !(await listUnfinished(ctx.db)).some(({ createdAt }) => createdAt > now))
    await takeBackReleases(ctx.db, now)
  // Before any cut-off: a story dated 07:00 is in the edition of 07:00.
  await releaseDue(ctx.db, now)
  await realign(ctx)
  if (!options.isAsOf) await takeBack(ctx)
  // Subscribers stay due until an operator has decided (delivery/sending-hold.ts).
  const isHeld = (await findSendingHold(ctx.db)) !== null
  const missed = isHeld ? 0 : await passMissed(ctx, now, options.only)
  await finishCancelled(ctx)
  if (!isHeld) await endBrakes(ctx)
  const built = isHeld ? [] : await makeForApproval(ctx, now, parts)
  for (const edition of isHeld ? [] : await listUnfinished(ctx.db))
    if (edition.kind !== 'scheduled' && edition.state !== 'cancelled' && !edition.plannedAt) await plan(edition)
  for (const slot of isHeld ? [] : await slotsToPlan(ctx, now, options.only))
    await plan(await ensureScheduled(ctx.db, slot, now))
  const closed = await closeFinished(ctx)
  await purge(ctx)
  await purgeSnapshots(ctx)
  await noteTick(ctx.db)
  return { built, planned, isBusy, closed, missed }
}

async function planOne(
  ctx: Context,
  edition: Edition,
  parts: { makeSnapshot: MakeSnapshot },
  options: TickOptions,
): Promise<Planned> {
  // An edition that wasn't created before its slot, as after a downtime, has no approval either.
  const needsApproval = edition.kind === 'scheduled' && ctx.config.digest.approvalMinutes > 0
  await prepare(ctx, edition, { ...parts, next: needsApproval ? 'awaiting_approval' : 'sending' })
  if (edition.kind === 'scheduled') await decideAtSlot(ctx.db, edition.id, ctx.config.digest.approvalPolicy)
  const plan = edition.kind === 'scheduled' ? planScheduled : planTriggered
  return plan(ctx, (await findEdition(ctx.db, edition.id))!, {
    only: options.only,
    chunkSize: options.chunkSize,
    onProgress: (count) => options.onProgress?.(edition.id, count),
  })
}

/** Slots at which subscribers are due, and those whose planning was interrupted after its last chunk. */
async function slotsToPlan(ctx: Context, now: Date, only: number | undefined): Promise<Date[]> {
  if (only !== undefined) {
    const due = await ctx.db
      .selectFrom('dueTimes')
      .select('nextDueAt')
      .where('subscriberId', '=', only)
      .executeTakeFirst()
    return due && due.nextDueAt <= now ? [due.nextDueAt] : []
  }
  const slots = new Map<number, Date>()
  for await (const slot of dueSlots(ctx.db, now)) slots.set(slot.getTime(), slot)
  for (const { kind, slotAt, plannedAt } of await listUnfinished(ctx.db))
    if (kind === 'scheduled' && slotAt && slotAt <= now && !plannedAt) slots.set(slotAt.getTime(), slotAt)
  return [...slots.values()].sort((a, b) => a.getTime() - b.getTime())
}

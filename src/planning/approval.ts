// Approval mode: an edition is built some minutes before its slot and shown to editors, who may arrange it (desk/arrange.ts). At the
// slot it is sent if one of them approved it, and otherwise sent or held, as the site's policy says.
//
// Nobody's deliveries exist before the slot, so a choice that a subscriber changes until then counts.

import type { Context } from '../db/context.ts'
import { ensureScheduled } from '../editions/create.ts'
import { dueSlots } from './missed.ts'
import { type MakeSnapshot, prepare } from './prepare.ts'

/** Builds what falls due within the next minutes. Resolves to the editions of those minutes, built now or before. */
export async function makeForApproval(
  ctx: Context,
  now: Date,
  parts: { makeSnapshot: MakeSnapshot },
): Promise<number[]> {
  const { approvalMinutes } = ctx.config.digest
  if (approvalMinutes === 0) return []
  const built: number[] = []
  const until = new Date(now.getTime() + approvalMinutes * 60_000)
  for await (const slot of dueSlots(ctx.db, until, now)) {
    const edition = await ensureScheduled(ctx.db, slot, now)
    await prepare(ctx, edition, { ...parts, next: 'awaiting_approval' })
    built.push(edition.id)
  }
  return built
}

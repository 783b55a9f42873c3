// Approval mode: an edition is created some minutes before its slot and shown to editors, who may arrange it (desk/approval.ts). At
// the slot it is sent if an editor approved it. Otherwise it is sent or held, as the site's policy says.
//
// Deliveries are created at the slot, so changes that subscribers make until then count.

import type { Context } from '../db/context.ts'
import { ensureScheduled } from '../editions/create.ts'
import { dueSlots } from './missed.ts'
import { type MakeSnapshot, prepare } from './prepare.ts'

/** Creates the editions of the next minutes. Returns them, including those that were created before. */
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

// Ends brakes (delivery/brakes.ts) after some time.

import { sql } from 'kysely'
import { audit } from '../access/audit.ts'
import type { Context } from '../db/context.ts'
import type { Brake } from '../db/schema.ts'
import { listStanding, lockBrakes, setDecision } from '../delivery/brakes.ts'
import { addCount } from '../editions/account.ts'
import { failOverdue, isAnyOverdue, releaseWaiting } from '../delivery/held-mail.ts'

/**
 * Runs with the tick. A brake without a decision ends once its mail has failed: the next edition tests the addresses again, with
 * at most twenty mails. Mail that a worker deferred at the moment of a decision is released too.
 */
export async function endBrakes(ctx: Context): Promise<void> {
  const before = new Date(ctx.clock.now().getTime() - ctx.config.mail.retryHours * 3_600_000)
  for (const brake of await listStanding(ctx.db)) {
    if (brake.since > before) continue
    await failPaused(ctx, brake, before)
    if (await isAnyOverdue(ctx.db, brake, before)) continue
    await ctx.db.transaction().execute(async (trx) => {
      await lockBrakes(trx)
      if (!(await setDecision(trx, brake.id, { decision: 'none', unlessDecided: true }))) return
      await releaseWaiting(trx, brake)
      await audit(trx, { at: ctx.clock.now(), actor: 'scheduler', action: 'brake.ended', subject: `brake:${brake.id}` })
    })
  }
  const decided = await ctx.db
    .selectFrom('brakes')
    .selectAll()
    .where('decidedAt', '>', sql<Date>`now() - interval '15 minutes'`)
    .execute()
  for (const brake of decided) await releaseWaiting(ctx.db, brake)
}

/** The retry window of mail in a paused edition passes too. */
async function failPaused(ctx: Context, brake: Brake, before: Date): Promise<void> {
  await ctx.db.transaction().execute(async (trx) => {
    await lockBrakes(trx)
    for (const [editionId, count] of await failOverdue(trx, brake, before))
      await addCount(trx, editionId, 'failed', count)
  })
}

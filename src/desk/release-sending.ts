// An operator's decision after a restored backup or a copy: sending begins again, with or without the mail that was due.

import { type Actor, audit } from '../access/audit.ts'
import { Refusal } from '../base/errors.ts'
import type { Context } from '../db/context.ts'
import { endSendingHold, findSendingHold, skipWaitingMails } from '../delivery/sending-hold.ts'
import { listUnfinished } from '../editions/store.ts'
import { passMissed } from '../planning/missed.ts'
import { moveEdition } from './control.ts'
import { movesOf } from '../editions/states.ts'
import { countAllAsRead } from '../subscribers/all-as-read.ts'

export interface Released {
  /** How many were cancelled, passed as missed, and skipped. All 0 unless what was due is skipped. */
  skipped: { editions: number; slots: number; mails: number }
}

/**
 * Ends the hold. `skipDue`: mail that was due before now isn't sent. Open editions are cancelled, slots that have come are passed
 * as missed, single mails that waited before the hold are skipped, and existing stories count as read, because forgotten mails may
 * have contained them. Refused if sending isn't held. After a crash in the middle, sending is still held, and the same call
 * continues.
 */
export async function releaseSending(
  ctx: Context,
  { skipDue, actor }: { skipDue: boolean; actor: Actor },
): Promise<Released> {
  const hold = await findSendingHold(ctx.db)
  if (!hold) throw new Refusal('conflict', 'Sending isn’t held.')
  const skipped = skipDue ? await skipWhatIsDue(ctx, new Date(hold.since), actor) : { editions: 0, slots: 0, mails: 0 }
  await ctx.db.transaction().execute(async (trx) => {
    if (!(await endSendingHold(trx))) throw new Refusal('conflict', 'Sending isn’t held.')
    await audit(trx, {
      at: ctx.clock.now(),
      actor,
      action: 'sending.released',
      subject: 'sending',
      detail: { skipDue, ...skipped, since: hold.since },
    })
  })
  return { skipped }
}

async function skipWhatIsDue(ctx: Context, since: Date, actor: Actor): Promise<Released['skipped']> {
  const now = ctx.clock.now()
  let editions = 0
  for (const edition of await listUnfinished(ctx.db))
    if ((edition.slotAt ?? edition.createdAt) <= now && movesOf(edition).includes('cancel')) {
      await moveEdition(ctx, { editionId: edition.id, move: 'cancel', actor })
      editions++
    }
  const { config } = ctx
  const withoutGrace = { ...ctx, config: { ...config, digest: { ...config.digest, graceHours: 0 } } }
  const slots = await passMissed(withoutGrace, now)
  const mails = await skipWaitingMails(ctx.db, since)
  await countAllAsRead(ctx.db)
  return { editions, slots, mails }
}

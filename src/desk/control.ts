// What an editor does to an existing edition: hold, release, pause, resume, cancel, retry failed mail. Each is one transaction
// with its line in the audit log. Workers read the edition's state in the statement that puts a mail on the wire, so a change
// applies to the very next mail.

import { type RawBuilder, sql } from 'kysely'
import { type Actor, audit } from '../access/audit.ts'
import { Refusal } from '../base/errors.ts'
import type { Context } from '../db/context.ts'
import type { Trx } from '../db/connect.ts'
import type { Edition } from '../db/schema.ts'
import { cancelDeliveries } from '../delivery/cancel.ts'
import { canSendAgain, queueFailedAgain } from '../delivery/send-again.ts'
import { resolveUncertain } from '../delivery/uncertain.ts'
import { type EditionMove, makeMove, movesOf, reopenEdition, stateWords } from '../editions/states.ts'
import { lockEdition } from '../editions/store.ts'
import { lockPlanning } from '../planning/plan.ts'

const pastTense = {
  hold: 'edition.held',
  release: 'edition.released',
  pause: 'edition.paused',
  resume: 'edition.resumed',
  cancel: 'edition.cancelled',
} as const satisfies Record<EditionMove, string>

export async function moveEdition(
  ctx: Context,
  input: { editionId: number; move: EditionMove; actor: Actor },
): Promise<void> {
  const now = ctx.clock.now()
  const { editionId, move, actor } = input
  await ctx.db.transaction().execute(async (trx) => {
    const edition = await lockEdition(trx, editionId)
    if (!movesOf(edition).includes(move))
      throw new Refusal(
        'conflict',
        `Edition ${editionId} is ${stateWords(edition)}: it can't be ${pastTense[move].slice(8)}.`,
      )
    await makeMove(trx, edition, move, now)
    await audit(trx, { at: now, actor, action: pastTense[move], subject: `edition:${editionId}` })
  })
  if (move === 'cancel') await cancelDeliveries(ctx, editionId)
}

/** Sends failed mails again, where possible (send-again.ts). Opens a closed edition. Returns how many. */
export async function retryFailed(ctx: Context, input: { editionId: number; actor: Actor }): Promise<number> {
  const now = ctx.clock.now()
  return ctx.db.transaction().execute(async (trx) => {
    const edition = await lockEdition(trx, input.editionId)
    if (!canSendAgain(edition))
      throw new Refusal('conflict', `Edition ${edition.id} is ${edition.state}: nothing of it can be sent again.`)
    const deliveries = await sendFailedAgain(trx, [edition], sql`true`)
    await audit(trx, {
      at: now,
      actor: input.actor,
      action: 'edition.retried',
      subject: `edition:${edition.id}`,
      detail: { deliveries },
    })
    return deliveries
  })
}

/** For editions that the caller has locked, in the order of their ids: the failed deliveries `d` that a condition selects. */
export async function sendFailedAgain(
  trx: Trx,
  editions: readonly Edition[],
  isWanted: RawBuilder<unknown>,
): Promise<number> {
  await lockPlanning(trx)
  let total = 0
  for (const edition of editions) {
    const count = await queueFailedAgain(trx, edition, isWanted)
    if (count > 0) await reopenEdition(trx, edition.id)
    total += count
  }
  return total
}

/** Decides about mails that may have arrived (delivery/uncertain.ts). Returns how many. */
export async function decideUncertain(
  ctx: Context,
  input: { editionId: number; as: 'sent' | 'resend'; actor: Actor },
): Promise<number> {
  const now = ctx.clock.now()
  return ctx.db.transaction().execute(async (trx) => {
    const edition = await lockEdition(trx, input.editionId)
    if (!canSendAgain(edition))
      throw new Refusal('conflict', `Edition ${edition.id} is ${edition.state}: nothing of it can be decided.`)
    const deliveries = await resolveUncertain(trx, edition.id, input.as)
    await audit(trx, {
      at: now,
      actor: input.actor,
      action: 'edition.resolved',
      subject: `edition:${edition.id}`,
      detail: { deliveries, as: input.as },
    })
    return deliveries
  })
}

// Ends links. Raising a subscriber's generation ends every link that was made before, except unsubscribe links.

import type { Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import { addToOutbox } from '../delivery/outbox.ts'
import { lockSubscriber } from './store.ts'

export async function raiseGeneration(trx: Trx, subscriberId: number): Promise<void> {
  await trx
    .updateTable('subscribers')
    .set((eb) => ({ generation: eb('generation', '+', 1) }))
    .where('id', '=', subscriberId)
    .execute()
}

/**
 * false: unknown subscriber. `isMailed`: a new preferences link is mailed to the address, without limits, because the same link
 * can't be used for a second request.
 */
export async function endOlderLinks(
  ctx: Context,
  subscriberId: number,
  options: { isMailed: boolean },
): Promise<boolean> {
  return ctx.db.transaction().execute(async (trx) => {
    const subscriber = await lockSubscriber(trx, subscriberId)
    if (!subscriber) return false
    await raiseGeneration(trx, subscriberId)
    if (options.isMailed)
      await addToOutbox(trx, { kind: 'preferences-link', recipient: subscriber.email, subscriberId })
    return true
  })
}

// An editor decides about uncertain deliveries that aren't sent again automatically: count them as sent, or send them again with
// the same Message-ID. A mail that waits to be sent again automatically isn't listed.

import { sql } from 'kysely'
import type { Trx } from '../db/connect.ts'
import { addCount } from '../editions/account.ts'
import { reopenEdition } from '../editions/states.ts'
import { isMailable } from './mailable.ts'

/**
 * Returns how many are decided now. `sent` counts them as received. `resend` sends them again to those who can be mailed, which
 * opens the edition; the others stay undecided. The caller writes the audit line and refuses cancelled editions. Safe to repeat.
 */
export async function resolveUncertain(
  trx: Trx,
  editionId: number,
  resolution: 'sent' | 'resend',
  deliveryIds: readonly number[] | null = null,
): Promise<number> {
  await sql`select id from editions where id = ${editionId} for no key update`.execute(trx)
  const chosen = deliveryIds ? sql`and d.id = any(${`{${deliveryIds.join(',')}}`}::bigint[])` : sql``
  const reachable =
    resolution === 'sent'
      ? sql``
      : sql`and exists (select from subscribers s where s.id = d.subscriber_id and ${isMailable})`
  const change =
    resolution === 'sent'
      ? sql`state = 'sent'`
      : // One more doubt is allowed, as the editor asked for it: it is held again after that.
        sql`next_attempt_at = now(), settled_at = null, doubts = greatest(doubts, 1)`
  const { rows } = await sql<{ id: number }>`
    update deliveries d set ${change}
    where d.edition_id = ${editionId} and d.state = 'uncertain' and d.settled_at is not null ${chosen} ${reachable}
    returning d.id`.execute(trx)
  if (!rows.length) return 0
  if (resolution === 'sent') {
    await addCount(trx, editionId, 'sent', rows.length)
    await addCount(trx, editionId, 'uncertain', -rows.length)
  }
  await reopenEdition(trx, editionId)
  return rows.length
}

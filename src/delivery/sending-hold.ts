// A hold on all sending of the site. It is a setting that claims, turns and ticks check, so it applies to every machine at once.
// It is set when the database may not know everything that was sent (a restored backup, a copy), and an operator ends it. Both
// lanes wait, because a confirmation that waits in a copy is also a mail to a real person.

import { sql } from 'kysely'
import { Refusal } from '../base/errors.ts'
import type { Db, Trx } from '../db/connect.ts'
import { deleteSetting, findSetting, keepSetting } from '../db/settings.ts'
import { wakeWorkers } from '../editions/wake.ts'

export interface SendingHold {
  /** When it was set: ISO 8601. */
  since: string
  /** One sentence for the screen. */
  why: string
  /**
   * Mail, sign-ups and unsubscribes between this instant and `since` are missing: ISO 8601. null: the start isn't known, or
   * nothing is missing.
   */
  knownUntil: string | null
}

export const sendingHoldKey = 'sending_hold'

/** For statements without Kysely. */
export const isSendingHeld = `exists (select from settings where key = '${sendingHoldKey}')`

export async function findSendingHold(db: Db): Promise<SendingHold | null> {
  return (await findSetting<SendingHold>(db, sendingHoldKey)) ?? null
}

/** Why sending is held, and that nothing is sent: one sentence each. Pure. */
export function holdSentence(hold: SendingHold): string {
  return `${hold.why} No mail is sent until sending is released.`
}

/** For mail that an editor sends by hand: it would wait, and be skipped or come late. */
export async function refuseWhileHeld(db: Db): Promise<void> {
  const hold = await findSendingHold(db)
  if (hold) throw new Refusal('conflict', `${holdSentence(hold)} See: sending status`)
}

/** Does nothing if there is a hold already. Safe to repeat. */
export async function holdSending(db: Db, hold: SendingHold): Promise<void> {
  await keepSetting(db, sendingHoldKey, hold)
}

/** false: there was no hold. */
export async function endSendingHold(trx: Trx): Promise<boolean> {
  const ended = await deleteSetting(trx, sendingHoldKey)
  await wakeWorkers(trx)
  await wakeWorkers(trx, 'transactional')
  return ended
}

/**
 * Skips waiting single mails (confirmations and the like) that were written before `before`, as cancelled. While sending is held,
 * none of them is leased. Returns how many. Safe to repeat.
 */
export async function skipWaitingMails(db: Db, before: Date): Promise<number> {
  const { numAffectedRows } = await sql`
    update deliveries set next_attempt_at = null, settled_at = now(),
      state = case when state = 'uncertain' then 'uncertain' else 'skipped' end,
      reason = case when state = 'uncertain' then null else 'cancelled' end
    where lane = 'transactional' and next_attempt_at is not null and created_at < ${before}`.execute(db)
  return Number(numAffectedRows ?? 0)
}

// Sending is held for the whole site: a setting that claims, turns and ticks obey, so that it counts on every machine at once. It is
// set where the database may have forgotten what was sent (a restored backup, a copy), and an operator ends it. Both lanes wait: a
// confirmation that waits in a copy is a mail to a real person, too.

import { sql } from 'kysely'
import { Refusal } from '../base/errors.ts'
import type { Db, Trx } from '../db/connect.ts'
import { deleteSetting, findSetting, keepSetting } from '../db/settings.ts'
import { wakeWorkers } from '../editions/wake.ts'

export interface SendingHold {
  /** When it was set: ISO 8601. */
  since: string
  /** One sentence for people. */
  why: string
  /** What was sent, subscribed and unsubscribed between this instant and `since` is missing: ISO 8601. null: since when isn't known, or
   * nothing is missing. */
  knownUntil: string | null
}

export const sendingHoldKey = 'sending_hold'

/** For statements past Kysely. */
export const isSendingHeld = `exists (select from settings where key = '${sendingHoldKey}')`

export async function findSendingHold(db: Db): Promise<SendingHold | null> {
  return (await findSetting<SendingHold>(db, sendingHoldKey)) ?? null
}

/** Why, and that nothing goes out: one sentence each. Pure. */
export function holdSentence(hold: SendingHold): string {
  return `${hold.why} No mail is sent until sending is released.`
}

/** For whatever is sent by hand: it would wait, and be skipped or come late. */
export async function refuseWhileHeld(db: Db): Promise<void> {
  const hold = await findSendingHold(db)
  if (hold) throw new Refusal('conflict', `${holdSentence(hold)} See: sending status`)
}

/** One that is there already stays as it is. Safe to repeat. */
export async function holdSending(db: Db, hold: SendingHold): Promise<void> {
  await keepSetting(db, sendingHoldKey, hold)
}

/** false: it wasn't held. */
export async function endSendingHold(trx: Trx): Promise<boolean> {
  const ended = await deleteSetting(trx, sendingHoldKey)
  await wakeWorkers(trx)
  await wakeWorkers(trx, 'transactional')
  return ended
}

/** Single mails (confirmations and the like) that were written before `before` and wait: skipped as cancelled. While sending is held
 * none is leased. Returns how many. Safe to repeat. */
export async function skipWaitingMails(db: Db, before: Date): Promise<number> {
  const { numAffectedRows } = await sql`
    update deliveries set next_attempt_at = null, settled_at = now(),
      state = case when state = 'uncertain' then 'uncertain' else 'skipped' end,
      reason = case when state = 'uncertain' then null else 'cancelled' end
    where lane = 'transactional' and next_attempt_at is not null and created_at < ${before}`.execute(db)
  return Number(numAffectedRows ?? 0)
}

// Sending is held for the whole site: a setting that claims, turns and ticks obey, so that it counts on every machine at once. It is
// set where the database may have forgotten what was sent (a restored backup, a copy), and an operator ends it. Both lanes wait: a
// confirmation that waits in a copy is a mail to a real person, too.

import { sql } from 'kysely'
import type { Db, Trx } from '../db/connect.ts'
import { findSetting } from '../db/settings.ts'
import { deliveryChannel } from './outbox.ts'

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

/** One that is there already stays as it is. Safe to repeat. */
export async function holdSending(db: Db, hold: SendingHold): Promise<void> {
  await db
    .insertInto('settings')
    .values({ key: sendingHoldKey, value: JSON.stringify(hold) })
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute()
}

/** false: it wasn't held. */
export async function endSendingHold(trx: Trx): Promise<boolean> {
  const ended = await trx.deleteFrom('settings').where('key', '=', sendingHoldKey).returning('key').executeTakeFirst()
  await sql`select pg_notify(${deliveryChannel}, lane) from unnest(array['digest', 'transactional']) lane`.execute(trx)
  return ended !== undefined
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

const chunkSize = 20_000

/** Whatever is sendable now counts as read by everybody, as if it had been in a mail. Returns how many subscribers that concerns. Safe
 * to repeat. */
export async function countAllAsRead(db: Db): Promise<number> {
  const { rows } = await sql<{ marks: string }>`
    select coalesce(json_object_agg(category_id, seq), '{}')::text as marks
    from (select category_id, max(seq) as seq from article_categories where seq is not null group by 1) newest`.execute(
    db,
  )
  const marks = rows[0]!.marks
  let readers = 0
  for (let cursor: number | null = 0; cursor !== null;) {
    const chunk: { rows: { last: number | null; count: number }[] } = await sql<{ last: number | null; count: number }>`
      with chunk as materialized (select id from subscribers where id > ${cursor} order by id limit ${chunkSize}), marked as (
        insert into reading (subscriber_id, watermarks) select id, ${marks}::text::jsonb from chunk order by id
        on conflict (subscriber_id) do update set watermarks = reading.watermarks || excluded.watermarks
      )
      select max(id) as last, count(*)::int as count from chunk`.execute(db)
    cursor = chunk.rows[0]!.last
    readers += chunk.rows[0]!.count
  }
  return readers
}

// Mail that a request causes is a row, written in the transaction of the change that causes it: both happen or neither. Editions
// write their rows in chunks (planning/plan.ts).

import { sql } from 'kysely'
import type { Trx } from '../db/connect.ts'
import { deliveryChannel, wakeWorkers } from '../editions/wake.ts'
import type { MailKind } from './composer.ts'

/** Sent on the workers' channel when a brake is created. All other payloads are names of lanes. */
export const brakeWord = 'brake'

export interface OutboxEntry {
  kind: MailKind
  recipient: string
  subscriberId?: number | null
  /** What the composer needs besides the subscriber. Never a token: links are signed when the mail is built. */
  payload?: Record<string, unknown>
}

/** Adds one transactional mail, sent as soon as the transaction has committed. Returns the delivery's id. */
export async function addToOutbox(trx: Trx, entry: OutboxEntry): Promise<number> {
  const payload = entry.payload ? JSON.stringify(entry.payload) : null
  const { rows } = await sql<{ id: number }>`
    with added as (
      insert into deliveries (kind, lane, recipient, subscriber_id, next_attempt_at, payload)
      values (${entry.kind}, 'transactional', ${entry.recipient}, ${entry.subscriberId ?? null}, now(), ${payload}::jsonb)
      returning id
    )
    select id, pg_notify(${deliveryChannel}, 'transactional') from added`.execute(trx)
  return rows[0]!.id
}

/**
 * Adds many single mails of one kind to the digest lane. They are sent after the editions' mail, and never before a mail that
 * somebody waits for.
 */
export async function addToDigestLane(
  trx: Trx,
  kind: MailKind,
  mails: readonly { recipient: string; subscriberId: number; payload: Record<string, unknown> }[],
): Promise<void> {
  if (mails.length === 0) return
  await sql`
    insert into deliveries (kind, lane, recipient, subscriber_id, next_attempt_at, payload)
    select ${kind}, 'digest', m.recipient, m."subscriberId", now(), m.payload
    from jsonb_to_recordset(${JSON.stringify(mails)}::jsonb) as m (recipient text, "subscriberId" bigint, payload jsonb)
    order by m."subscriberId"`.execute(trx)
  await wakeWorkers(trx)
}

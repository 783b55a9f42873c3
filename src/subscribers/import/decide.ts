// What happens to a row, given what is known about its address here. An unsubscribed or suppressed subscriber never becomes
// active. A subscriber whom a file calls unsubscribed becomes unsubscribed, unless they agreed here after that.

import { sql } from 'kysely'
import type { Db } from '../../db/connect.ts'
import { textArray } from '../../delivery/hot-query.ts'
import type { SubscriberStatus } from '../../db/schema.ts'
import { outranks, type SuppressionReason } from '../suppression.ts'
import type { ListRow } from './rows.ts'
import { isSuppressing } from './standing.ts'

/** The first six are new subscribers, by the status that they get. `asked`: subscribed there, and asked to confirm here. */
export const outcomes = [
  'subscribed',
  'asked',
  'pending',
  'unsubscribed',
  'bounced',
  'complained',
  'blocked',
  'unsubscribed-now',
  'suppressed-now',
  'agreed-later',
  'unchanged',
  'kept-out',
] as const
export type Outcome = (typeof outcomes)[number]

export type FoundRow = ListRow & { emailHash: string }

export interface Decision<Row extends FoundRow = FoundRow> {
  row: Row
  outcome: Outcome
  /** An existing subscriber. */
  subscriberId: number | null
  /** On the suppression list without a subscriber. */
  listed: SuppressionReason | null
  /** Why the row isn't imported; null: it is, or nothing changes. */
  why: string | null
}

interface Known {
  id: number
  emailKey: string
  status: SubscriberStatus
  /** Apart from the suppression list. */
  standing: SubscriberStatus
  /** When they last agreed here, to our wording. */
  agreedAt: Date | null
}

/** In the order given. */
export async function decideAll<Row extends FoundRow>(
  db: Db,
  rows: readonly Row[],
  options: { isAsked: boolean },
): Promise<Decision<Row>[]> {
  const { rows: known } = await sql<Known>`
    select s.id, s.email_key, s.status, coalesce(p.status_before, s.status) as standing, case when s.status <> 'unsubscribed' then (
      select max(at) from consents where subscriber_id = s.id and action in ('confirmed', 'resubscribed')) end as agreed_at
    from subscribers s left join suppressions p on s.status = 'suppressed' and p.email_hash = s.email_hash
    where s.email_key = any(${textArray(rows.map((row) => row.emailKey))}::text[])`.execute(db)
  const { rows: entries } = await sql<{ emailHash: string; reason: SuppressionReason }>`
    select email_hash, reason from suppressions where email_hash = any(${textArray(rows.map((row) => row.emailHash))}::text[])`.execute(
    db,
  )
  const knownBy = new Map(known.map((one) => [one.emailKey, one]))
  const reasonBy = new Map(entries.map((one) => [one.emailHash, one.reason]))
  return rows.map((row) => {
    const here = knownBy.get(row.emailKey)
    const reason = reasonBy.get(row.emailHash) ?? null
    const decided = decide(row, here, reason, options.isAsked)
    return { row, subscriberId: here?.id ?? null, listed: here ? null : reason, why: null, ...decided }
  })
}

type Decided = { outcome: Outcome; why?: string }

/** Pure. */
export function decide(
  row: Pick<ListRow, 'standing' | 'isOurs' | 'endedAt' | 'reason'>,
  here: Pick<Known, 'status' | 'standing' | 'agreedAt'> | undefined,
  listed: SuppressionReason | null,
  isAsked: boolean,
): Decided {
  const { standing } = row
  if (listed === 'erasure') return { outcome: 'kept-out', why: 'email: was erased here, and stays out' }
  if (!here) {
    if (standing !== 'subscribed') return { outcome: standing }
    if (listed) return { outcome: 'kept-out', why: 'email: is on the suppression list' }
    return { outcome: isAsked ? 'asked' : 'subscribed' }
  }
  if (standing === 'subscribed') return here.status === 'active' ? { outcome: 'unchanged' } : keptOut(here.status)
  if (standing === 'pending')
    return { outcome: here.standing === 'pending' && !row.isOurs ? 'unsubscribed-now' : 'unchanged' }
  if (isSuppressing(standing)) {
    if (here.status === 'suppressed' && listed && !outranks(row.reason!, listed)) return { outcome: 'unchanged' }
    return endsLater(row, here) ?? { outcome: 'suppressed-now' }
  }
  if (here.standing !== 'active' && here.standing !== 'pending') return { outcome: 'unchanged' }
  return endsLater(row, here) ?? { outcome: 'unsubscribed-now' }
}

function keptOut(status: SubscriberStatus): Decided {
  if (status === 'suppressed') return { outcome: 'kept-out', why: 'email: is on the suppression list' }
  return { outcome: 'kept-out', why: `email: is here already as ${status}, and stays so until they confirm` }
}

function endsLater(row: Pick<ListRow, 'endedAt'>, { agreedAt }: Pick<Known, 'agreedAt'>): Decided | undefined {
  return agreedAt && row.endedAt && agreedAt > row.endedAt ? { outcome: 'agreed-later' } : undefined
}

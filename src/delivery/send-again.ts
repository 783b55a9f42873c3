// Which deliveries of an edition can be sent again, and which are undecided. The counts on screen and the statement that acts use
// the same conditions, so a button never promises more than it does.

import { type RawBuilder, sql } from 'kysely'
import type { Db, Trx } from '../db/connect.ts'
import type { Account, Edition } from '../db/schema.ts'
import { addCount } from '../editions/account.ts'
import { isMailable } from './mailable.ts'

/** Pure. */
export function canSendAgain({ state }: Pick<Edition, 'state'>): boolean {
  return state === 'closed' || state === 'sending' || state === 'paused'
}

/** Editions whose digests may contain the stories of this edition's failed mails: a CTE to be named `later`. */
const laterEditions = ({ id, createdAt }: Pick<Edition, 'id' | 'createdAt'>): RawBuilder<unknown> =>
  sql`select id from editions where id <> ${id} and (closed_at is null or closed_at >= ${createdAt})`

/**
 * On a delivery `d` and its subscriber `s`, with `later` in scope: it failed, its subscriber can be mailed and has had no digest
 * since. A failed digest moved no watermark, so a later digest contained its stories.
 */
const isRetryable = sql<boolean>`(d.state = 'failed' and ${isMailable}
  and (d.kind = 'announcement' or not exists (
    select from later join deliveries l on l.edition_id = later.id
    where l.subscriber_id = d.subscriber_id and l.kind = 'digest' and l.id > d.id)))`

export interface SendAgainCounts {
  /** Failed, and can be tried again. */
  retryable: number
  /** Uncertain, and won't be sent again automatically: an editor decides. */
  undecided: number
  /** Undecided deliveries whose subscriber can be mailed. */
  resendable: number
}

/** Reads all deliveries of the edition, unless its account shows that there is nothing to count. */
export async function countSendAgain(
  db: Db,
  edition: Pick<Edition, 'id' | 'state' | 'createdAt'>,
  account: Account,
): Promise<SendAgainCounts> {
  if (!canSendAgain(edition) || account.failed + account.uncertain === 0)
    return { retryable: 0, undecided: 0, resendable: 0 }
  const { rows } = await sql<SendAgainCounts>`
    with later as materialized (${laterEditions(edition)})
    select count(*) filter (where ${isRetryable})::int as retryable,
      count(*) filter (where d.state = 'uncertain' and d.settled_at is not null)::int as undecided,
      count(*) filter (where d.state = 'uncertain' and d.settled_at is not null and ${isMailable})::int as resendable
    from deliveries d left join subscribers s on s.id = d.subscriber_id
    where d.edition_id = ${edition.id} and d.state in ('failed', 'uncertain')`.execute(db)
  return rows[0]!
}

/**
 * Defers the failed deliveries `d` of an edition that `isWanted` selects and that can be sent again. Returns how many. The caller
 * has locked the edition and planning, and opens the edition again.
 */
export async function queueFailedAgain(trx: Trx, edition: Edition, isWanted: RawBuilder<unknown>): Promise<number> {
  const { rows } = await sql<{ id: number }>`
    with later as materialized (${laterEditions(edition)}), picked as materialized (
      select d.id from deliveries d join subscribers s on s.id = d.subscriber_id
      where d.edition_id = ${edition.id} and ${isRetryable} and ${isWanted}
    )
    update deliveries d set state = 'deferred', next_attempt_at = now(), settled_at = null
    from picked p where d.id = p.id and d.state = 'failed' returning d.id`.execute(trx)
  await addCount(trx, edition.id, 'failed', -rows.length)
  return rows.length
}

// Leases deliveries, for both lanes. Claims of digests rotate over the editions that are sending, so that a big edition doesn't
// delay a small one. Each edition has a cursor. An edition that isn't proven is for one worker alone (editions/guards.ts).
//
// If the answer to a claim was lost, no worker knows of its deliveries. They are released before the next claim.

import { domainOf } from '../base/email-address.ts'
import type { Database } from '../db/connect.ts'
import type { Lane as LaneName } from '../db/schema.ts'
import type { MailKind } from './composer.ts'
import { hotQuery, plainArray } from './hot-query.ts'
import type { Claim, EditionTerms, LeasedDelivery } from './lane.ts'
import {
  claimDigests,
  claimSinglesOfDigestLane,
  claimTransactional,
  releaseUnknown,
  sendingEditions,
} from './statements.ts'
import { guardEdition } from '../editions/guards.ts'

interface ClaimedRow {
  id: number
  kind: MailKind
  lane: LaneName
  edition_id: number | null
  subscriber_id: number | null
  recipient: string
  due: number
  attempt: number
  doubts: number
  was_uncertain: boolean
  message_id: string | null
  article_ids: number[] | null
  payload: Record<string, unknown> | null
  age_seconds: number
  due_at: string
  claim_id: number
}

interface SendingRow {
  id: number
  retry_hours: number | null
  is_proven: boolean
  policy_streak: number
}

const beginning = { dueAt: '-infinity', id: 0 }

export class Claimer {
  #database: Database
  #workerId: number
  #asOf: string | null
  #cursors = new Map<number, { dueAt: string; id: number }>()
  #lastEdition = 0
  #known = new Set<Claim>()
  #isUnsure = false
  #last: Promise<unknown> = Promise.resolve()

  constructor(database: Database, workerId: number, asOf: Date | null) {
    this.#database = database
    this.#workerId = workerId
    this.#asOf = asOf?.toISOString() ?? null
  }

  digests(limit: number): Promise<LeasedDelivery[]> {
    return this.#inTurn(() => this.#digests(limit))
  }

  transactional(limit: number): Promise<LeasedDelivery[]> {
    const values = [this.#workerId, limit, this.#asOf]
    return this.#inTurn(async () => this.#toLeased(await hotQuery(this.#database, claimTransactional, values), null))
  }

  /**
   * Passes the claims that are completely settled to `remove`, and forgets them only then. An unknown claim is released, and a
   * later claim of ours may have leased its deliveries again.
   */
  async clearDone<T>(remove: (ids: readonly number[]) => Promise<T>): Promise<T> {
    const done = [...this.#known].filter((claim) => claim.open === 0)
    const result = await remove(done.map(({ id }) => id))
    for (const claim of done) this.#known.delete(claim)
    return result
  }

  /** Runs the claims of both lanes one after the other. So an unknown claim is lost, and not just under way. */
  #inTurn(claim: () => Promise<LeasedDelivery[]>): Promise<LeasedDelivery[]> {
    const next = this.#last.then(async () => {
      if (this.#isUnsure) {
        const known = plainArray([...this.#known].map(({ id }) => id))
        await hotQuery(this.#database, releaseUnknown, [this.#workerId, known])
      }
      this.#isUnsure = true
      const leased = await claim()
      this.#isUnsure = false
      return leased
    })
    this.#last = next.catch(() => {})
    return next
  }

  async #digests(limit: number): Promise<LeasedDelivery[]> {
    const rows = await hotQuery<SendingRow>(this.#database, sendingEditions, [])
    for (const id of this.#cursors.keys()) if (!rows.some((row) => row.id === id)) this.#cursors.delete(id)
    const at = rows.findIndex((row) => row.id === this.#lastEdition) + 1
    for (const row of [...rows.slice(at), ...rows.slice(0, at)]) {
      const edition = row.id
      if (!row.is_proven && !(await this.#mayTry(edition))) continue
      const cursor = this.#cursors.get(edition) ?? beginning
      let claimed = await this.#claimEdition(edition, limit, cursor)
      // Deliveries behind the cursor may come from a slow planning transaction, or were deferred and are due again.
      if (!claimed.length && cursor !== beginning) claimed = await this.#claimEdition(edition, limit, beginning)
      const last = claimed.at(-1)
      if (last) {
        this.#cursors.set(edition, { dueAt: last.due_at, id: last.id })
        this.#lastEdition = edition
        return this.#toLeased(claimed, {
          retryHours: row.retry_hours,
          isProven: row.is_proven,
          policyStreak: row.policy_streak,
        })
      }
      this.#cursors.delete(edition)
    }
    const singles = [this.#workerId, limit, this.#asOf]
    return this.#toLeased(await hotQuery(this.#database, claimSinglesOfDigestLane, singles), null)
  }

  async #mayTry(edition: number): Promise<boolean> {
    return (await hotQuery(this.#database, guardEdition, [this.#workerId, edition])).length > 0
  }

  #claimEdition(edition: number, limit: number, cursor: { dueAt: string; id: number }): Promise<ClaimedRow[]> {
    return hotQuery(this.#database, claimDigests, [this.#workerId, limit, this.#asOf, edition, cursor.dueAt, cursor.id])
  }

  #toLeased(rows: readonly ClaimedRow[], edition: EditionTerms | null): LeasedDelivery[] {
    if (!rows.length) return []
    const claim: Claim = { id: rows[0]!.claim_id, open: rows.length }
    this.#known.add(claim)
    return rows.map((row) => toLeased(row, claim, edition))
  }
}

function toLeased(row: ClaimedRow, claim: Claim, edition: EditionTerms | null): LeasedDelivery {
  return {
    id: row.id,
    kind: row.kind,
    lane: row.lane,
    editionId: row.edition_id,
    subscriberId: row.subscriber_id,
    recipient: row.recipient,
    domain: domainOf(row.recipient),
    due: row.due,
    attempt: row.attempt,
    articleIds: row.was_uncertain ? row.article_ids : null,
    payload: row.payload,
    claim,
    edition,
    wasUncertain: row.was_uncertain,
    doubts: row.doubts,
    messageId: row.message_id,
    ageSeconds: row.age_seconds,
  }
}

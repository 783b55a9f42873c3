// Leasing deliveries, for both lanes. A claim of digests goes round the editions that are sending, so that a big one doesn't hold
// up a small one, and remembers how far it came in each.

import type { Database } from '../db/connect.ts'
import type { Lane as LaneName } from '../db/schema.ts'
import type { MailKind } from './composer.ts'
import { hotQuery } from './hot-query.ts'
import type { Claim, LeasedDelivery } from './lane.ts'
import { claimDigests, claimTransactional, sendingEditions } from './statements.ts'

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

const beginning = { dueAt: '-infinity', id: 0 }

export class Claimer {
  #database: Database
  #workerId: number
  #asOf: string | null
  #cursors = new Map<number, { dueAt: string; id: number }>()
  #lastEdition = 0

  constructor(database: Database, workerId: number, asOf: Date | null) {
    this.#database = database
    this.#workerId = workerId
    this.#asOf = asOf?.toISOString() ?? null
  }

  async digests(limit: number): Promise<LeasedDelivery[]> {
    const editions = (await hotQuery<{ id: number }>(this.#database, sendingEditions, [])).map((row) => row.id)
    for (const id of this.#cursors.keys()) if (!editions.includes(id)) this.#cursors.delete(id)
    const at = editions.indexOf(this.#lastEdition) + 1
    for (const edition of [...editions.slice(at), ...editions.slice(0, at)]) {
      const cursor = this.#cursors.get(edition) ?? beginning
      let rows = await this.#claimEdition(edition, limit, cursor)
      // Behind the cursor may be what was planned in a slow transaction, or deferred and due again.
      if (!rows.length && cursor !== beginning) rows = await this.#claimEdition(edition, limit, beginning)
      const last = rows.at(-1)
      if (last) {
        this.#cursors.set(edition, { dueAt: last.due_at, id: last.id })
        this.#lastEdition = edition
        return toLeased(rows)
      }
      this.#cursors.delete(edition)
    }
    return []
  }

  async transactional(limit: number): Promise<LeasedDelivery[]> {
    return toLeased(await hotQuery<ClaimedRow>(this.#database, claimTransactional, [this.#workerId, limit, this.#asOf]))
  }

  #claimEdition(edition: number, limit: number, cursor: { dueAt: string; id: number }): Promise<ClaimedRow[]> {
    return hotQuery(this.#database, claimDigests, [this.#workerId, limit, this.#asOf, edition, cursor.dueAt, cursor.id])
  }
}

function toLeased(rows: readonly ClaimedRow[]): LeasedDelivery[] {
  if (!rows.length) return []
  const claim: Claim = { id: rows[0]!.claim_id, open: rows.length }
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    lane: row.lane,
    editionId: row.edition_id,
    subscriberId: row.subscriber_id,
    recipient: row.recipient,
    due: row.due,
    attempt: row.attempt,
    articleIds: row.was_uncertain ? row.article_ids : null,
    payload: row.payload,
    claim,
    wasUncertain: row.was_uncertain,
    doubts: row.doubts,
    messageId: row.message_id,
    ageSeconds: row.age_seconds,
  }))
}

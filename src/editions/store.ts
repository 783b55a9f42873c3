// Reads editions: one, a page of them, and those that aren't over yet.

import type { Db, Trx } from '../db/connect.ts'
import { Refusal } from '../base/errors.ts'
import type { Account, Edition } from '../db/schema.ts'
import { accountsOf } from './account.ts'

/** The edition as the API and `--json` show it. */
export interface EditionView {
  id: number
  kind: Edition['kind']
  state: Edition['state']
  slotAt: string | null
  createdAt: string
  closedAt: string | null
  /** When an editor approved it before its slot. */
  approvedAt: string | null
  categories: number[] | null
  /** A sentence for editors: why it is held, paused or empty. */
  note: string
  /** Subscribers whose slot this was during a downtime. */
  missed: number
  /** Its own retry window in hours; null: the site's. */
  retryHours: number | null
  /** Whether every delivery has been written. */
  isPlanned: boolean
  account: Account
}

export function editionView(edition: Edition, account: Account): EditionView {
  return {
    id: edition.id,
    kind: edition.kind,
    state: edition.state,
    slotAt: edition.slotAt?.toISOString() ?? null,
    createdAt: edition.createdAt.toISOString(),
    closedAt: edition.closedAt?.toISOString() ?? null,
    approvedAt: edition.approvedAt?.toISOString() ?? null,
    categories: edition.categoryIds,
    note: edition.note,
    missed: edition.missed,
    retryHours: edition.retryHours,
    isPlanned: edition.plannedAt !== null,
    account,
  }
}

export async function findEdition(db: Db, id: number): Promise<Edition | undefined> {
  return db.selectFrom('editions').selectAll().where('id', '=', id).executeTakeFirst()
}

/** With its account; undefined if there is none. */
export async function getEdition(db: Db, id: number): Promise<EditionView | undefined> {
  const edition = await findEdition(db, id)
  return edition && editionView(edition, (await accountsOf(db, [edition])).get(id)!)
}

/** Newest first. `cursor` is the id of the last one seen. */
export async function listEditions(
  db: Db,
  page: { limit: number; cursor?: number | undefined },
): Promise<{ items: EditionView[]; next: number | null }> {
  let query = db
    .selectFrom('editions')
    .selectAll()
    .orderBy('id', 'desc')
    .limit(page.limit + 1)
  if (page.cursor !== undefined) query = query.where('id', '<', page.cursor)
  const rows = await query.execute()
  const shown = rows.slice(0, page.limit)
  const accounts = await accountsOf(db, shown)
  return {
    items: shown.map((edition) => editionView(edition, accounts.get(edition.id)!)),
    next: rows.length > page.limit ? shown.at(-1)!.id : null,
  }
}

/** Editions that aren't over yet, oldest first. */
export async function listUnfinished(db: Db): Promise<Edition[]> {
  return db.selectFrom('editions').selectAll().where('closedAt', 'is', null).orderBy('id').execute()
}

/**
 * Locks it until the transaction ends: it can't close, no process plans it, and its state doesn't change. Refuses an unknown id.
 */
export async function lockEdition(trx: Trx, id: number): Promise<Edition> {
  const edition = await trx.selectFrom('editions').selectAll().where('id', '=', id).forNoKeyUpdate().executeTakeFirst()
  if (!edition) throw new Refusal('not_found', `There is no edition ${id}.`)
  return edition
}

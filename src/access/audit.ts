// The audit log: one line per change that a person, a key or a command made. It is written in the transaction of the change, so it
// contains every change, and only changes that happened. Lines are never changed; `detail` contains no addresses.

import type { Selectable } from 'kysely'
import type { Db, Trx } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import type { AuditLogTable } from '../db/schema.ts'

export type Actor = `editor:${number}` | `api-key:${number}` | 'cli' | 'scheduler'

export interface AuditEntry {
  at: Date
  actor: Actor
  /** Past tense: `edition.triggered`, `category.renamed`. */
  action: string
  /** What was changed: `edition:12`, `category:politics`. */
  subject: string
  detail?: Record<string, unknown>
}

export type AuditLine = Selectable<AuditLogTable>

export async function audit(trx: Trx, entry: AuditEntry): Promise<void> {
  await trx
    .insertInto('auditLog')
    .values({ ...entry, detail: JSON.stringify(entry.detail ?? {}) })
    .execute()
}

export interface AuditFilter {
  /** Only lines older than this id. */
  before?: number | undefined
  limit: number
  actor?: string | undefined
  action?: string | undefined
  subject?: string | undefined
}

/** Newest first. */
export async function listAudit(db: Db, filter: AuditFilter): Promise<AuditLine[]> {
  let query = db.selectFrom('auditLog').selectAll().orderBy('id', 'desc').limit(filter.limit)
  if (filter.before !== undefined) query = query.where('id', '<', filter.before)
  if (filter.actor) query = query.where('actor', '=', filter.actor)
  if (filter.action) query = query.where('action', '=', filter.action)
  if (filter.subject) query = query.where('subject', '=', filter.subject)
  return query.execute()
}

/** For a workflow that doesn't log: the line follows in a transaction of its own. */
export async function noteAction(ctx: Pick<Context, 'db' | 'clock'>, entry: Omit<AuditEntry, 'at'>): Promise<void> {
  const at = ctx.clock.now()
  await ctx.db.transaction().execute((trx) => audit(trx, { at, ...entry }))
}

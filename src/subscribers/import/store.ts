// The table of imports: what was imported when, by whom, and its state.

import { type Actor, audit } from '../../access/audit.ts'
import type { Db } from '../../db/connect.ts'
import type { Context } from '../../db/context.ts'
import type { Import, ImportState } from '../../db/schema.ts'
import type { ImportOptions, ImportResult } from './import.ts'
import type { ImportReport } from './report.ts'

export type ShownImport = Omit<Import, 'options' | 'report' | 'result'> & {
  options: ImportOptions
  report: ImportReport | null
  result: ImportResult | null
}

const shown = (row: Import) => row as unknown as ShownImport

export async function findImport(db: Db, id: number): Promise<ShownImport | undefined> {
  const row = await db.selectFrom('imports').selectAll().where('id', '=', id).executeTakeFirst()
  return row && shown(row)
}

/** Newest first. */
export async function listImports(
  db: Db,
  page: { limit: number; before?: number | undefined },
): Promise<ShownImport[]> {
  const rows = await db
    .selectFrom('imports')
    .selectAll()
    .$if(page.before !== undefined, (query) => query.where('id', '<', page.before!))
    .orderBy('id', 'desc')
    .limit(page.limit)
    .execute()
  return rows.map(shown)
}

export interface NewImport {
  actor: Actor
  fileName: string
  size: number
  options: ImportOptions
}

/**
 * Begins an import by command: its row, and its line in the audit log. An import of the same files that was stopped, or whose
 * process died, continues in its own row, and has its line already.
 */
export async function beginImport(
  ctx: Context,
  { actor, fileName, size, options }: NewImport,
  report: ImportReport,
): Promise<number> {
  const options_ = JSON.stringify(options)
  return ctx.db.transaction().execute(async (trx) => {
    const [before] = await trx
      .selectFrom('imports')
      .select(['id', 'options'])
      .where('hash', '=', report.hash)
      .where('state', 'in', ['running', 'stopped'])
      .where('isUploaded', '=', false)
      .where('source', '=', options.source)
      .orderBy('id', 'desc')
      .limit(1)
      .execute()
    if (before) {
      await trx
        .updateTable('imports')
        .set({ state: 'running', options: options_ })
        .where('id', '=', before.id)
        .execute()
      return before.id
    }
    const { id } = await trx
      .insertInto('imports')
      .values({
        createdAt: ctx.clock.now(),
        actor,
        source: options.source,
        fileName,
        state: 'running',
        options: options_,
        size,
        hash: report.hash,
        report: JSON.stringify(withoutPeople(report)),
        refusal: null,
        endedAt: null,
        isUploaded: false,
      })
      .returning('id')
      .executeTakeFirstOrThrow()
    await auditImport(trx, ctx, actor, id, options, report)
    return id
  })
}

/** Before the first row, so that an import that crashes has its line too. */
export async function auditImport(
  trx: Parameters<typeof audit>[0],
  ctx: Pick<Context, 'clock'>,
  actor: Actor,
  id: number,
  options: ImportOptions,
  report: ImportReport,
): Promise<void> {
  const rejected = Object.values(report.rejected).reduce((sum, count) => sum + count, 0)
  await audit(trx, {
    at: ctx.clock.now(),
    actor,
    action: 'subscribers.imported',
    subject: `import:${id}`,
    detail: {
      source: options.source,
      hash: report.hash,
      rows: report.rows,
      ...report.outcomes,
      rejected,
      duplicates: report.duplicates,
      ignoredColumns: options.ignored,
      map: options.map,
    },
  })
}

/** A stored report contains counts, and no addresses once they aren't needed. */
export function withoutPeople(report: ImportReport): ImportReport {
  return { ...report, examples: {} }
}

export async function endImport(
  ctx: Pick<Context, 'db' | 'clock'>,
  id: number,
  state: ImportState,
  result: ImportResult | null,
): Promise<void> {
  await ctx.db
    .updateTable('imports')
    .set({ state, endedAt: ctx.clock.now(), ...(result ? { result: JSON.stringify(result), part: 1 } : {}) })
    .where('id', '=', id)
    .execute()
}

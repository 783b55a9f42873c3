// Loads a stream of an installation (stream.ts) into an empty database, in one transaction: all or nothing.

import { sql } from 'kysely'
import { Refusal } from '../base/errors.ts'
import type { Db, Trx } from '../db/connect.ts'
import { findIdentity, setIdentity } from './identity.ts'
import type { Counters } from './shape.ts'
import { agreeOnWriting, readShape, setCounters, type TableShape, tallyTable } from './shape.ts'
import type { End, Head, Part } from './stream.ts'
import { refuseUnlessEmpty } from './target.ts'

export interface LoadOptions {
  /** New ids start far beyond those of the source, because others were given since, or will be. */
  isFarBeyond: boolean
  signal?: AbortSignal
  onProgress?: (done: number, head: Head, table: string) => void
  /** Called at the end of the transaction. */
  finish?: (trx: Trx) => Promise<void>
}

/**
 * Refuses a database that isn't empty, a stream that ends early, and rows that don't add up to the source's totals. Then nothing
 * is stored. Returns the head and what was copied.
 */
export async function loadInstallation(
  db: Db,
  head: Head,
  parts: AsyncIterable<Part>,
  options: LoadOptions,
): Promise<{ head: Head; end: End }> {
  return db.transaction().execute(async (trx) => {
    await agreeOnWriting(trx)
    // Any other process that fills it, or starts on it, waits here, and is then refused.
    await sql`set local lock_timeout = '30s'`.execute(trx)
    await sql`lock table settings in access exclusive mode`.execute(trx)
    const shape = await readShape(trx)
    await refuseUnlessEmpty(trx, shape)
    await sql`truncate ${sql.join(shape.map(({ name }) => sql.table(name)))}`.execute(trx)
    let counters: Counters | null = null
    let end: End | null = null
    let done = 0
    for await (const part of parts) {
      options.signal?.throwIfAborted()
      if ('lines' in part) {
        await insert(trx, shape, part)
        done += part.lines.length
        options.onProgress?.(done, head, part.table)
      } else if ('counters' in part) counters = part.counters
      else if ('end' in part) end = part.end
    }
    if (!end || !counters) throw new Refusal('invalid', 'It ends before its end, so nothing was taken. Make it anew.')
    await compare(trx, shape, end)
    await setCounters(trx, counters, options)
    // The first start there stores it again.
    await setIdentity(trx, { ...(await findIdentity(trx)), database: null })
    await options.finish?.(trx)
    return { head, end }
  })
}

async function insert(trx: Trx, shape: readonly TableShape[], { table, lines }: { table: string; lines: string[] }) {
  const known = shape.find(({ name }) => name === table)
  if (!known) throw new Refusal('invalid', `It has a table ${table}, which isn’t known here.`)
  const columns = known.columns.map(({ name }) => sql.ref(name))
  // JSON's null in a column that allows no null of the database.
  const values = known.columns.map(({ name, isFilledJson }) =>
    isFilledJson ? sql`coalesce(${sql.ref(name)}, 'null'::jsonb)` : sql.ref(name),
  )
  await sql`insert into ${sql.table(table)} (${sql.join(columns)})
    select ${sql.join(values)} from json_populate_recordset(null::${sql.table(table)}, ${`[${lines.join(',')}]`}::text::json)`
    .execute(trx)
    .catch((cause: unknown) => {
      throw isAboutData(cause)
        ? new Refusal('invalid', `A line of ${table} isn't as it was written, so nothing was taken.`)
        : cause
    })
}

/** SQLSTATE classes 22 (data exception) and 23 (integrity constraint violation). */
const isAboutData = (cause: unknown): boolean => /^2[23]/.test((cause as { code?: string }).code ?? '')

/** Compares counts and sums with those of the same statement at the source. */
async function compare(trx: Trx, shape: readonly TableShape[], end: End): Promise<void> {
  for (const table of shape) {
    const was = end.tables[table.name] ?? { rows: 0, sum: '0' }
    const is = await tallyTable(trx, table)
    if (is.rows !== was.rows || (was.sum !== null && is.sum !== was.sum))
      throw new Refusal(
        'invalid',
        `${table.name}: ${is.rows} rows came of ${was.rows}, or not as they were, so nothing was taken. The source is damaged or was changed.`,
      )
  }
}

// A whole installation as a stream: a head, the rows of each table as JSON, the counters, and an end with totals. The stream goes
// into a file (file.ts) or directly into another database (load.ts).

import { sql } from 'kysely'
import type { Config } from '../base/config.ts'
import type { Database, Db } from '../db/connect.ts'
import { listMigrations } from '../db/migrate.ts'
import { type Anonymous, anonymiseRow, makeAnonymous, type Rules } from './anonymous-rules.ts'
import { findIdentity } from './identity.ts'
import { agreeOnWriting, type Counters, lineOf, readCounters, readShape, selectAll, type TableShape } from './shape.ts'
import { type Tally, tallyTable } from './shape.ts'
import { largeRows, tables } from './tables.ts'

/** Increased when older programs can't read the stream. */
export const format = 1

export interface Head {
  broadsheet: 'everything'
  format: number
  /** When it was read, by the database's clock: ISO 8601. */
  at: string
  /** Names of all migrations that this database has had. */
  migrations: string[]
  installation: string
  /** In all tables, for progress. */
  rows: number
  isAnonymous: boolean
  /** The signing keys of links, if they were requested. */
  secret: string[] | null
}

export interface End {
  /** By table. `sum` is null in an anonymous copy. */
  tables: Record<string, { rows: number; sum: string | null }>
}

export type Part = { head: Head } | { table: string; lines: string[] } | { counters: Counters } | { end: End }

export interface ReadOptions {
  isAnonymous?: boolean
  secret?: Config['secretKeys'] | null
  signal?: AbortSignal
  /** Progress of counting, before the first row. */
  onCount?: (table: string) => void
}

/**
 * Reads everything in one snapshot: a transaction that doesn't see later changes. On the embedded database nothing else runs
 * meanwhile. Safe to repeat; changes nothing.
 */
export async function readInstallation<T>(
  database: Pick<Database, 'db'>,
  options: ReadOptions,
  take: (parts: AsyncIterable<Part>) => Promise<T>,
): Promise<T> {
  return database.db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (trx) => {
      await agreeOnWriting(trx)
      return take(readParts(trx, options))
    })
}

async function* readParts(db: Db, options: ReadOptions): AsyncGenerator<Part> {
  const shape = await readShape(db)
  const tallies = new Map<string, Tally>()
  for (const table of shape) {
    options.signal?.throwIfAborted()
    options.onCount?.(table.name)
    tallies.set(table.name, await tallyTable(db, table))
  }
  const { rows } = await sql<{ at: string }>`
    select to_char(now(), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as at`.execute(db)
  const identity = await findIdentity(db)
  const isAnonymous = options.isAnonymous ?? false
  yield {
    head: {
      broadsheet: 'everything',
      format,
      at: rows[0]!.at,
      migrations: await listMigrations(db),
      installation: identity.id,
      rows: [...tallies.values()].reduce((sum, tally) => sum + tally.rows, 0),
      isAnonymous,
      secret: options.secret ? [...options.secret] : null,
    },
  }
  const anonymous = isAnonymous ? makeAnonymous() : null
  const end: End = { tables: {} }
  for (const table of shape) {
    let count = 0
    for await (const read of readTable(db, table)) {
      options.signal?.throwIfAborted()
      const lines = anonymous ? withoutPeople(table, read, anonymous) : read
      count += lines.length
      if (lines.length) yield { table: table.name, lines }
    }
    const { sum } = tallies.get(table.name)!
    end.tables[table.name] = { rows: count, sum: isAnonymous ? null : sum }
  }
  yield { counters: await readCounters(db) }
  yield { end }
}

const rowsAtATime = 1000
const largeRowsAtATime = 10

async function* readTable(db: Db, table: TableShape): AsyncGenerator<string[]> {
  const size = largeRows.has(table.name) ? largeRowsAtATime : rowsAtATime
  const fetch = sql<{ line: string }>`fetch ${sql.lit(size)} from everything`
  await sql`declare everything no scroll cursor for select ${lineOf()} as line from (${selectAll(table)}) t`.execute(db)
  for (;;) {
    const { rows } = await fetch.execute(db)
    if (rows.length) yield rows.map(({ line }) => line)
    if (rows.length < size) break
  }
  await sql`close everything`.execute(db)
}

function withoutPeople(table: TableShape, lines: readonly string[], anonymous: Anonymous): string[] {
  const rules: Rules | undefined = (tables as Record<string, Rules>)[table.name]
  if (rules === undefined) throw new Error(`Nothing says what an anonymous copy does with the table ${table.name}.`)
  const texts = table.columns.filter(({ isText }) => isText).map(({ name }) => name)
  return lines.map((line) => anonymiseRow(rules, texts, line, anonymous)).filter((line) => line !== null)
}

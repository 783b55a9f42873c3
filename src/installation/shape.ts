// The shape of a database, read from the database: its tables, in an order in which they can be filled, their columns, and the
// counters of ids.

import { sql } from 'kysely'
import type { Db } from '../db/connect.ts'
import { leftOut } from './tables.ts'

export interface TableShape {
  name: string
  /** By name, so that the order of columns in two databases doesn't matter. */
  columns: readonly { name: string; isText: boolean; isFilledJson: boolean }[]
}

/** All tables that are copied, each after those that it refers to. */
export async function readShape(db: Db): Promise<TableShape[]> {
  const { rows } = await sql<{ table: string; name: string; type: string; isNullable: string }>`
    select c.table_name as "table", c.column_name as name, c.udt_name as type, c.is_nullable as "isNullable"
    from information_schema.columns c
    join information_schema.tables t using (table_schema, table_name)
    where c.table_schema = current_schema() and t.table_type = 'BASE TABLE' and c.is_generated = 'NEVER'
    order by 1, 2`.execute(db)
  const tables = new Map<string, TableShape>()
  for (const { table, name, type, isNullable } of rows) {
    if (table in leftOut) continue
    const known = tables.get(table)?.columns ?? []
    const column = {
      name,
      isText: ['text', 'varchar', 'jsonb', 'json', 'bytea', '_text'].includes(type),
      isFilledJson: type === 'jsonb' && isNullable === 'NO',
    }
    tables.set(table, { name: table, columns: [...known, column] })
  }
  const { rows: references } = await sql<{ from: string; to: string }>`
    select f.relname as "from", t.relname as "to" from pg_constraint c
    join pg_class f on f.oid = c.conrelid join pg_class t on t.oid = c.confrelid
    where c.contype = 'f' and c.conrelid <> c.confrelid and f.relnamespace = current_schema()::regnamespace`.execute(db)
  return inOrder([...tables.values()], references)
}

function inOrder(tables: readonly TableShape[], references: readonly { from: string; to: string }[]): TableShape[] {
  const ordered: TableShape[] = []
  const add = (table: TableShape) => {
    if (ordered.includes(table)) return
    for (const { to } of references.filter(({ from }) => from === table.name))
      add(tables.find(({ name }) => name === to)!)
    ordered.push(table)
  }
  for (const table of tables) add(table)
  return ordered
}

/** By name: the last number that was given; null: none. */
export type Counters = Record<string, number | null>

export async function readCounters(db: Db): Promise<Counters> {
  const { rows } = await sql<{ name: string; last: number | null }>`
    select sequencename as name, last_value as last from pg_sequences where schemaname = current_schema() order by 1`.execute(
    db,
  )
  return Object.fromEntries(rows.map(({ name, last }) => [name, last]))
}

/**
 * Far beyond every id that was given since a backup: links and return paths of sent mails contain ids, and must never refer to
 * another person or mail. A 32-bit counter jumps less far, and never by more than a quarter of what is left.
 */
const jump = { bigint: 1_000_000_000, integer: 1_000_000 }

/** Continues after these numbers, or far beyond them. */
export async function setCounters(
  db: Db,
  counters: Counters,
  { isFarBeyond }: { isFarBeyond: boolean },
): Promise<void> {
  const { rows } = await sql<{ name: string; type: 'bigint' | 'integer'; most: number }>`
    select sequencename as name, data_type::text as type, max_value as most from pg_sequences
    where schemaname = current_schema()`.execute(db)
  for (const { name, type, most } of rows) {
    const last = counters[name] ?? null
    const next = isFarBeyond ? (last ?? 0) + Math.floor(Math.min(jump[type], (most - (last ?? 0)) / 4)) : last
    if (next !== null) await sql`select setval(${name}::regclass, ${next}::bigint)`.execute(db)
  }
}

export interface Tally {
  rows: number
  /** Over all rows, in any order. */
  sum: string
}

/** The same statement on every database, so equal rows give equal numbers. */
export async function tallyTable(db: Db, table: TableShape): Promise<Tally> {
  const { rows } = await sql<Tally>`
    select count(*)::int8 as rows, coalesce(sum(('x' || substr(md5(line), 1, 15))::bit(60)::bigint), 0)::text as sum
    from (select ${lineOf()} as line from (${selectAll(table)}) t) lines`.execute(db)
  return rows[0]!
}

export const selectAll = (table: TableShape) =>
  sql`select ${sql.join(table.columns.map(({ name }) => sql.ref(name)))} from ${sql.table(table.name)}`

/** A row as JSON. */
export const lineOf = () => sql<string>`row_to_json(t)::text`

/** Makes all databases write times, bytes and numbers alike, for this transaction. */
export async function agreeOnWriting(db: Db): Promise<void> {
  await sql`select set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO, YMD', true),
    set_config('intervalstyle', 'postgres', true), set_config('bytea_output', 'hex', true),
    set_config('extra_float_digits', '1', true), set_config('statement_timeout', '0', true),
    set_config('idle_in_transaction_session_timeout', '0', true)`.execute(db)
}

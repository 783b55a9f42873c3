// Statements of the hot path, without Kysely. They are named, so that Postgres prepares each once per connection. Arrays are
// written as literals here, which both drivers pass on unchanged.

import type { Database } from '../db/connect.ts'

export interface HotStatement {
  name: string
  text: string
}

export type HotValue = string | number | null

/** Rows have the columns' own names (snake_case). */
export async function hotQuery<Row>(
  database: Database,
  statement: HotStatement,
  values: readonly HotValue[],
): Promise<Row[]> {
  if (database.pool) return (await database.pool.query({ ...statement, values: [...values] })).rows as Row[]
  return (await database.pglite!.query<Row>(statement.text, [...values])).rows
}

/** `{1,2,NULL}`, for int, bigint, float and boolean columns. */
export function plainArray(values: readonly (number | boolean | null)[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : value)).join(',')}}`
}

/** `{"a","b",NULL}`, for text and for any type that is cast from text. */
export function textArray(values: readonly (string | null)[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : `"${value.replace(/["\\]/g, '\\$&')}"`)).join(',')}}`
}

/** A column that a statement reads from an array parameter: its name, its type, and its value for an item. */
export type Column<Item> =
  | readonly [name: string, type: 'text', value: (item: Item) => string | null]
  | readonly [
      name: string,
      type: 'bigint' | 'int' | 'smallint' | 'float8' | 'boolean',
      value: (item: Item) => number | boolean | null,
    ]

/** `unnest($2::bigint[], $3::text[])`, with parameters numbered from `first`. */
export function unnest<Item>(first: number, columns: readonly Column<Item>[]): string {
  return `unnest(${columns.map(([, type], i) => `$${first + i}::${type}[]`).join(', ')})`
}

export function namesOf<Item>(columns: readonly Column<Item>[]): string {
  return columns.map(([name]) => name).join(', ')
}

export function arrayOf<Item>(column: Column<Item>, items: readonly Item[]): string {
  return column[1] === 'text' ? textArray(items.map(column[2])) : plainArray(items.map(column[2]))
}

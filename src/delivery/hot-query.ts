// Statements of the hot path, past Kysely: named, so that Postgres prepares each once per connection, and with arrays written as
// literals here, which both drivers pass on as they are.

import type { Database } from '../db/connect.ts'

export interface HotStatement {
  name: string
  text: string
}

export type HotValue = string | number | null

/** Rows come back with the columns' own names (snake_case). */
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

/** `{"a","b",NULL}`, for text, and for whatever is cast from it. */
export function textArray(values: readonly (string | null)[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : `"${value.replace(/["\\]/g, '\\$&')}"`)).join(',')}}`
}

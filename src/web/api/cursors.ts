// Cursors of lists. They are opaque to clients, so their content may change. A page is read with one more row than it shows, which
// tells whether there is a next one. Each list's pattern is in the document, so a cursor that matches is accepted.

import { invalid } from '../../base/errors.ts'

export const cursorPattern = /^[0-9]{1,15}$/

/** The id in a cursor; undefined for the first page. */
export function readCursor(cursor: string | undefined): number | undefined {
  return cursor === undefined ? undefined : Number(matchCursor(cursor, cursorPattern)[0])
}

export const encodeCursor = (id: number): string => String(id)

export function matchCursor(cursor: string, pattern: RegExp): RegExpExecArray {
  const match = pattern.exec(cursor)
  if (!match) throw invalid('cursor', 'This cursor is not one that a list gave.')
  return match
}

/** `rows` has up to limit + 1. */
export function pageOf<Row extends { id: number }>(rows: readonly Row[], limit: number) {
  return pageBy(rows, limit, ({ id }) => encodeCursor(id))
}

export function pageBy<Row>(rows: readonly Row[], limit: number, cursorOf: (last: Row) => string) {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, next: rows.length > limit && last ? cursorOf(last) : null }
}

// Cursors of lists: opaque to clients, so that what is in them may change. One page is asked for with one row more than it
// shows, which tells whether there is a next one.

import { invalid } from '../../base/errors.ts'

/** The id that a cursor holds; undefined for the first page. */
export function readCursor(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined
  const id = decodeCursor(cursor)
  if (!/^\d{1,15}$/.test(id)) throw badCursor()
  return Number(id)
}

export function encodeCursor(value: string | number): string {
  return Buffer.from(`after:${value}`).toString('base64url')
}

export function decodeCursor(cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString()
  if (!text.startsWith('after:')) throw badCursor()
  return text.slice(6)
}

export const badCursor = () => invalid('cursor', 'This cursor is not one that a list gave.')

/** `rows` holds up to limit + 1. */
export function pageOf<Row extends { id: number }>(rows: readonly Row[], limit: number) {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, next: rows.length > limit && last ? encodeCursor(last.id) : null }
}

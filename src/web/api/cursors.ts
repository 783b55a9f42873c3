// Cursors of lists: opaque to clients, so that what is in them may change. One page is asked for with one row more than it
// shows, which tells whether there is a next one.

import { invalid } from '../../base/errors.ts'

/** The id that a cursor holds; undefined for the first page. */
export function readCursor(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined
  const text = Buffer.from(cursor, 'base64url').toString()
  if (!/^id:\d{1,15}$/.test(text)) throw invalid('cursor', 'This cursor is not one that a list gave.')
  return Number(text.slice(3))
}

/** `rows` holds up to limit + 1. */
export function pageOf<Row extends { id: number }>(rows: readonly Row[], limit: number) {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return { items, next: rows.length > limit && last ? Buffer.from(`id:${last.id}`).toString('base64url') : null }
}

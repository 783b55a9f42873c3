// Reads the parameters of console addresses.

import type { Request } from 'express'
import { Refusal } from '../../base/errors.ts'
import { readId } from '../path-id.ts'

/** A query parameter's text; undefined if it is missing, empty or repeated. */
export function queryText(request: Request, name: string): string | undefined {
  const value = request.query[name]
  return typeof value === 'string' && value.trim() !== '' ? value.trim().slice(0, 300) : undefined
}

/** The number in /editions/:id. */
export function pathId(request: Request, largest?: number): number {
  const id = readId(request.params['id'], largest)
  if (id === undefined) throw new Refusal('not_found', 'There is nothing here.')
  return id
}

/** The sentence for `?done=`: what was just done, after the redirect. */
export function noticeOf(request: Request, notices: Record<string, string>): string | undefined {
  const done = queryText(request, 'done')
  return done !== undefined && Object.hasOwn(notices, done) ? notices[done] : undefined
}

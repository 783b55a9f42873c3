// The mark in a data folder whose installation was moved elsewhere: DATA_DIR/moved.json. The embedded database next to it is
// unchanged, and must not send mail.

import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Refusal } from '../base/errors.ts'

export interface MovedMark {
  /** Host and database, without user and password. */
  to: string
  at: string
  installation: string
}

const fileOf = (dataDir: string) => path.join(dataDir, 'moved.json')

export function findMovedMark(dataDir: string): MovedMark | null {
  try {
    return JSON.parse(readFileSync(fileOf(dataDir), 'utf8')) as MovedMark
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new Refusal('unavailable', `${fileOf(dataDir)} can't be read. It says that this folder's data has moved.`)
  }
}

export function markMoved(dataDir: string, mark: MovedMark): void {
  const draft = `${fileOf(dataDir)}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(mark)}\n`, { mode: 0o600, flush: true })
  renameSync(draft, fileOf(dataDir))
}

export function movedRefusal(dataDir: string, mark: MovedMark): Refusal {
  return new Refusal(
    'conflict',
    `The database in ${dataDir} was moved to ${mark.to} on ${mark.at}. Set DATABASE_URL to that one. What goes on here would be sent twice; if it must be: start --even-though-moved`,
  )
}

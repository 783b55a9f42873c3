// Checks the embedded database's folder before it is opened, and says why it can't be opened. PGlite creates a database in any
// folder without PG_VERSION, even in one that holds data. So a folder that isn't empty is refused, unless a marker next to it says
// that the very first start was interrupted.

import { closeSync, existsSync, mkdirSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Refusal } from '../base/errors.ts'

/** Opens the database in the folder, which is created if necessary. Refusals are sentences for the screen. */
export async function openInFolder<T>(folder: string, open: () => Promise<T>): Promise<T> {
  const beginning = `${folder}.beginning`
  if (hasTooFewFiles()) throw new Refusal('unavailable', tooFewFiles)
  try {
    makeFolder(folder)
    if (existsSync(beginning))
      for (const name of readdirSync(folder)) rmSync(path.join(folder, name), { recursive: true })
    const isNew = readdirSync(folder).length === 0
    if (!isNew && !existsSync(path.join(folder, 'PG_VERSION')))
      throw new Refusal(
        'unavailable',
        `${folder} holds files, but its PG_VERSION is missing, so nothing was opened or changed. Put a copy of the whole folder in its place, or move it away to begin with an empty database.`,
      )
    if (isNew) writeFileSync(beginning, '')
    const opened = await open()
    if (isNew) rmSync(beginning)
    return opened
  } catch (cause) {
    throw cause instanceof Refusal ? cause : new Refusal('unavailable', explain(folder, cause))
  }
}

/** Creates the folder if there is none. Refusals are sentences for the screen. */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new Refusal('unavailable', explain(folder, cause))
  }
}

const tooFewFiles =
  'The program may not open enough files for the embedded database. Allow it at least 1,024 (ulimit -n 1024) and start it again.'

function explain(folder: string, cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException
  if (code === 'EMFILE' || code === 'ENFILE') return tooFewFiles
  if (code === 'ENOSPC') return `There is no space left for ${folder}. Free some and start again.`
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return `${folder} can't be read and written by this user (${code}). Change its owner or its permissions and start again.`
  if (code === 'EEXIST' || code === 'ENOTDIR')
    return `${folder} can't be made, because there is a file in its place. Set DATA_DIR to a folder and start again.`
  return `The database in ${folder} can't be opened: it is damaged, or another version made it (${message.split('\n', 1)[0]}). Put a copy of the whole folder in its place, or move it away to begin with an empty database.`
}

/** The least number of files that the database and the program open at once. */
const filesNeeded = 200

/** Tried first, because the database would later fail without naming this reason. */
function hasTooFewFiles(): boolean {
  const open: number[] = []
  try {
    for (let n = 0; n < filesNeeded; n++) open.push(openSync(import.meta.filename, 'r'))
    return false
  } catch {
    return true
  } finally {
    for (const file of open) closeSync(file)
  }
}

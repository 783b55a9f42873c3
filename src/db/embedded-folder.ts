// Checks the embedded database's folder before it is opened, and says why it can't be opened. PGlite creates a database in any
// folder without PG_VERSION, even in one that holds data. So a folder that isn't empty is refused, unless a marker next to it says
// that the very first start was interrupted.

import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
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
    throw cause instanceof Refusal ? cause : new Refusal('unavailable', explain(folder, findDenied(folder) ?? cause))
  }
}

/** Why this user may not read and write one of the files. The database itself only aborts, without a reason. */
function findDenied(folder: string): unknown {
  try {
    for (const name of ['', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })])
      accessSync(path.join(folder, name), constants.R_OK | constants.W_OK)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    return code === 'EACCES' || code === 'EROFS' ? cause : undefined
  }
  return undefined
}

/** Creates the folder if there is none, for its owner only. Refusals are sentences for the screen. */
export function makeFolder(folder: string): void {
  try {
    makeEach(path.resolve(folder))
  } catch (cause) {
    throw cannotUse(folder, cause)
  }
}

/** Creates one folder after the other. Node's recursive mkdir never returns where a folder that exists answers ENOENT, as /proc does. */
function makeEach(folder: string): void {
  if (isFolder(folder)) return
  const parent = path.dirname(folder)
  if (parent !== folder) makeEach(parent)
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (cause) {
    // Another process may have made it.
    if (!isFolder(folder)) throw cause
  }
}

const isFolder = (file: string): boolean => statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false

/** What the operator does when a folder for data can't be made or written. */
export function cannotUse(folder: string, cause: unknown): Refusal {
  const { code, message } = cause as NodeJS.ErrnoException
  const why =
    explainCode(folder, code) ?? `${folder} can't be used as a folder for data (${code ?? message}). ${another}`
  return new Refusal('unavailable', why)
}

const another = 'Set DATA_DIR to a folder that this user may write, and start again.'

const tooFewFiles =
  'The program may not open enough files for the embedded database. Allow it at least 1,024 (ulimit -n 1024) and start it again.'

function explain(folder: string, cause: unknown): string {
  const { code, errno, message } = cause as Partial<NodeJS.ErrnoException>
  const why = message?.split('\n', 1)[0] ?? `error ${errno}`
  return (
    explainCode(folder, code ?? insideCodes[errno!]) ??
    `The database in ${folder} can't be opened: it is damaged, or another version made it (${why}). Put a copy of the whole folder in its place, or move it away to begin with an empty database.`
  )
}

/** PGlite's file system has no codes, and numbers of its own (WASI). */
const insideCodes: Record<number, string> = {
  2: 'EACCES',
  19: 'EDQUOT',
  33: 'EMFILE',
  51: 'ENOSPC',
  63: 'EPERM',
  69: 'EROFS',
}

function explainCode(folder: string, code: string | undefined): string | undefined {
  if (code === 'EMFILE' || code === 'ENFILE') return tooFewFiles
  if (code === 'ENOSPC' || code === 'EDQUOT') return `There is no space left for ${folder}. Free some and start again.`
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return `${folder} can't be read and written by this user (${code}). Change its owner or its permissions and start again.`
  if (code === 'EEXIST' || code === 'ENOTDIR')
    return `${folder} can't be made, because there is a file in its place. Set DATA_DIR to a folder and start again.`
  return undefined
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

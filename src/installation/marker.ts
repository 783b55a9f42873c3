// What DATA_DIR stores about the installation: `installation.json`, with the highest `settled` that was seen in the database, by
// its id. A database with a lower value was restored: with other tools, or from a snapshot of its disk. Then sending is held
// before any mail is sent.
//
// A new folder stores nothing, and detects nothing. Several machines with their own folders store the database's value or a lower
// one. The machine that detects a restore raises the value far, so that no other machine detects the same one again.

import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Database, Db } from '../db/connect.ts'
import type { Context } from '../db/context.ts'
import { settledKey } from '../db/settings.ts'
import { holdSending } from '../delivery/sending-hold.ts'
import { makeFolder } from '../db/embedded-folder.ts'
import { databaseIdentity, ensureIdentity, findIdentity, findSettled, raiseFar, setIdentity } from './identity.ts'
import { readCounters, setCounters } from './shape.ts'

type Markers = Record<string, { settled: number; at: string }>

const fileOf = (dataDir: string) => path.join(dataDir, 'installation.json')

function readMarkers(dataDir: string): Markers {
  try {
    return JSON.parse(readFileSync(fileOf(dataDir), 'utf8')) as Markers
  } catch {
    return {}
  }
}

/**
 * Detects whether this database was restored since this folder last saw it, or is a different one, and holds sending in that case.
 * Call it before anything can be sent. Returns the sentence, or null. Safe to repeat, and from several processes at once.
 */
export async function noticeRestore(database: Database, dataDir: string, now: Date): Promise<string | null> {
  const { db } = database
  const known = await ensureIdentity(db)
  // The embedded database's folder may be copied.
  const current = database.kind === 'postgres' ? await databaseIdentity(db) : null
  const marker = readMarkers(dataDir)[known.id]
  const isAsKnown = current === null || known.database === current
  if (isAsKnown && (marker?.settled ?? 0) <= (await findSettled(db))) return null
  return db.transaction().execute(async (trx) => {
    await sql`select from settings where key = 'installation' for update`.execute(trx)
    const identity = await findIdentity(trx)
    const isOlder = marker !== undefined && (await findSettled(trx)) < marker.settled
    const isElsewhere = current !== null && identity.database !== null && identity.database !== current
    if (current !== null) await setIdentity(trx, { ...identity, database: current })
    if (!isOlder && !isElsewhere) return null
    const knownUntil = await lastSign(trx)
    const why = isOlder
      ? 'This database was put back: it knows less than this installation had settled.'
      : 'This database was restored, or moved to another server, by other tools: it isn’t the one that this installation used before.'
    await holdSending(trx, { since: now.toISOString(), why, knownUntil: knownUntil?.toISOString() ?? null })
    await setCounters(trx, await readCounters(trx), { isFarBeyond: true })
    await raiseFar(trx, marker?.settled)
    return why
  })
}

/** When this database was last in use, by its last tick or mail: at most about a minute before its end. */
async function lastSign(db: Db): Promise<Date | null> {
  const { at } = await db
    .selectFrom('settings')
    .select((eb) => eb.fn.max('updatedAt').as('at'))
    .where('key', 'in', ['last_tick', settledKey])
    .executeTakeFirstOrThrow()
  return at
}

/**
 * Updates the folder's file every few seconds. If the folder can't be written, the only effect is that a restored database isn't
 * detected. Returns the stop function, which updates it once more.
 */
export async function startMarker(ctx: Context, everyMs = 5000): Promise<() => Promise<void>> {
  const { dataDir } = ctx.config.database
  const { id } = await findIdentity(ctx.db)
  let written = -1
  const note = async () => {
    const settled = await findSettled(ctx.db)
    if (settled === written) return
    write(dataDir, id, settled)
    written = settled
  }
  let isWarned = false
  const look = async () => {
    try {
      await note()
      isWarned = false
    } catch (error) {
      if (!isWarned) ctx.log.warn({ err: error }, 'how far this installation has come could not be noted in DATA_DIR')
      isWarned = true
    }
  }
  const closing = new AbortController()
  const running = (async () => {
    while (!closing.signal.aborted) {
      await look()
      await pause(everyMs, undefined, { signal: closing.signal, ref: false }).catch(() => {})
    }
  })()
  return async () => {
    closing.abort()
    await running
    await look()
  }
}

function write(dataDir: string, id: string, settled: number): void {
  makeFolder(dataDir)
  const markers = { ...readMarkers(dataDir), [id]: { settled, at: new Date().toISOString() } }
  const draft = `${fileOf(dataDir)}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(markers)}\n`, { mode: 0o600 })
  renameSync(draft, fileOf(dataDir))
}

// The identity and progress of an installation's database. `settled` rises with every settled mail (delivery counts it up).
// DATA_DIR stores the highest value that was seen (marker.ts), which shows whether a database was restored from an older state.

import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { Db } from '../db/connect.ts'
import { findSetting, keepSetting, settledKey, setSetting } from '../db/settings.ts'

const key = 'installation'

export interface Identity {
  id: string
  /** Identity of the database: the server's number and the database's. null: not stored yet. */
  database: string | null
}

/** Gives the installation an id at its first start. Safe to repeat, and from several processes. */
export function ensureIdentity(db: Db): Promise<Identity> {
  return keepSetting<Identity>(db, key, { id: randomUUID(), database: null })
}

/** For programs that have been started on it before. */
export async function findIdentity(db: Db): Promise<Identity> {
  return (await findSetting<Identity>(db, key)) ?? { id: randomUUID(), database: null }
}

export function setIdentity(db: Db, identity: Identity): Promise<void> {
  return setSetting(db, key, identity)
}

export async function findSettled(db: Db): Promise<number> {
  return (await findSetting<number>(db, settledKey)) ?? 0
}

/** More than any other machine can have seen before the restore. */
const farSettled = 1_000_000_000_000

export async function raiseFar(db: Db, least = 0): Promise<void> {
  await setSetting(db, settledKey, Math.max(least, await findSettled(db)) + farSettled)
}

/**
 * A restored dump is another database, or on another server, even if the program's folder is new. null: unknown. Only outside a
 * transaction: without permission, the statement fails.
 */
export async function databaseIdentity(db: Db): Promise<string | null> {
  try {
    const { rows } = await sql<{ name: string }>`
      select system_identifier::text || '/' || (select oid from pg_database where datname = current_database()) as name
      from pg_control_system()`.execute(db)
    return rows[0]!.name
  } catch {
    return null
  }
}

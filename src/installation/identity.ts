// Which installation a database holds, and how far it has come. `settled` rises with every mail whose fate is known (delivery counts
// it up); DATA_DIR keeps the highest that was seen (marker.ts), and so tells a database that was put back from one that wasn't.

import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { Db } from '../db/connect.ts'
import { findSetting, keepSetting, settledKey, setSetting } from '../db/settings.ts'

const key = 'installation'

export interface Identity {
  id: string
  /** Of the database: the server's own number and the database's. null: not noted yet. */
  database: string | null
}

/** Gives the installation an id at its first start. Safe to repeat, and from several processes. */
export function ensureIdentity(db: Db): Promise<Identity> {
  return keepSetting<Identity>(db, key, { id: randomUUID(), database: null })
}

/** The caller's program has started on it before. */
export async function findIdentity(db: Db): Promise<Identity> {
  return (await findSetting<Identity>(db, key)) ?? { id: randomUUID(), database: null }
}

export function setIdentity(db: Db, identity: Identity): Promise<void> {
  return setSetting(db, key, identity)
}

export async function findSettled(db: Db): Promise<number> {
  return (await findSetting<number>(db, settledKey)) ?? 0
}

/** Beyond what any other machine has seen before the database was put back. */
const farSettled = 1_000_000_000_000

export async function raiseFar(db: Db, least = 0): Promise<void> {
  await setSetting(db, settledKey, Math.max(least, await findSettled(db)) + farSettled)
}

/** A restored dump is another database, or one on another server, even where the folder of the program is new. null: can't be known.
 * Only outside of a transaction: where it isn't allowed, the statement fails. */
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

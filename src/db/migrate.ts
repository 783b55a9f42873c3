// Brings the schema up: Kysely's migrator over migrations/*.ts, each in a transaction, under Postgres's own lock, so that many
// processes may start at once. Safe to repeat.

import fs from 'node:fs/promises'
import path from 'node:path'
import { sql } from 'kysely'
import { FileMigrationProvider, Migrator } from 'kysely/migration'
import { Refusal } from '../base/errors.ts'
import type { Db } from './connect.ts'

const migrationFolder = path.join(import.meta.dirname, '../../migrations')

/** Names of the migrations that were applied now, in order; empty when the schema was up to date. `upTo`: no further than this one. */
export async function migrate(db: Db, upTo?: string): Promise<string[]> {
  // One look, as nearly every start finds nothing to do and Kysely's migrator loads and locks before it says so.
  const [made, known] = [await listMigrations(db), await allMigrations()]
  if (made.join() === known.join()) return []
  const newer = made.filter((name) => !known.includes(name))
  if (newer.length > 0)
    throw new Refusal(
      'unavailable',
      `A newer version of this program has been used on this database (migration ${newer.at(-1)}). Start that version, or restore a backup from before.`,
    )
  const provider = new FileMigrationProvider({ fs, path, migrationFolder })
  // Work that goes on at the same time lands in any order: a migration may have a lower number than one that was applied before.
  const migrator = new Migrator({ db, provider, allowUnorderedMigrations: true })
  const { error, results } = await (upTo === undefined ? migrator.migrateToLatest() : migrator.migrateTo(upTo))
  if (error)
    throw new Error(`A migration failed: ${results?.find((r) => r.status === 'Error')?.migrationName ?? 'unknown'}`, {
      cause: error,
    })
  return (results ?? []).map((result) => result.migrationName)
}

/** Those that this program has, in order. */
export async function allMigrations(): Promise<string[]> {
  const files = (await fs.readdir(migrationFolder)).filter((file) => file.endsWith('.ts')).toSorted()
  return files.map((file) => file.slice(0, -3))
}

/** Those that the database has had, in order. */
export async function listMigrations(db: Db): Promise<string[]> {
  const { rows } = await sql<{ exists: boolean }>`select to_regclass('kysely_migration') is not null as exists`.execute(
    db,
  )
  if (!rows[0]!.exists) return []
  const applied = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db)
  return applied.rows.map(({ name }) => name)
}

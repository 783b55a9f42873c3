// Brings the schema up: Kysely's migrator over migrations/*.ts, each in a transaction, under Postgres's own lock, so that many
// processes may start at once. Safe to repeat.

import fs from 'node:fs/promises'
import path from 'node:path'
import { sql } from 'kysely'
import { FileMigrationProvider, Migrator } from 'kysely/migration'
import type { Db } from './connect.ts'

const migrationFolder = path.join(import.meta.dirname, '../../migrations')

/** Names of the migrations that were applied now, in order; empty when the schema was up to date. */
export async function migrate(db: Db): Promise<string[]> {
  if (await isUpToDate(db)) return []
  const migrator = new Migrator({ db, provider: new FileMigrationProvider({ fs, path, migrationFolder }) })
  const { error, results } = await migrator.migrateToLatest()
  if (error)
    throw new Error(`A migration failed: ${results?.find((r) => r.status === 'Error')?.migrationName ?? 'unknown'}`, {
      cause: error,
    })
  return (results ?? []).map((result) => result.migrationName)
}

/** One look, as nearly every start finds nothing to do and Kysely's migrator loads and locks before it says so. */
async function isUpToDate(db: Db): Promise<boolean> {
  const { rows } = await sql<{ exists: boolean }>`select to_regclass('kysely_migration') is not null as exists`.execute(
    db,
  )
  if (!rows[0]!.exists) return false
  const applied = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db)
  const files = (await fs.readdir(migrationFolder)).filter((file) => file.endsWith('.ts')).toSorted()
  return files.join() === applied.rows.map((row) => `${row.name}.ts`).join()
}

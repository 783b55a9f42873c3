// Brings the schema up: Kysely's migrator over migrations/*.ts, each in a transaction, under Postgres's own lock, so that many
// processes may start at once. Safe to repeat.

import fs from 'node:fs/promises'
import path from 'node:path'
import { FileMigrationProvider, Migrator } from 'kysely/migration'
import type { Db } from './connect.ts'

const migrationFolder = path.join(import.meta.dirname, '../../migrations')

/** Names of the migrations that were applied now, in order; empty when the schema was up to date. */
export async function migrate(db: Db): Promise<string[]> {
  const migrator = new Migrator({ db, provider: new FileMigrationProvider({ fs, path, migrationFolder }) })
  const { error, results } = await migrator.migrateToLatest()
  if (error)
    throw new Error(`A migration failed: ${results?.find((r) => r.status === 'Error')?.migrationName ?? 'unknown'}`, {
      cause: error,
    })
  return (results ?? []).map((result) => result.migrationName)
}

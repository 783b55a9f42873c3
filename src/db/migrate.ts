// Updates the schema: Kysely's migrator over migrations/*.ts, each in a transaction, under Postgres's own lock, so many processes
// may start at once. Safe to repeat.
//
// The first files, by domain, replace all migrations of version 0.1.0. A database that had all of those gets the names of the new
// files instead. An older one is refused.

import fs from 'node:fs/promises'
import path from 'node:path'
import { sql } from 'kysely'
import { FileMigrationProvider, Migrator } from 'kysely/migration'
import { Refusal } from '../base/errors.ts'
import type { Db, Trx } from './connect.ts'
import { isOutage } from './outage.ts'

const migrationFolder = path.join(import.meta.dirname, '../../migrations')

/** The last migration of 0.1.0, and the first number whose files don't replace migrations of 0.1.0. */
const lastReplaced = '0177_suppressions_by_domain'
const firstKept = '0178'

/**
 * Returns the names of the migrations that were applied now, in order; none if the schema was up to date. `only`: apply no others.
 * Refuses a database of another version that can't be updated.
 */
export async function migrate(db: Db, only?: readonly string[]): Promise<string[]> {
  const known = await allMigrations()
  const applied = await listMigrations(db)
  // Nearly every start finds nothing to do. This query saves loading Kysely's migrator and its lock.
  if (applied.join() === known.join()) return []
  const isOld = applied.includes(lastReplaced)
  refuseUnknown(isOld ? applied.filter((name) => name > lastReplaced) : applied, known)
  if (isOld) await db.transaction().execute((trx) => replaceNames(trx, known))
  const provider = new Offered(only)
  // Branches are merged in any order, so a migration may have a lower number than one that was applied before.
  const migrator = new Migrator({ db, provider, allowUnorderedMigrations: true })
  const { error, results } = await migrator.migrateToLatest()
  if (error) throw failed(results?.find(({ status }) => status === 'Error')?.migrationName, error)
  return (results ?? []).map((result) => result.migrationName)
}

/** The error to throw. An outage of the database stays the error that it is. */
function failed(name: string | undefined, cause: unknown): unknown {
  if (isOutage(cause) || !(cause instanceof Error)) return cause
  const what = name === undefined ? 'The migrations' : `The migration ${name}`
  const why = `${what} failed: ${cause.message}. Nothing of it was kept. Mend the cause and start again.`
  return new Refusal('unavailable', why)
}

/** All migration files, or some of them. */
class Offered extends FileMigrationProvider {
  #only: readonly string[] | undefined
  constructor(only: readonly string[] | undefined) {
    super({ fs, path, migrationFolder })
    this.#only = only
  }

  override async getMigrations() {
    const all = Object.entries(await super.getMigrations())
    return Object.fromEntries(all.filter(([name]) => this.#only?.includes(name) ?? true))
  }
}

/** The migrations of this program, in order. */
export async function allMigrations(): Promise<string[]> {
  const files = (await fs.readdir(migrationFolder)).filter((file) => file.endsWith('.ts')).toSorted()
  return files.map((file) => file.slice(0, -3))
}

/** The migrations that the database has had, in order. */
export async function listMigrations(db: Db): Promise<string[]> {
  const { rows } = await sql<{ exists: boolean }>`select to_regclass('kysely_migration') is not null as exists`.execute(
    db,
  )
  if (!rows[0]!.exists) return []
  const applied = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db)
  return applied.rows.map(({ name }) => name)
}

/**
 * Replaces the names of 0.1.0's migrations by the names of the files by domain, unless another process has done so meanwhile.
 * Later migrations keep their names.
 */
async function replaceNames(trx: Trx, known: readonly string[]): Promise<void> {
  const names = JSON.stringify(known.filter((name) => name < firstKept))
  await sql`lock table kysely_migration in share row exclusive mode`.execute(trx)
  await sql`
    with replaced as (delete from kysely_migration where name collate "C" <= ${lastReplaced}
      and exists (select from kysely_migration where name = ${lastReplaced}) returning timestamp)
    insert into kysely_migration (name, timestamp)
      select name, max(timestamp) from jsonb_array_elements_text(${names}::jsonb) as name, replaced group by name`.execute(
    trx,
  )
}

function refuseUnknown(applied: readonly string[], known: readonly string[]): void {
  const last = applied.findLast((name) => !known.includes(name))
  if (last === undefined) return
  throw new Refusal(
    'unavailable',
    last < lastReplaced
      ? `This database is older than this version can bring up: its last migration is ${last}. Start the last Broadsheet 0.1.0 (commit a82f337) on it once, then this version.`
      : `A newer version of this program has been used on this database (migration ${last}). Start that version, or restore a backup from before.`,
  )
}

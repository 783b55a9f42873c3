// The target of an installation: an empty database, with the schema of the source.

import { setTimeout as pause } from 'node:timers/promises'
import { sql } from 'kysely'
import { Refusal } from '../base/errors.ts'
import type { Database, Db } from '../db/connect.ts'
import { allMigrations, listMigrations, migrate } from '../db/migrate.ts'
import { readShape, type TableShape } from './shape.ts'
import type { Head } from './stream.ts'
import { format } from './stream.ts'
import { leftOut, tables, writtenByStart } from './tables.ts'

/** Tables with rows, except those that only the first start fills. */
export async function listFilled(db: Db, shape: readonly TableShape[]): Promise<string[]> {
  const filled: string[] = []
  for (const { name } of shape) {
    if (writtenByStart.has(name)) continue
    const { rows } = await sql<{ isFilled: boolean }>`
      select exists (select from ${sql.table(name)}) as "isFilled"`.execute(db)
    if (rows[0]!.isFilled) filled.push(name)
  }
  return filled
}

export async function refuseUnlessEmpty(db: Db, shape: readonly TableShape[]): Promise<void> {
  const foreign = shape.filter(({ name }) => !Object.hasOwn(tables, name)).map(({ name }) => name)
  if (foreign.length) throw notEmpty(`tables of something else (${some(foreign)})`)
  const filled = await listFilled(db, shape)
  if (filled.length) throw notEmpty(`data already (${some(filled)})`)
}

const some = (names: readonly string[]) => [...names.slice(0, 5), ...(names.length > 5 ? ['…'] : [])].join(', ')

const notEmpty = (what: string) =>
  new Refusal('conflict', `The target holds ${what}, so nothing was changed. Name an empty database or a new folder.`)

/** Refuses a Postgres that is too old, or on which a server runs. A connection that was just closed is given two seconds. */
export async function refuseBusy({ db, kind }: Database): Promise<void> {
  if (kind === 'embedded') return
  for (let tries = 0; ; tries++) {
    const { rows } = await sql<{ version: number; others: number }>`
      select current_setting('server_version_num')::int as version,
        (select count(*)::int from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
          and application_name in ('broadsheet', 'broadsheet chores')) as others`.execute(db)
    if (rows[0]!.version < 150_000) throw new Refusal('conflict', 'The target needs Postgres 15 or newer.')
    if (rows[0]!.others === 0) return
    if (tries === 20) throw new Refusal('conflict', 'A server or a command works on the target. Stop it first.')
    await pause(100)
  }
}

/** Refuses a stream of a later program. */
export async function refuseLater(head: Head): Promise<void> {
  if (head.broadsheet !== 'everything' || typeof head.format !== 'number')
    throw new Refusal('invalid', 'This is no backup, and no export of everything.')
  const known = await allMigrations()
  const unknown = head.migrations.find((name) => !known.includes(name))
  if (head.format > format || unknown !== undefined)
    throw new Refusal(
      'conflict',
      `It was written by a later version of this program (${unknown ?? `format ${head.format}`}). Install that version or a newer one.`,
    )
}

/**
 * Brings an empty database to the source's schema, so that its rows fit. Later migrations then run on them, as in every upgrade.
 * If an earlier, unused start created a newer schema, it is created again.
 */
export async function bringTo(db: Db, migrations: readonly string[]): Promise<void> {
  const shape = await readShape(db)
  await refuseUnlessEmpty(db, shape)
  const had = await listMigrations(db)
  if (had.some((name) => !migrations.includes(name))) await removeEmpty(db, shape)
  await migrate(db, migrations)
  const has = await listMigrations(db)
  if (has.toSorted().join() !== migrations.toSorted().join())
    throw new Refusal(
      'conflict',
      'This program can’t make the schema that it was written with. Use the version that wrote it.',
    )
}

async function removeEmpty(db: Db, shape: readonly TableShape[]): Promise<void> {
  const names = [...shape.map(({ name }) => name), ...Object.keys(leftOut)]
  await db.transaction().execute(async (trx) => {
    await sql`drop table if exists ${sql.join(names.map((name) => sql.table(name)))}`.execute(trx)
    await sql`drop sequence if exists article_seq`.execute(trx)
  })
}

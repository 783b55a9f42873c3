// Databases for tests. Embedded: one PGlite per test file, loaded from a dump of the migrated schema. Postgres: one database per
// test file, a copy of the template that tests/run.ts made on the server it found or started. Between stories every table is
// emptied.

import { after } from 'node:test'
import { sql } from 'kysely'
import { createLog } from '../../src/base/log.ts'
import { openEmbedded, openPostgres, type Database } from '../../src/db/connect.ts'
import { migrate } from '../../src/db/migrate.ts'
import { openQueue, type Queue } from '../../src/db/queue.ts'
import { openMigrated } from './embedded.ts'
import { emptyPostgres } from './postgres-databases.ts'

export type DatabaseKind = 'embedded' | 'postgres'

export interface TestDatabase {
  database: Database
  queue: Queue
  /** null when embedded. */
  url: string | null
}

const open = new Map<DatabaseKind, Promise<TestDatabase>>()
const closing: (() => Promise<void>)[] = []

// Registered while the file loads: inside a story it would belong to that story and run when it ends.
// What was opened last closes first.
after(async () => {
  for (const close of closing) await close()
})

/** The file's database of that kind, emptied. */
export async function freshDatabase(kind: DatabaseKind): Promise<TestDatabase> {
  if (!open.has(kind)) open.set(kind, kind === 'embedded' ? openTestEmbedded() : openTestPostgres())
  const test = await open.get(kind)!
  await empty(test.database)
  return test
}

async function empty({ db }: Database): Promise<void> {
  const tables = await sql<{ name: string }>`
    select format('%I.%I', schemaname, tablename) as name from pg_tables
    where schemaname = 'public' and tablename not like 'kysely_%'`.execute(db)
  await sql.raw(`truncate ${tables.rows.map((row) => row.name).join(', ')} restart identity cascade`).execute(db)
  await sql`select setval('article_seq', 1, false)`.execute(db)
  // Not truncated: that would lock out the queue's own maintenance, in another order than it locks.
  await sql`delete from pgboss.job`.execute(db)
}

/** The tables in which that text stands anywhere. */
export async function listTablesNaming({ db }: Pick<Database, 'db'>, text: string): Promise<string[]> {
  const tables = await sql<{ name: string }>`
    select table_name as name from information_schema.tables
    where table_schema = 'public' and table_type = 'BASE TABLE'`.execute(db)
  const naming: string[] = []
  for (const { name } of tables.rows) {
    const { rows } = await sql<{ isIn: boolean }>`
      select exists (select from ${sql.table(name)} as t where t::text like ${`%${text}%`}) as "isIn"`.execute(db)
    if (rows[0]!.isIn) naming.push(name)
  }
  return naming
}

/** A database of its own without a schema, and its address (null when embedded). It ends with the test file. */
export async function openEmptyDatabase(kind: DatabaseKind): Promise<{ database: Database; url: string | null }> {
  if (kind === 'embedded') {
    const database = await openEmbedded('memory://')
    closing.unshift(() => database.close())
    return { database, url: null }
  }
  const { url, drop } = await emptyPostgres()
  const database = openPostgres(url, 10)
  closing.unshift(async () => {
    await database.close()
    await drop()
  })
  return { database, url }
}

/** With the queue of chores beside it, which ends before the database. */
export async function withQueue(opened: { database: Database; url: string | null }): Promise<TestDatabase> {
  const queue = await openQueue(opened.database, opened.url, createLog('silent'))
  closing.unshift(() => queue.stop(1000))
  return { ...opened, queue }
}

async function openTestEmbedded(): Promise<TestDatabase> {
  const database = await openMigrated()
  closing.unshift(() => database.close())
  return withQueue({ database, url: null })
}

async function openTestPostgres(): Promise<TestDatabase> {
  const { url, drop } = await emptyPostgres(undefined, process.env['TEST_DATABASE_TEMPLATE'])
  const database = openPostgres(url, 10)
  closing.unshift(async () => {
    await database.close()
    await drop()
  })
  if (!process.env['TEST_DATABASE_TEMPLATE']) await migrate(database.db)
  return withQueue({ database, url })
}

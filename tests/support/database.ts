// Databases for tests. Embedded: one PGlite per test file, loaded from a dump of the migrated schema. Postgres: one database per
// test file, made from a migrated template, on the server that tests/run.ts found or started (TEST_DATABASE_URL). Between
// stories every table is emptied.

import { createHash, randomBytes } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after } from 'node:test'
import { sql } from 'kysely'
import pg from 'pg'
import { createLog } from '../../src/base/log.ts'
import { openEmbedded, openPostgres, type Database } from '../../src/db/connect.ts'
import { migrate } from '../../src/db/migrate.ts'
import { openQueue, type Queue } from '../../src/db/queue.ts'

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

function migrationsHash(): string {
  const folder = path.join(import.meta.dirname, '../../migrations')
  const hash = createHash('sha256')
  for (const name of fs.readdirSync(folder).sort()) hash.update(name).update(fs.readFileSync(path.join(folder, name)))
  return hash.digest('hex').slice(0, 16)
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
  const dump = path.join(os.tmpdir(), `broadsheet-tests-${migrationsHash()}.tar`)
  if (!fs.existsSync(dump)) {
    const made = await openEmbedded('memory://')
    await migrate(made.db)
    const blob = await made.pglite!.dumpDataDir('none')
    const part = `${dump}.${process.pid}`
    fs.writeFileSync(part, Buffer.from(await blob.arrayBuffer()))
    fs.renameSync(part, dump)
    await made.close()
  }
  const database = await openEmbedded('memory://', { from: new Blob([fs.readFileSync(dump)]) })
  closing.unshift(() => database.close())
  return withQueue({ database, url: null })
}

/** A database without a schema on the tests' server; `drop` ends its connections. */
export async function emptyPostgres(): Promise<{ url: string; drop(): Promise<void> }> {
  const server = process.env.TEST_DATABASE_URL
  if (!server) throw new Error('TEST_DATABASE_URL is not set: run the tests with npm test')
  const name = `t_${process.pid}_${randomBytes(4).toString('hex')}`
  const admin = new pg.Client({ connectionString: server })
  await admin.connect()
  await admin.query(`create database ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return {
    url: url.href,
    async drop() {
      await admin.query(`drop database ${name} with (force)`)
      await admin.end()
    },
  }
}

async function openTestPostgres(): Promise<TestDatabase> {
  const opened = await openEmptyDatabase('postgres')
  await migrate(opened.database.db)
  return withQueue(opened)
}

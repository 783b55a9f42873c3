// Databases on the tests' Postgres. The runner makes the template; it isn't a test file, so nothing of node:test is imported here.

import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { createLog } from '../../src/base/log.ts'
import { openPostgres } from '../../src/db/connect.ts'
import { migrate } from '../../src/db/migrate.ts'
import { openQueue } from '../../src/db/queue.ts'

/** A database on the tests' server, or another; without a schema unless a template has one. `drop` ends its connections. */
export async function emptyPostgres(
  server = process.env.TEST_DATABASE_URL,
  template = 'template1',
): Promise<{ url: string; drop(): Promise<void> }> {
  if (!server) throw new Error('TEST_DATABASE_URL is not set: run the tests with npm test')
  const name = `t_${process.pid}_${randomBytes(4).toString('hex')}`
  await execute(server, `create database ${name} template ${template}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => execute(server, `drop database ${name} with (force)`) }
}

async function execute(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  await client.query(statement).finally(() => client.end())
}

/** A database with the schema in it, which each test file copies: quicker than migrating each time. */
export async function createTemplate(server: string): Promise<{ name: string; drop(): Promise<void> }> {
  const { url, drop } = await emptyPostgres(server)
  const database = openPostgres(url, 2)
  await migrate(database.db)
  const queue = await openQueue(database, url, createLog('silent'))
  await queue.stop(1000)
  await database.close()
  return { name: new URL(url).pathname.slice(1), drop }
}

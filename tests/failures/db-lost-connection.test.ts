import assert from 'node:assert/strict'
import { it } from 'node:test'
import { sql } from 'kysely'
import { openPostgres } from '../../src/db/connect.ts'
import { startPostgres } from '../support/postgres.ts'

it('a connection that dies between two statements of a transaction fails the transaction, not the process', async (test) => {
  const server = await startPostgres()
  if (!server) return test.skip('no Postgres found')
  const database = openPostgres(server.url, 1)
  const other = openPostgres(server.url, 1)
  await assert.rejects(
    database.db.transaction().execute(async (trx) => {
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(trx)
      await sql`select pg_terminate_backend(${rows[0]!.pid}, 5000)`.execute(other.db)
      // The socket's end is heard here, while no statement waits.
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
      await sql`select 1`.execute(trx)
    }),
  )
  const { rows } = await sql<{ one: number }>`select 1 as one`.execute(database.db)
  assert.equal(rows[0]!.one, 1)
  await Promise.all([database.close(), other.close()])
  await server.stop()
})

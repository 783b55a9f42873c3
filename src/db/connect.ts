// Opens the database: Kysely on Postgres (DATABASE_URL) or on the embedded PGlite. Both give the same types: bigint and count(*)
// as number, date as text, timestamptz as Date.
//
// PGlite is one connection. Inside a transaction callback, a query through the outer `db` waits forever. So stores take the handle
// as their first parameter and workflows pass `trx` down. Tests run on PGlite, so they find this mistake.

import { CamelCasePlugin, Kysely, PGliteDialect, PostgresDialect, type Transaction } from 'kysely'
import pg from 'pg'
import type { PGlite } from '@electric-sql/pglite'
import { openInFolder } from './embedded-folder.ts'
import type { Schema } from './schema.ts'

export type Db = Kysely<Schema>
export type Trx = Transaction<Schema>

export interface Database {
  kind: 'embedded' | 'postgres'
  db: Db
  /** The pool behind `db`; null when embedded. */
  pool: pg.Pool | null
  /** The instance behind `db`; null on Postgres. */
  pglite: PGlite | null
  /** Calls back for each NOTIFY on `channel` and after each reconnect, as notifications may have been missed. */
  listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>>
  close(): Promise<void>
}

const plugins = [new CamelCasePlugin({ maintainNestedObjectKeys: true })]

const oid = { int8: 20, date: 1082, int8Array: 1016, numeric: 1700 }
const parseInt8Array = (text: string): number[] => (text === '{}' ? [] : text.slice(1, -1).split(',').map(Number))

/**
 * How long a transaction may be idle before Postgres ends it. Our transactions wait only for the database. If one is idle for a
 * minute, its process is frozen or gone, and its locks would block the others.
 */
const idleTransactionMs = 60_000

/** Postgres through a pool. Connects at the first query. */
export function openPostgres(
  url: string,
  connections: number,
  options: { idleTransactionMs?: number; name?: string } = {},
): Database {
  const types = new pg.TypeOverrides()
  types.setTypeParser(oid.int8, Number)
  types.setTypeParser(oid.numeric, Number)
  types.setTypeParser(oid.date, (text: string) => text)
  types.setTypeParser(oid.int8Array, parseInt8Array)
  const settings = { connectionString: url, types, application_name: options.name ?? 'broadsheet', keepAlive: true }
  const pool = new pg.Pool({
    ...settings,
    max: connections,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 30_000,
    // Set by a statement, because a pooler in between would refuse it as a connection parameter.
    onConnect: async (client) => {
      await client.query(`set idle_in_transaction_session_timeout = ${options.idleTransactionMs ?? idleTransactionMs}`)
    },
  })
  // A connection that dies while idle must not end the process: the pool replaces it at the next query.
  pool.on('error', () => {})
  // The same for a connection that dies between two statements of a transaction, when the pool doesn't listen: the next statement
  // fails instead.
  pool.on('connect', (client) => client.on('error', () => {}))
  const db: Db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }), plugins })
  return {
    kind: 'postgres',
    db,
    pool,
    pglite: null,
    listen: (channel, onNotify) => listenOnPostgres(settings, channel, onNotify),
    close: () => db.destroy(),
  }
}

/**
 * The embedded database. `folder` is a path, or `memory://` for a database that ends with the process. The caller holds the
 * folder's lock (db/lock.ts): PGlite itself lets two processes in, which loses data.
 */
export async function openEmbedded(folder: string, options: { from?: Blob } = {}): Promise<Database> {
  const { PGlite } = await import('@electric-sql/pglite')
  const create = () =>
    PGlite.create({
      dataDir: folder,
      ...(options.from ? { loadDataDir: options.from } : {}),
      parsers: {
        [oid.int8]: Number,
        [oid.numeric]: Number,
        [oid.date]: (text: string) => text,
        [oid.int8Array]: parseInt8Array,
      },
    })
  const pglite = await (folder.includes('://') ? create() : openInFolder(folder, create))
  const db: Db = new Kysely<Schema>({ dialect: new PGliteDialect({ pglite }), plugins })
  return {
    kind: 'embedded',
    db,
    pool: null,
    pglite,
    listen: (channel, onNotify) => pglite.listen(channel, onNotify),
    close: async () => {
      // destroy() closes the instance only if a query has run through it.
      await db.destroy()
      if (!pglite.closed) await pglite.close()
    },
  }
}

async function listenOnPostgres(settings: pg.ClientConfig, channel: string, onNotify: (payload: string) => void) {
  let client: pg.Client | null = null
  let isStopped = false
  let retry: NodeJS.Timeout | null = null
  const connect = async (): Promise<void> => {
    const next = new pg.Client(settings)
    next.on('notification', (message) => onNotify(message.payload ?? ''))
    const lost = () => {
      if (client !== next) return
      client = null
      if (!isStopped) retry = setTimeout(() => void reconnect(), 1000)
    }
    next.on('error', lost)
    next.on('end', lost)
    await next.connect()
    client = next
    try {
      await next.query(`listen ${pg.escapeIdentifier(channel)}`)
    } catch (cause) {
      client = null
      void next.end().catch(() => {})
      throw cause
    }
  }
  const reconnect = async (): Promise<void> => {
    try {
      await connect()
      onNotify('')
    } catch {
      if (!isStopped) retry = setTimeout(() => void reconnect(), 1000)
    }
  }
  await connect()
  return async () => {
    isStopped = true
    if (retry) clearTimeout(retry)
    await client?.end()
  }
}

// npm run bench -- import [--rows N]: rows of a list imported a second, a twentieth of them with each fault, against a bare COPY of the
// same rows into the same tables, with their indexes and foreign keys, in the same Postgres. Prints the ratio, the most memory, and
// one JSON line.

import { chmodSync, createWriteStream, mkdtempSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import os from 'node:os'
import path from 'node:path'
import { sql } from 'kysely'
import { systemClock } from '../src/base/clock.ts'
import { readConfig } from '../src/base/config.ts'
import { createLog } from '../src/base/log.ts'
import { openPostgres } from '../src/db/connect.ts'
import { migrate } from '../src/db/migrate.ts'
import { addCategory } from '../src/articles/categories.ts'
import { subscribersImport } from '../src/commands/subscribers/import.ts'
import { startRestartablePostgres } from '../tests/support/restartable-postgres.ts'

const at = process.argv.indexOf('--rows')
const rows = at < 0 ? 200_000 : Number(process.argv[at + 1])
const tables = ['subscribers', 'suppressions', 'due_times', 'reading', 'subscriptions', 'consents']

const folder = mkdtempSync(path.join(os.tmpdir(), 'broadsheet-bench-'))
// The server writes here too, and may run as somebody else.
chmodSync(folder, 0o777)
const file = path.join(folder, 'list.csv')
const postgres = await startRestartablePostgres()
if (!postgres) throw new Error('No Postgres 15 or newer was found: importing is measured on it alone.')
const database = openPostgres(postgres.url, 4)
const { db } = database
try {
  await migrate(db)
  const ctx = { db, config: readConfig({}), log: createLog('silent'), clock: systemClock }
  for (const name of ['Politics', 'World News', 'Weather']) await addCategory(ctx, { name })
  await writeList()

  let mostMegabytes = 0
  const phases: Record<string, number> = {}
  const watch = setInterval(() => (mostMegabytes = Math.max(mostMegabytes, process.memoryUsage().rss / 1e6)), 50)
  const began = performance.now()
  let last = ''
  const out = {
    print: (line: string) => {
      if (line.startsWith('{"event":"report"')) phases['read and checked'] = performance.now() - began
      if (line.startsWith('{"event":"imported"')) last = line
    },
    error: console.error,
    progress: () => {},
    isTty: false,
  }
  await subscribersImport(ctx, { file, source: 'bench', yes: true, json: true }, out, {
    confirm: () => Promise.resolve(true),
  })
  const ours = performance.now() - began
  clearInterval(watch)

  const copied = await copyAlone()
  const rate = (ms: number) => `${((rows / ms) * 1000).toFixed(0).padStart(7)} rows/s   ${(ms / 1000).toFixed(1)} s`
  console.log(last)
  console.log(`bare COPY   ${rate(copied)}`)
  console.log(
    `import      ${rate(ours)}, of which ${((phases['read and checked'] ?? 0) / 1000).toFixed(1)} s before the first row`,
  )
  console.log(`ratio ${(copied / ours).toFixed(2)}; at most ${mostMegabytes.toFixed(0)} MB`)
  console.log(JSON.stringify({ rows, copyMs: copied, importMs: ours, ratio: copied / ours, mostMegabytes }))
} finally {
  await database.close()
  await postgres.remove()
  rmSync(folder, { recursive: true })
}

/** A twentieth each: unsubscribed, bounced, twice, no address, too few cells, an unclosed quote. */
async function writeList(): Promise<void> {
  const stream = createWriteStream(file)
  stream.write('Email,Name,City,Status,Unsubscribed at,Opt-in time,Opt-in IP\n')
  for (let n = 0; n < rows; n++) {
    const email = `reader${n}@example${n % 50}.com`
    const rest = `Reader ${n},"Port Lantern, East",`
    const line = [
      `${email},${rest}Unsubscribed,2024-03-01 10:00:00,2020-01-02 03:04:05,192.0.2.1`,
      `${email},${rest}Bounced,,2020-01-02 03:04:05,192.0.2.1`,
      `reader${n - 1}@example${(n - 1) % 50}.com,${rest}Subscribed,,,`,
      `reader${n} at example.com,${rest}Subscribed,,,`,
      `${email},Reader`,
      `${email},"Reader ${n},Port Lantern,Subscribed,,,`,
    ][n % 20]
    if (!stream.write(`${line ?? `${email},${rest}Subscribed,,2020-01-02 03:04:05,192.0.2.1`}\n`))
      await once(stream, 'drain')
  }
  stream.end()
  await once(stream, 'finish')
}

/** What the import wrote, taken out and put back by the server itself. */
async function copyAlone(): Promise<number> {
  const dump = (table: string) => sql.lit(path.join(folder, `${table}.copy`))
  for (const table of tables) await sql`copy ${sql.table(table)} to ${dump(table)}`.execute(db)
  await sql`truncate subscribers, suppressions cascade`.execute(db)
  await sql`checkpoint`.execute(db)
  const began = performance.now()
  for (const table of tables) await sql`copy ${sql.table(table)} from ${dump(table)}`.execute(db)
  return performance.now() - began
}

// npm run bench -- console [--subscribers N] [--editions M]: how long every page of the console and every list of the API takes on a
// large site: N subscribers (default 1,000,000), M closed editions that went to nearly all of them (10). Against the sign-in page
// of the same server, which reads next to nothing. Exits 1 when a page or list is above 300 ms at the 95th percentile.

import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { sql } from 'kysely'
import { createApiKey } from '../src/access/api-keys.ts'
import { createEditor } from '../src/access/editors.ts'
import { addPrintedLink, signInUrl } from '../src/access/sign-in.ts'
import { systemClock } from '../src/base/clock.ts'
import { readConfig } from '../src/base/config.ts'
import { createLog } from '../src/base/log.ts'
import { type Database, openPostgres } from '../src/db/connect.ts'
import { migrate } from '../src/db/migrate.ts'
import { openQueue } from '../src/db/queue.ts'
import { seed } from '../src/commands/digests/seed.ts'
import { createServer } from '../src/web/server.ts'
import { everyApiList, readEveryPage } from '../tests/support/every-page.ts'
import { startRestartablePostgres } from '../tests/support/restartable-postgres.ts'

const argument = (name: string, fallback: number) => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? fallback : Number(process.argv[at + 1])
}
const subscribers = argument('subscribers', 1_000_000)
const editions = argument('editions', 10)
const rounds = 20
const goalMs = 300

const postgres = await startRestartablePostgres(['shared_buffers=512MB', 'max_wal_size=4GB', 'fsync=off'])
if (!postgres) throw new Error('No Postgres 15 or newer was found: large sites are measured on it alone.')
const database = openPostgres(postgres.url, 10)
const log = createLog('silent')
try {
  await fill(database)
  const queue = await openQueue(database, postgres.url, log)
  const config = readConfig({ LOG_LEVEL: 'fatal', SECRET_KEY: 'a secret of the bench that is long enough' })
  const ctx = { db: database.db, config, log, clock: systemClock, database, queue }
  const server = http.createServer(createServer(ctx)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  const { editor } = await createEditor(ctx, { email: 'ada@news.example', actor: 'cli' })
  const token = new URL(signInUrl(config, await addPrintedLink(ctx, editor))).searchParams.get('token')!
  const signIn = await fetch(`${base}/admin/sign-in`, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'Sec-Fetch-Site': 'same-origin', Host: new URL(config.web.publicUrl).host },
    body: new URLSearchParams({ token }),
  })
  const headers = {
    Cookie: signIn.headers
      .getSetCookie()
      .map((cookie) => cookie.split(';')[0])
      .join('; '),
  }
  const read = async (path: string, given: Record<string, string> = headers) => {
    const started = performance.now()
    const response = await fetch(`${base}${path}`, { headers: given, redirect: 'manual' })
    const text = await response.text()
    if (response.status >= 500) throw new Error(`${path}: ${response.status}`)
    return { text, ms: performance.now() - started }
  }
  const { key } = await createApiKey(ctx, { name: 'bench', scope: 'all', actor: 'cli' })
  const bearer = { Authorization: `Bearer ${key}` }
  const pages = await readEveryPage(async (path) => (await read(path)).text)
  const lists = everyApiList(config).map((path) => `/api/v1${path}`)
  const slowest: { path: string; p95: number; median: number }[] = []
  for (const path of [...pages, ...lists]) {
    const times: number[] = []
    for (let round = 0; round < rounds; round++)
      times.push((await read(path, path.startsWith('/api/') ? bearer : headers)).ms)
    slowest.push({ path, p95: percentile(times, 0.95), median: percentile(times, 0.5) })
  }
  const bare: number[] = []
  for (let round = 0; round < rounds; round++) bare.push((await read('/admin/sign-in', {})).ms)
  const baseline = percentile(bare, 0.95)
  slowest.sort((a, b) => b.p95 - a.p95)
  console.log(`${'the sign-in page'.padEnd(56)} ${baseline.toFixed(0).padStart(5)} ms at p95`)
  for (const { path, p95, median } of slowest.slice(0, 12))
    console.log(
      `${path.slice(0, 56).padEnd(56)} ${p95.toFixed(0).padStart(5)} ms at p95, median ${median.toFixed(0)}, ${(p95 / baseline).toFixed(1)} times`,
    )
  const above = slowest.filter(({ p95 }) => p95 > goalMs).length
  console.log(`${pages.length} pages and ${lists.length} lists, ${above} above ${goalMs} ms`)
  console.log(JSON.stringify({ bench: 'console', subscribers, editions, baseline, worst: slowest[0], above }))
  process.exitCode = above ? 1 : 0
  server.closeAllConnections()
  server.close()
  await queue.stop(1000)
} finally {
  await database.close()
  await postgres.remove()
}

function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1]!
}

/** Closed editions that went to 97 of 100 subscribers each, beside what `seed` makes. */
async function fill({ db }: Database): Promise<void> {
  await migrate(db)
  const ctx = { db, config: readConfig({}), log, clock: systemClock }
  const quiet = { print: () => {}, progress: () => {}, error: () => {}, isTty: false }
  console.log(`seeding ${subscribers.toLocaleString('en')} subscribers and ${editions} editions`)
  await seed(ctx, { subscribers, articles: 500, history: 2, spread: true }, quiet)
  for (let n = 1; n <= editions; n++) {
    const { rows } = await sql<{ id: number }>`
      insert into editions (kind, slot_at, state, created_at, planned_at, closed_at, audience, account)
      select 'scheduled', at, 'closed', at, at, at + interval '2 minutes', c.n,
        jsonb_build_object('audience', c.n, 'sent', c.n, 'failed', 0, 'uncertain', 0, 'open', 0, 'skipped', '{}'::jsonb)
      from (select date_trunc('hour', now()) - (${n}::int * 7 + 60) * interval '1 hour' + interval '30 minutes' as at) s,
        (select count(*)::int as n from subscribers where id % 100 < 97) c returning id`.execute(db)
    await sql`
      insert into deliveries (edition_id, subscriber_id, recipient, kind, lane, state, due, attempt, created_at, settled_at,
        size_bytes, smtp_code, smtp_reply, stage, relay, message_id)
      select ${rows[0]!.id}::bigint, id, email, 'digest', 'digest', case when id % 50 = 0 then 'failed' else 'sent' end, 1, 1,
        now(), now(), 32000, 250, '2.0.0 Ok', 'dot', 'relay:587', '<' || id || '@seed.example>'
      from subscribers where id % 100 < 97 order by id`.execute(db)
  }
  await sql`vacuum analyze`.execute(db)
}

// npm run bench -- delivery [--mails N]: mails a second of our engine against pooled nodemailer `sendMail()` with its own DKIM
// signer, the same mails to the same sink, in one run. Fails nothing; prints a table and one JSON line.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import nodemailer from 'nodemailer'
import { readConfig } from '../src/base/config.ts'
import { createLog } from '../src/base/log.ts'
import { type Database, openEmbedded, openPostgres } from '../src/db/connect.ts'
import { migrate } from '../src/db/migrate.ts'
import { addToOutbox } from '../src/delivery/outbox.ts'
import { DeliveryWorker } from '../src/delivery/worker.ts'
import { startRestartablePostgres } from '../tests/support/restartable-postgres.ts'
import { baselineMail, benchComposers, makeDkimKey } from './delivery-mails.ts'

const argument = (name: string, fallback: number) => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? fallback : Number(process.argv[at + 1])
}
const mails = argument('mails', 10_000)
const large = argument('large', 0)
const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1]!.split(',') : null
const connections = Number(process.env.CONNS ?? 20)
const dkim = { domain: 'news.example', selector: 's1', privateKey: makeDkimKey() }

const port = 20_000 + Math.floor(Math.random() * 20_000)
const sink = startSink(port)
await sleep(500)
const environment = {
  SMTP_URL: `smtp://127.0.0.1:${port}?tls=never`,
  PUBLIC_URL: 'https://news.example',
  SECRET_KEY: 'a secret of the bench that is long enough',
  MAIL_FROM: 'The Gazette <news@news.example>',
  POSTAL_ADDRESS: '1 Harbour Street',
  BOUNCE_DOMAIN: 'bounces.news.example',
  SMTP_CONNECTIONS: String(connections),
  DKIM_DOMAIN: dkim.domain,
  DKIM_SELECTOR: dkim.selector,
  DKIM_PRIVATE_KEY: dkim.privateKey.replaceAll('\n', '\\n'),
}
const figures: Record<string, number> = {}
const wants = (name: string) => only === null || only.includes(name)

try {
  if (wants('baseline')) figures.baseline = await runBaseline(Math.min(mails, 4000))
  const postgres = await startRestartablePostgres(['shared_buffers=256MB', 'max_wal_size=4GB'])
  if (postgres) {
    const database = openPostgres(postgres.url, 4)
    await migrate(database.db)
    if (wants('one')) await runWorkers('one', database, postgres.url, 1, mails)
    if (wants('two')) await runWorkers('two', database, postgres.url, 2, mails)
    if (large && wants('large')) await runWorkers('large', database, postgres.url, 1, large)
    await database.close()
    await postgres.remove()
  } else console.log('No Postgres found: its figures are left out.')
  if (wants('embedded')) await runEmbedded(Math.min(mails, 10_000))
} finally {
  sink.kill()
}
report()

async function runBaseline(count: number): Promise<number> {
  const transport = nodemailer.createTransport({
    host: '127.0.0.1',
    port,
    pool: true,
    maxConnections: connections,
    maxMessages: Infinity,
    ignoreTLS: true,
    dkim: { domainName: dkim.domain, keySelector: dkim.selector, privateKey: dkim.privateKey },
  })
  const start = performance.now()
  let next = 0
  await Promise.all(
    Array.from({ length: connections * 2 }, async () => {
      while (next < count) {
        const id = next++
        await transport.sendMail(baselineMail(`reader${id}@a${id % 50}.example`, id))
      }
    }),
  )
  const rate = count / ((performance.now() - start) / 1000)
  transport.close()
  return rate
}

async function plan({ db }: Database, count: number): Promise<number> {
  await sql`insert into subscribers (email, email_key, email_hash, status, created_at)
    select 'reader' || g || '@a' || g % 50 || '.example', 'reader' || g || '@a' || g % 50 || '.example', md5(g::text), 'active', now()
    from generate_series(1, ${count}::int) g on conflict (email_key) do nothing`.execute(db)
  await sql`insert into reading (subscriber_id) select id from subscribers on conflict do nothing`.execute(db)
  const { id } = await db
    .insertInto('editions')
    .values({ kind: 'manual', state: 'planning', createdAt: new Date(), audience: count })
    .returning('id')
    .executeTakeFirstOrThrow()
  await sql`insert into deliveries (edition_id, subscriber_id, kind, lane, recipient, due, next_attempt_at)
    select ${id}, id, 'digest', 'digest', email, 1, now() from subscribers order by id limit ${count}`.execute(db)
  await sql`vacuum analyze`.execute(db)
  await sql`checkpoint`.execute(db).catch(() => {})
  return id
}

async function release({ db }: Database, edition: number): Promise<void> {
  await db.updateTable('editions').set({ state: 'sending', plannedAt: new Date() }).where('id', '=', edition).execute()
}

/** From now to the moment that the workers' own counts say all are sent. */
async function untilSent({ db }: Database, edition: number, count: number): Promise<number> {
  const start = performance.now()
  for (;;) {
    await sleep(50)
    const row = await db
      .selectFrom('editionCounts')
      .select((eb) => eb.fn.sum<number>('count').as('count'))
      .where('editionId', '=', edition)
      .executeTakeFirstOrThrow()
    if (row.count >= count) return performance.now() - start
  }
}

async function runWorkers(name: string, database: Database, url: string, count: number, size: number): Promise<void> {
  const edition = await plan(database, size)
  const workers = await Promise.all(Array.from({ length: count }, () => startWorker(url)))
  await release(database, edition)
  const latencies = name === 'one' ? measureConfirmations(database) : null
  const ms = await untilSent(database, edition, size)
  figures[`${name}PerSecond`] = size / (ms / 1000)
  if (latencies) {
    const sorted = (await latencies.stop()).sort((a, b) => a - b)
    figures.confirmationMedianMs = sorted[Math.floor(sorted.length / 2)] ?? NaN
    figures.confirmationP99Ms = sorted[Math.floor(sorted.length * 0.99)] ?? NaN
  }
  const used = await Promise.all(workers.map((worker) => worker.stop()))
  figures[`${name}CpuMsPerMail`] = used.reduce((sum, each) => sum + each.cpuMs, 0) / size
  figures[`${name}MostMegabytes`] = Math.max(...used.map((each) => each.mostMegabytes))
}

/** Adds a confirmation every 100 ms and measures until it is settled as sent. */
function measureConfirmations(database: Database) {
  const latencies: number[] = []
  const stopped = new AbortController()
  const loop = (async () => {
    while (!stopped.signal.aborted) {
      const id = await database.db
        .transaction()
        .execute((trx) => addToOutbox(trx, { kind: 'confirmation', recipient: 'new@a1.example' }))
      for (;;) {
        await sleep(20)
        const row = await database.db
          .selectFrom('deliveries')
          .select(sql<number>`extract(epoch from settled_at - created_at) * 1000`.as('ms'))
          .where('id', '=', id)
          .where('settledAt', 'is not', null)
          .executeTakeFirst()
        if (row) {
          latencies.push(Number(row.ms))
          break
        }
      }
      await sleep(80)
    }
  })()
  return {
    stop: async () => {
      stopped.abort()
      await loop
      return latencies
    },
  }
}

async function runEmbedded(count: number): Promise<void> {
  const database = await openEmbedded('memory://')
  await migrate(database.db)
  const edition = await plan(database, count)
  const worker = new DeliveryWorker({
    database,
    config: readConfig(environment),
    log: createLog('warn'),
    composers: benchComposers,
  })
  await release(database, edition)
  const start = performance.now()
  await worker.runOnce()
  figures.embeddedPerSecond = count / ((performance.now() - start) / 1000)
  await database.close()
}

function startSink(at: number): ChildProcess {
  const smtpSink = ['/usr/sbin/smtp-sink', '/usr/libexec/postfix/smtp-sink'].find((file) => existsSync(file))
  if (!smtpSink)
    return spawn(process.execPath, [path.join(import.meta.dirname, 'sink.ts'), String(at)], { stdio: 'ignore' })
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  return spawn(smtpSink, [...user, `127.0.0.1:${at}`, '200'], { stdio: 'ignore' })
}

interface Used {
  cpuMs: number
  mostMegabytes: number
}

async function startWorker(url: string): Promise<{ stop: () => Promise<Used> }> {
  const child = spawn(
    process.execPath,
    [...(process.env.BENCH_NODE_OPTIONS?.split(' ') ?? []), path.join(import.meta.dirname, 'delivery-worker.ts')],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        ...environment,
        DATABASE_URL: url + (process.env.GP ? '?options=-c%20plan_cache_mode%3Dforce_generic_plan' : ''),
      },
    },
  )
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  await lines.next()
  return {
    stop: async () => {
      child.kill('SIGTERM')
      return JSON.parse((await lines.next()).value as string) as Used
    },
  }
}

function report(): void {
  const ratio = (rate: number | undefined) => (rate && figures.baseline ? (rate / figures.baseline).toFixed(2) : '-')
  const rows: [string, string, string][] = [
    ['sendMail(), pooled, DKIM, no database', (figures.baseline ?? 0).toFixed(0), '1'],
    ['one worker, Postgres', (figures.onePerSecond ?? 0).toFixed(0), ratio(figures.onePerSecond)],
    ['two workers, Postgres', (figures.twoPerSecond ?? 0).toFixed(0), ratio(figures.twoPerSecond)],
    ['embedded PGlite', (figures.embeddedPerSecond ?? 0).toFixed(0), ratio(figures.embeddedPerSecond)],
  ]
  if (figures.largePerSecond)
    rows.push([`one worker, ${large} mails`, figures.largePerSecond.toFixed(0), ratio(figures.largePerSecond)])
  for (const row of rows) console.log(`${row[0].padEnd(42)} ${row[1].padStart(7)} mails/s ${row[2].padStart(7)}`)
  console.log(JSON.stringify({ bench: 'delivery', mails, connections, ...figures }))
}

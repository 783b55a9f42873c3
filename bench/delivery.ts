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
import { addToOutbox, deliveryChannel } from '../src/delivery/outbox.ts'
import { DeliveryWorker } from '../src/delivery/worker.ts'
import { startRestartablePostgres } from '../tests/support/restartable-postgres.ts'
import { baselineMail, benchComposers, makeDkimKey } from './delivery-mails.ts'

const argument = (name: string, fallback: number) => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? fallback : Number(process.argv[at + 1])
}
/** Of each kind of run, over all rounds. With fewer, the unequal ends of the last claims are a part of the figure. */
const mails = argument('mails', 120_000)
/** Other work on the machine comes and goes: each of our runs stands between two of the baseline's, and the median counts. */
const rounds = argument('rounds', 3)
const baselineMails = 1500
/** Sent by each worker before the clock starts: it runs for weeks, not for ten seconds. The baseline gets as long. */
const warmUpMails = 4000
const large = argument('large', 0)
const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1]!.split(',') : null
const connections = 20
const dkim = { domain: 'news.example', selector: 's1', privateKey: makeDkimKey() }

const port = 20_000 + Math.floor(Math.random() * 20_000)
const sink = startSink(port)
await sleep(500)
const environment = {
  SITE_NAME: 'The Whale Gazette',
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
const samples: Record<string, number[]> = {}
const transport = nodemailer.createTransport({
  host: '127.0.0.1',
  port,
  pool: true,
  maxConnections: connections,
  maxMessages: Infinity,
  ignoreTLS: true,
  dkim: { domainName: dkim.domain, keySelector: dkim.selector, privateKey: dkim.privateKey },
})
const wants = (name: string) => only === null || only.includes(name)

try {
  await runBaseline()
  delete samples.baseline
  await runBaseline()
  const postgres = await startRestartablePostgres(['shared_buffers=256MB', 'max_wal_size=4GB'])
  if (postgres) {
    const database = openPostgres(postgres.url, 4)
    await migrate(database.db)
    for (let round = 0; round < rounds; round++) {
      if (wants('one')) await compare('one', () => runWorkers('one', database, postgres.url, 1, mails / rounds))
      if (wants('two')) await compare('two', () => runWorkers('two', database, postgres.url, 2, mails / rounds))
    }
    if (large && wants('large')) await compare('large', () => runWorkers('large', database, postgres.url, 1, large))
    await database.close()
    await postgres.remove()
  } else console.log('No Postgres found: its figures are left out.')
  if (wants('embedded')) await compare('embedded', () => runEmbedded(Math.min(mails, 10_000)))
} finally {
  transport.close()
  sink.kill()
}
report()

/** Runs it between two baselines. */
async function compare(name: string, run: () => Promise<number>): Promise<void> {
  const before = samples.baseline!.at(-1)!
  const rate = await run()
  await runBaseline()
  const around = (before + samples.baseline!.at(-1)!) / 2
  ;(samples[`${name}PerSecond`] ??= []).push(rate)
  ;(samples[`${name}Ratio`] ??= []).push(rate / around)
  console.log(`${name.padEnd(8)} ${rate.toFixed(0).padStart(6)} mails/s between baselines of ${around.toFixed(0)}`)
}

async function runBaseline(): Promise<void> {
  const count = baselineMails
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
  ;(samples.baseline ??= []).push(count / ((performance.now() - start) / 1000))
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

/** The instant at which workers may begin, on the database's clock. They are told as planning tells them. */
async function release({ db }: Database, edition: number): Promise<string> {
  const { rows } = await sql<{ at: string }>`
    with released as (update editions set state = 'sending', planned_at = now() where id = ${edition})
    select clock_timestamp()::text as at, pg_notify(${deliveryChannel}, 'digest')`.execute(db)
  return rows[0]!.at
}

/** From its release to the last mail's settlement. Looked at seldom, as looking costs the measured machine. */
async function untilSent({ db }: Database, edition: number, count: number, releasedAt: string): Promise<number> {
  for (;;) {
    await sleep(250)
    const row = await db
      .selectFrom('editionCounts')
      .select((eb) => eb.fn.sum<number>('count').as('count'))
      .where('editionId', '=', edition)
      .executeTakeFirstOrThrow()
    if (row.count < count) continue
    const { rows } = await sql<{ ms: number }>`
      select extract(epoch from max(settled_at) - ${releasedAt}::timestamptz)::float8 * 1000 as ms
      from deliveries where edition_id = ${edition}`.execute(db)
    return rows[0]!.ms
  }
}

async function runWorkers(name: string, database: Database, url: string, count: number, size: number): Promise<number> {
  const warmUp = await plan(database, warmUpMails * count)
  const edition = await plan(database, size)
  const workers = await Promise.all(Array.from({ length: count }, () => startWorker(url)))
  await untilSent(database, warmUp, warmUpMails * count, await release(database, warmUp))
  const releasedAt = await release(database, edition)
  const latencies = name === 'one' ? measureConfirmations(database) : null
  const ms = await untilSent(database, edition, size, releasedAt)
  if (latencies) {
    const sorted = (await latencies.stop()).sort((a, b) => a - b)
    figures.confirmationMedianMs = sorted[Math.floor(sorted.length / 2)] ?? NaN
    figures.confirmationP99Ms = sorted[Math.floor(sorted.length * 0.99)] ?? NaN
  }
  const used = await Promise.all(workers.map((worker) => worker.stop()))
  figures[`${name}CpuMsPerMail`] = used.reduce((sum, each) => sum + each.cpuMs, 0) / (size + warmUpMails * count)
  figures[`${name}MostMegabytes`] = Math.max(...used.map((each) => each.mostMegabytes))
  return size / (ms / 1000)
}

/** Adds a confirmation every 100 ms, and tells at the end how long each took until it was settled as sent. */
function measureConfirmations(database: Database) {
  const ids: number[] = []
  const stopped = new AbortController()
  const loop = (async () => {
    while (!stopped.signal.aborted) {
      ids.push(
        await database.db
          .transaction()
          .execute((trx) => addToOutbox(trx, { kind: 'confirmation', recipient: 'new@a1.example' })),
      )
      await sleep(100)
    }
  })()
  return {
    stop: async () => {
      stopped.abort()
      await loop
      for (;;) {
        const rows = await database.db
          .selectFrom('deliveries')
          .select(sql<number>`extract(epoch from settled_at - created_at)::float8 * 1000`.as('ms'))
          .where('id', 'in', ids)
          .where('settledAt', 'is not', null)
          .execute()
        if (rows.length === ids.length) return rows.map((row) => row.ms)
        await sleep(50)
      }
    },
  }
}

async function runEmbedded(count: number): Promise<number> {
  const database = await openEmbedded('memory://')
  await migrate(database.db)
  const warmUp = await plan(database, warmUpMails)
  const edition = await plan(database, count)
  const worker = new DeliveryWorker({
    database,
    config: readConfig(environment),
    log: createLog('warn'),
    composers: benchComposers,
  })
  await release(database, warmUp)
  await worker.runOnce()
  await release(database, edition)
  const start = performance.now()
  await worker.runOnce()
  const rate = count / ((performance.now() - start) / 1000)
  await database.close()
  return rate
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
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'delivery-worker.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      ...environment,
      DATABASE_URL: url,
    },
  })
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
  for (const [name, values] of Object.entries(samples)) figures[name] = median(values)
  const row = (title: string, name: string) => {
    const rate = (figures[`${name}PerSecond`] ?? 0).toFixed(0).padStart(7)
    console.log(`${title.padEnd(42)} ${rate} mails/s ${(figures[`${name}Ratio`] ?? 0).toFixed(2).padStart(7)}`)
  }
  console.log(
    `${'sendMail(), pooled, DKIM, no database'.padEnd(42)} ${figures.baseline!.toFixed(0).padStart(7)} mails/s       1`,
  )
  if (figures.onePerSecond) row('one worker, Postgres', 'one')
  if (figures.twoPerSecond) row('two workers, Postgres', 'two')
  if (figures.embeddedPerSecond) row('embedded PGlite', 'embedded')
  if (figures.largePerSecond) row(`one worker, ${large} mails`, 'large')
  console.log(JSON.stringify({ bench: 'delivery', mails, rounds, connections, ...figures }))
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!
}

// npm run bench -- delivery [--mails N] [--far MS]: mails a second of our engine against pooled nodemailer `sendMail()` with its
// own DKIM signer, the same mails to the same sink, in one run. With --far a proxy holds each byte that long on the way to the
// sink and back, for both. Fails nothing; prints a table and one JSON line.

import { setTimeout as sleep } from 'node:timers/promises'
import nodemailer from 'nodemailer'
import { systemClock } from '../src/base/clock.ts'
import { readConfig } from '../src/base/config.ts'
import { createLog } from '../src/base/log.ts'
import { type Database, openEmbedded, openPostgres } from '../src/db/connect.ts'
import { migrate } from '../src/db/migrate.ts'
import { deadAddressesOf } from '../src/subscribers/suppression.ts'
import { DeliveryWorker } from '../src/delivery/worker.ts'
import { startRestartablePostgres } from '../tests/support/restartable-postgres.ts'
import { baselineMails, connections, farMs, large, mails, rounds, wants, warmUpMails } from './delivery-arguments.ts'
import { measureConfirmations, plan, release, untilSent } from './delivery-edition.ts'
import { baselineMail, benchComposers, makeDkimKey } from './delivery-mails.ts'
import { startDelayProxy, startSink, startWorker } from './delivery-processes.ts'

const dkim = { domain: 'news.example', selector: 's1', privateKey: makeDkimKey() }

const sinkPort = 20_000 + Math.floor(Math.random() * 20_000)
const port = farMs ? sinkPort + 1 : sinkPort
const others = [startSink(sinkPort), ...(farMs ? [startDelayProxy(port, sinkPort, farMs)] : [])]
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
  for (const each of others) each.kill()
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

async function runWorkers(name: string, database: Database, url: string, count: number, size: number): Promise<number> {
  const warmUp = await plan(database, warmUpMails * count)
  const edition = await plan(database, size)
  const workers = await Promise.all(
    Array.from({ length: count }, () => startWorker({ ...environment, DATABASE_URL: url })),
  )
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

async function runEmbedded(count: number): Promise<number> {
  const database = await openEmbedded('memory://')
  await migrate(database.db)
  const warmUp = await plan(database, warmUpMails)
  const edition = await plan(database, count)
  const config = readConfig(environment)
  const worker = new DeliveryWorker({
    database,
    config,
    log: createLog('warn'),
    composers: benchComposers,
    deadAddresses: deadAddressesOf({ config, clock: systemClock }),
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
  console.log(JSON.stringify({ bench: 'delivery', mails, rounds, connections, farMs, ...figures }))
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!
}

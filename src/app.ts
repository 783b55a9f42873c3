// The composition root: the only file that imports every area. It gets an open database with an up-to-date schema, and starts the
// parts of its role: the web server, the delivery worker, the chores, the schedule; in the trial also the mailbox and the sample
// site. Stopping goes in the opposite order and finishes running work.

import { once } from 'node:events'
import { createServer as createHttpServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'
import { Registry } from 'prom-client'
import type { Relay } from './base/relay.ts'
import type { Database } from './db/connect.ts'
import type { Context } from './db/context.ts'
import { type JobName, openQueue, type Queue } from './db/queue.ts'
import { parser } from './articles/parser.ts'
import { inboundReader } from './inbound/reader.ts'
import { composersOf } from './composers.ts'
import { DeliveryMetrics } from './delivery/metrics.ts'
import { DeliveryWorker } from './delivery/worker.ts'
import { startListener } from './inbound/listener.ts'
import { reportDays } from './inbound/match.ts'
import { inboundChannel } from './inbound/store.ts'
import { startImap } from './inbound/imap.ts'
import { startMarker } from './installation/marker.ts'
import { startSchedule, startWatch } from './schedule.ts'
import { deadAddressesOf } from './subscribers/suppression.ts'
import { Mailbox } from './trial/mailbox.ts'
import { startMailboxServer } from './trial/mailbox-server.ts'
import { seedTrial } from './trial/trial-data.ts'
import { healthRouter } from './web/health.ts'
import { createServer } from './web/server.ts'
import type { WebContext } from './web/web-context.ts'
import { reloadCatalogue } from './messages/catalogue.ts'
import { chores } from './chores.ts'

export const roles = ['all', 'web', 'worker'] as const
export type Role = (typeof roles)[number]

export interface App {
  ctx: Context
  database: Database
  /** The trial's mailbox, for other senders in this process; undefined: the configured relays. */
  relays: readonly Relay[] | undefined
  /** The port of the web server; null for a worker. */
  port: number | null
  /**
   * Accepts no more requests, lets running chores and mails finish, closes the queue. Doesn't close the database. Safe to repeat.
   */
  stop(): Promise<void>
}

/** Rejects if the port is taken; nothing is left running then. */
export async function startApp(running: { ctx: Context; database: Database }, role: Role): Promise<App> {
  const { ctx, database } = running
  const { config, log } = ctx
  /**
   * Two stacks, stopped at the same time: a silent relay uses the worker's whole time limit, and adding a second limit would take
   * longer than process managers wait before they kill.
   */
  const serving: Stop[] = []
  const sending: Stop[] = []
  let stopMarker: Stop | null = null
  const stop = async () => {
    await Promise.all([unwind(serving), unwind(sending)])
    // After the last mail was settled.
    await stopMarker?.()
    stopMarker = null
  }
  for (const problem of reloadCatalogue(config).problems) log.warn(problem)
  // Last, because running chores may still read something, but only as long as the queue waits for them.
  serving.push(async () => {
    parser.close()
    inboundReader.close()
  })
  try {
    const queue = await openQueue(database, config.database.url, log)
    serving.push(() => queue.stop(5000))
    const mailbox = config.trial ? new Mailbox(config.database.dataDir) : null
    const registry = new Registry()
    const metrics = new DeliveryMetrics(registry, database.db)
    const web: WebContext = { ...ctx, database, queue, mailbox, registry }
    let port: number | null = null
    let relays: readonly Relay[] | undefined
    if (role !== 'worker') {
      const server = await listen(createServer(web), config.web.host, config.web.port)
      port = (server.address() as AddressInfo).port
      serving.push(() => close(server))
      if (config.trial) await seedTrial(ctx)
    }
    if (role === 'worker' && config.web.metricsPort) {
      const server = await listen(express().use(healthRouter(web)), config.web.host, config.web.metricsPort)
      serving.push(() => close(server))
    }
    if (role !== 'web') {
      const mailboxServer = mailbox && (await startMailboxServer(mailbox, log))
      if (mailboxServer) sending.push(() => mailboxServer.close())
      relays = mailboxServer ? [mailboxServer.relay] : undefined
      const delivery = new DeliveryWorker({
        database,
        config,
        log,
        composers: composersOf(ctx),
        deadAddresses: deadAddressesOf(ctx),
        metrics,
        ...(relays ? { relays } : {}),
      })
      await delivery.start()
      sending.push(() => delivery.stop())
      if (config.inbound.imap) sending.push(startImap(ctx, config.inbound.imap))
      await queue.work(chores(ctx))
      const stopSchedule = await startSchedule(ctx, queue)
      serving.push(stopSchedule)
      serving.push(await database.listen(inboundChannel, waker(ctx, queue, 'inbound')))
      if (config.retentionDays < reportDays)
        log.warn(`RETENTION_DAYS is ${config.retentionDays}: mail that comes back later than that proves nothing`)
      if (config.inbound.listen) {
        const listener = await startListener(ctx, config.inbound.listen)
        serving.push(() => listener.close())
      }
    }
    serving.push(startWatch(ctx))
    stopMarker = await startMarker(ctx)
    return { ctx, database, relays, port, stop }
  } catch (cause) {
    await stop()
    throw cause
  }
}

/** One wake-up at a time, and one more for all that are wanted meanwhile: a thousand returned mails a second don't cause a thousand
 * transactions. If a wake-up is lost, cron starts the work within a minute. */
function waker({ db, log }: Context, queue: Queue, name: JobName): () => void {
  let isWaking = false
  let isWanted = false
  return async () => {
    isWanted = true
    if (isWaking) return
    isWaking = true
    while (isWanted) {
      isWanted = false
      await db
        .transaction()
        .execute((trx) => queue.enqueue(trx, name, {} as never))
        .catch((error: unknown) => log.warn({ err: error, job: name }, 'a chore could not be added'))
    }
    isWaking = false
  }
}

type Stop = () => Promise<unknown>

/** In reverse order. */
async function unwind(stops: Stop[]): Promise<void> {
  for (let last = stops.pop(); last; last = stops.pop()) await last()
}

async function listen(app: Express, host: string, port: number): Promise<Server> {
  const server = createHttpServer(app)
  server.headersTimeout = 30_000
  // At 10 Mbit/s, a list of 300 MB is uploaded within this time.
  server.requestTimeout = 300_000
  server.listen(port, host)
  await once(server, 'listening')
  return server
}

/** Running requests get three seconds; streams that never end are cut after that. */
async function close(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  server.closeIdleConnections()
  const cut = setTimeout(() => server.closeAllConnections(), 3000)
  await closed
  clearTimeout(cut)
}

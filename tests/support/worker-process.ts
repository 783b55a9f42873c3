// A delivery worker in a process of its own, for tests that kill it. Started by `startWorkerProcess`, which the test talks to.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { readConfig } from '../../src/base/config.ts'
import type { Relay } from '../../src/base/relay.ts'
import { createLog } from '../../src/base/log.ts'
import { openPostgres } from '../../src/db/connect.ts'
import { DeliveryWorker } from '../../src/delivery/worker.ts'
import { plainComposers, plainDeadAddresses } from './sending.ts'

export const testLeaseSeconds = 1.5
export const testConnections = 5

export interface WorkerProcess {
  child: ChildProcess
  /** Starts the worker; resolves once it is registered. Rejects when the process has ended. */
  go(): Promise<void>
  /** As the kernel would: no goodbye. */
  kill(): Promise<void>
  /** SIGTERM; resolves to the exit code. */
  stop(): Promise<number | null>
}

/** Resolves once its code is loaded. */
export async function startWorkerProcess(url: string, relay: Relay): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [import.meta.filename, url, JSON.stringify(relay)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit') as Promise<[number | null]>
  child.stdin!.on('error', () => {})
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  const hear = async (word: string) => {
    const { value } = await lines.next()
    if (value !== word) throw new Error(`the worker process ended before it was ${word}`)
  }
  await hear('loaded')
  return {
    child,
    go: async () => {
      child.stdin!.write('go\n')
      await hear('ready')
    },
    kill: async () => {
      child.kill('SIGKILL')
      await exited
    },
    stop: async () => {
      child.kill('SIGTERM')
      return (await exited)[0]
    },
  }
}

if (process.argv[1] === import.meta.filename) {
  const [, , url, relay] = process.argv
  const database = openPostgres(url!, 4)
  const worker = new DeliveryWorker({
    database,
    config: readConfig({
      SECRET_KEY: 'a secret for tests that is long enough',
      SMTP_CONNECTIONS: String(testConnections),
      MAIL_FROM: 'news@news.example',
    }),
    log: createLog(process.env.TEST_LOG ?? 'silent'),
    composers: plainComposers(),
    deadAddresses: plainDeadAddresses,
    relays: [JSON.parse(relay!) as Relay],
    leaseSeconds: testLeaseSeconds,
  })
  process.once('SIGTERM', async () => {
    await worker.stop()
    await database.close()
  })
  console.log('loaded')
  await once(process.stdin, 'data')
  process.stdin.unref()
  await worker.start()
  console.log('ready')
}

// The listener for mail that comes back, and the chore that applies it, in a process of its own, for tests that kill it. Started by
// `startInboundProcess`, which the test talks to.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../src/base/clock.ts'
import { readConfig } from '../../src/base/config.ts'
import { createLog } from '../../src/base/log.ts'
import { openPostgres } from '../../src/db/connect.ts'
import { startListener } from '../../src/inbound/listener.ts'
import { runInbound } from '../../src/inbound/work.ts'

export const inboundEnv = {
  SECRET_KEY: 'a-secret-of-the-tests-that-is-long-enough',
  MAIL_FROM: 'The Whale Gazette <digest@news.example>',
  PUBLIC_URL: 'http://news.example',
  SITE_NAME: 'The Whale Gazette',
  POSTAL_ADDRESS: '1 Harbour Street, Port Lantern',
  // Nothing is sent.
  SMTP_URL: 'smtp://127.0.0.1:9',
  BOUNCE_DOMAIN: 'bounces.news.example',
}

/** Resolves once it takes mail on that port. */
export async function startInboundProcess(url: string, port: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, [import.meta.filename, url, String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  for await (const line of createInterface({ input: child.stdout! })) if (line === 'ready') return child
  throw new Error('the process ended before it took mail')
}

/** As the kernel would: no goodbye. */
export async function killInboundProcess(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

if (process.argv[1] === import.meta.filename) {
  const [, , url, port] = process.argv
  const { db } = openPostgres(url!, 4)
  const ctx = { db, clock: systemClock, config: readConfig(inboundEnv), log: createLog('silent') }
  await startListener(ctx, { host: '127.0.0.1', port: Number(port) })
  console.log('ready')
  for (;;) {
    await runInbound(ctx)
    await pause(5)
  }
}

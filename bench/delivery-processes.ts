// The processes around the delivery bench: the sink, the proxy that makes it far away, and workers.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'

export function startSink(at: number): ChildProcess {
  const smtpSink = ['/usr/sbin/smtp-sink', '/usr/libexec/postfix/smtp-sink'].find((file) => existsSync(file))
  if (!smtpSink)
    return spawn(process.execPath, [path.join(import.meta.dirname, 'sink.ts'), String(at)], { stdio: 'ignore' })
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  return spawn(smtpSink, [...user, `127.0.0.1:${at}`, '200'], { stdio: 'ignore' })
}

export function startDelayProxy(at: number, toPort: number, delayMs: number): ChildProcess {
  const file = path.join(import.meta.dirname, 'delay-proxy.ts')
  return spawn(process.execPath, [file, ...[at, toPort, delayMs].map(String)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

interface Used {
  cpuMs: number
  mostMegabytes: number
}

/** Resolves once it has begun. */
export async function startWorker(environment: Record<string, string>): Promise<{ stop: () => Promise<Used> }> {
  const file = path.join(import.meta.dirname, 'delivery-worker.ts')
  const child = spawn(process.execPath, [file, ...process.argv.slice(2)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
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

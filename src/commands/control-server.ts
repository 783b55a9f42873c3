// The server's side of commands. With the embedded database, only the process that holds the folder can read the data, so the
// command line sends its arguments to that process. DATA_DIR/control.json (mode 0600) contains the address and the key; anyone who
// can read the file owns the data anyway. The listener is a separate one on loopback, never part of the public site.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { randomSecret, sameSecret } from '../base/tokens.ts'
import { makeFolder } from '../db/embedded-folder.ts'
import { controlFile, type ControlCall, type ControlLine } from './control.ts'
import { createOut, type Out, type Sink } from './out.ts'

export interface ControlServer {
  /** Accepts no more commands, aborts running ones and removes the control file. */
  close(): Promise<void>
}

/** Runs one command. Resolves to its exit code, never rejects. */
export type Execute = (call: ControlCall, out: Out, signal: AbortSignal) => Promise<number>

export async function startControlServer(dataDir: string, execute: Execute): Promise<ControlServer> {
  const key = randomSecret()
  const stopping = new AbortController()
  const server = createServer((request, response) => {
    if (!sameSecret(request.headers.authorization ?? '', `Bearer ${key}`)) {
      response.writeHead(401).end()
      return
    }
    if (request.method !== 'POST') {
      response.writeHead(200).end(`${process.pid}\n`)
      return
    }
    handle(request, response, execute, stopping.signal).catch(() => response.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  const file = path.resolve(controlFile(dataDir))
  makeFolder(dataDir)
  writeFileSync(
    `${file}.${process.pid}`,
    JSON.stringify({ address: `http://127.0.0.1:${port}`, key, pid: process.pid }),
    {
      mode: 0o600,
    },
  )
  renameSync(`${file}.${process.pid}`, file)
  return {
    async close() {
      rmSync(file, { force: true })
      stopping.abort()
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeIdleConnections()
      const last = setTimeout(() => server.closeAllConnections(), 2000)
      await closed
      clearTimeout(last)
    },
  }
}

async function handle(
  request: IncomingMessage,
  response: ServerResponse,
  execute: Execute,
  stopping: AbortSignal,
): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const call = JSON.parse(Buffer.concat(chunks).toString('utf8')) as ControlCall
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson' })
  const send = (line: ControlLine) => response.write(`${JSON.stringify(line)}\n`)
  const sink = (stream: 'stdout' | 'stderr'): Sink => ({
    write: (text) => send({ stream, text }),
    drained: () =>
      new Promise((resolve) => {
        if (!response.writableNeedDrain || response.destroyed) return resolve()
        response.once('drain', resolve)
        response.once('close', resolve)
      }),
    isTty: call.isTty,
    columns: call.columns,
    get isClosed() {
      return response.destroyed
    },
  })
  const out = createOut(sink('stdout'), sink('stderr'))
  const exit = await execute(call, out, AbortSignal.any([gone.signal, stopping]))
  send({ exit })
  response.end()
}

// The whole program as a child process, as `npm start` runs it: on a folder and a port of its own.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import path from 'node:path'

const source = path.join(import.meta.dirname, '../../src')

export interface Program {
  /** Where it listens, without a slash at the end. */
  url: string
  output(): string
  child: ChildProcess
  /** Sends the signal and waits for the end; resolves to the exit code, null when the signal ended it. */
  end(signal: NodeJS.Signals): Promise<number | null>
}

/** Resolves once it has said where to look; rejects with its output when it ends before. */
export async function startProgram(dataDir: string, port: number, env: Record<string, string> = {}): Promise<Program> {
  const child = spawn(process.execPath, [path.join(source, 'main.ts')], {
    env: { PATH: process.env['PATH'], DATA_DIR: dataDir, PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  const ended = once(child, 'exit')
  const ready = new Promise<void>((resolve) => {
    const read = (chunk: Buffer) => {
      text += chunk.toString()
      if (text.includes('Ctrl-C stops')) resolve()
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
  })
  await Promise.race([ready, ended.then(() => Promise.reject(new Error(`The program ended: ${text}`)))])
  return {
    url: `http://127.0.0.1:${port}`,
    output: () => text,
    child,
    async end(signal) {
      child.kill(signal)
      const [code] = (await ended) as [number | null]
      return code
    },
  }
}

export async function runCommand(
  dataDir: string,
  port: number,
  words: readonly string[],
  env: Record<string, string> = {},
) {
  const child = spawn(process.execPath, [path.join(source, 'cli.ts'), ...words], {
    env: { PATH: process.env['PATH'], DATA_DIR: dataDir, PORT: String(port), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, stdout, stderr }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

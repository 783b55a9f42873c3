// A Postgres of our own for tests and benches: a temporary folder, a free loopback port, a user without rights when we are root.
// null where no server binaries are found: the caller says so in one line.

import { execFile, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { findPostgresBinaries, freePort } from './postgres.ts'

const run = promisify(execFile)

export interface RestartablePostgres {
  url: string
  port: number
  /** Starts it again after `stopImmediately`, or after it ended by itself; nothing when it runs. */
  start(): Promise<void>
  /** As a power cut: no checkpoint, connections die. */
  stopImmediately(): Promise<void>
  /** Stops it and removes the folder. */
  remove(): Promise<void>
}

/** `settings`: further lines of postgresql.conf. fsync stays on: the promises under test hang on it. `within`: the folder to make
 * its folder in. */
export async function startRestartablePostgres(
  settings: readonly string[] = [],
  within = os.tmpdir(),
): Promise<RestartablePostgres | null> {
  const bin = findPostgresBinaries()
  if (!bin) return null
  const user = process.getuid?.() === 0 ? findUser(['postgres', 'nobody']) : null
  const folder = mkdtempSync(path.join(within, 'broadsheet-postgres-'))
  if (user) chownSync(folder, user.uid, user.gid)
  const identity = user ? { uid: user.uid, gid: user.gid } : {}
  const data = path.join(folder, 'data')
  await run(`${bin}/initdb`, ['-D', data, '-U', 'postgres', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale=C'], {
    ...identity,
    cwd: folder,
  })
  const port = await freePort()
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`
  const options = [`port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`, ...settings]
  const start = async () => {
    const server = spawn(`${bin}/postgres`, ['-D', data, ...options.flatMap((line) => ['-c', line])], {
      ...identity,
      cwd: folder,
      stdio: 'ignore',
    })
    server.unref()
    await untilReady(url)
  }
  const stopBy = async (signal: 'SIGQUIT' | 'SIGINT') => {
    const pidFile = path.join(data, 'postmaster.pid')
    if (!existsSync(pidFile)) return
    process.kill(Number(readFileSync(pidFile, 'utf8').split('\n')[0]), signal)
    for (let i = 0; i < 200 && existsSync(pidFile); i++) await sleep(50)
  }
  await start()
  return {
    url,
    port,
    start,
    stopImmediately: () => stopBy('SIGQUIT'),
    remove: async () => {
      await stopBy('SIGINT')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function findUser(names: readonly string[]): { uid: number; gid: number } {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of names) {
    const fields = lines.find((line) => line.startsWith(`${name}:`))?.split(':')
    if (fields) return { uid: Number(fields[2]), gid: Number(fields[3]) }
  }
  throw new Error('Postgres refuses to run as root, and there is no user postgres or nobody')
}

async function untilReady(url: string): Promise<void> {
  for (let tries = 0; ; tries++) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1000 })
    try {
      await client.connect()
      await client.end()
      return
    } catch (cause) {
      if (tries > 200) throw cause
      await sleep(50)
    }
  }
}

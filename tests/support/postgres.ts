// A Postgres for the tests: TEST_DATABASE_URL when given, else a server whose binaries are found on this machine, started on a
// free loopback port in a temporary folder (as another user when we are root, which Postgres refuses to be).

import { execFileSync, spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'

export interface PostgresServer {
  url: string
  /** The folder of the cluster and the process; null when the server isn't ours. */
  folder: string | null
  pid: number | null
  stop(): Promise<void>
}

/** The newest installed server of 15 or later; null when there is none. */
export function findPostgresBinaries(): string | null {
  const roots = ['/usr/lib/postgresql', '/opt/homebrew/opt', '/usr/local/opt', '/Library/PostgreSQL']
  const found = roots.flatMap((root) => {
    if (!fs.existsSync(root)) return []
    return fs
      .readdirSync(root)
      .filter((name) => Number(/(\d+)$/.exec(name)?.[1] ?? 0) >= 15)
      .map((name) => path.join(root, name, 'bin'))
      .filter((bin) => fs.existsSync(path.join(bin, 'initdb')))
  })
  return found.sort().at(-1) ?? null
}

export async function freePort(): Promise<number> {
  const server = net.createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as net.AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

function userForServer(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null
  for (const name of ['postgres', 'nobody']) {
    const line = fs
      .readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .find((entry) => entry.startsWith(`${name}:`))
    if (line) return { uid: Number(line.split(':')[2]), gid: Number(line.split(':')[3]) }
  }
  return null
}

/** Starts a server of our own, or takes TEST_DATABASE_URL; null when neither is there. */
export async function startPostgres(options: { isDurable?: boolean } = {}): Promise<PostgresServer | null> {
  if (process.env.TEST_DATABASE_URL)
    return { url: process.env.TEST_DATABASE_URL, folder: null, pid: null, stop: async () => {} }
  return startOwnPostgres(options)
}

/** A server of our own that a test may kill. `isDurable` keeps fsync on. */
export async function startOwnPostgres(options: { isDurable?: boolean } = {}): Promise<PostgresServer | null> {
  const bin = findPostgresBinaries()
  if (!bin) return null
  const user = userForServer()
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'broadsheet-postgres-'))
  if (user) fs.chownSync(folder, user.uid, user.gid)
  const data = path.join(folder, 'data')
  const asUser = user ? { uid: user.uid, gid: user.gid, env: { PATH: process.env.PATH, LANG: 'C.UTF-8' } } : {}
  execFileSync(
    path.join(bin, 'initdb'),
    ['-D', data, '-U', 'broadsheet', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '-N'],
    { stdio: 'ignore', cwd: folder, ...asUser },
  )
  const port = await freePort()
  const settings = [`-c`, `unix_socket_directories=${folder}`, '-c', 'max_connections=200']
  if (!options.isDurable) settings.push('-c', 'fsync=off', '-c', 'synchronous_commit=on', '-c', 'full_page_writes=off')
  const server = spawn(path.join(bin, 'postgres'), ['-D', data, '-h', '127.0.0.1', '-p', String(port), ...settings], {
    stdio: 'ignore',
    cwd: folder,
    ...asUser,
  })
  const url = `postgres://broadsheet@127.0.0.1:${port}/postgres`
  const isGone = new Promise<void>((resolve) => server.once('exit', () => resolve()))
  await waitForPostgres(port, isGone)
  return {
    url,
    folder: data,
    pid: server.pid!,
    async stop() {
      if (server.exitCode === null) server.kill('SIGINT')
      await isGone
      fs.rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function waitForPostgres(port: number, isGone: Promise<void>): Promise<void> {
  const { default: pg } = await import('pg')
  let hasEnded = false
  void isGone.then(() => (hasEnded = true))
  for (let tries = 0; tries < 300; tries++) {
    if (hasEnded) throw new Error('The test Postgres ended before it answered.')
    const client = new pg.Client({ connectionString: `postgres://broadsheet@127.0.0.1:${port}/postgres` })
    try {
      await client.connect()
      await client.end()
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  throw new Error('The test Postgres did not answer within 15 seconds.')
}

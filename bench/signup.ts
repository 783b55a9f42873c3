// npm run bench -- signup [--seconds N] [--connections N]: sign-ups a second of the whole program (validation, limits shared in
// the database, consent, the mail's row) against a bare Express handler that does the same four inserts, on one durable
// Postgres, in short turns, so that whatever else the machine does hits both alike. Prints the ratio of the medians; exits 1 when
// it is below 0.5.

import { spawn, type ChildProcess } from 'node:child_process'
import http from 'node:http'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { addCategory } from '../src/articles/categories.ts'
import { readConfig } from '../src/base/config.ts'
import { systemClock } from '../src/base/clock.ts'
import { createLog } from '../src/base/log.ts'
import { openPostgres } from '../src/db/connect.ts'
import { migrate } from '../src/db/migrate.ts'
import { startOwnPostgres } from '../tests/support/postgres.ts'

const argument = (name: string, fallback: number) => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? fallback : Number(process.argv[at + 1])
}
const seconds = argument('seconds', 1)
// No sign-up is answered within 250 ms, so it takes many of them at a time to keep the program busy.
const connections = argument('connections', 1500)
const rounds = argument('rounds', 10)

const postgres = await startOwnPostgres({ isDurable: true })
if (!postgres) throw new Error('No Postgres of 15 or newer was found on this machine: this bench needs one.')
const database = openPostgres(postgres.url, 2)
await migrate(database.db)
const ctx = { db: database.db, config: readConfig({}), clock: systemClock, log: createLog('silent') }
for (const name of ['Politics', 'World News', 'Business', 'Investing']) await addCategory(ctx, { name })
await database.close()

const agent = new http.Agent({ keepAlive: true, maxSockets: connections })
const servers = { bare: await startServer('bare'), ours: await startServer('ours') }
const rates = { bare: [] as number[], ours: [] as number[] }
let sequence = 0
try {
  for (const kind of ['bare', 'ours'] as const) await load(servers[kind].port, 1)
  for (let round = 0; round < rounds; round++)
    for (const kind of ['bare', 'ours'] as const) {
      const rate = await load(servers[kind].port, seconds)
      rates[kind].push(rate)
      console.log(`${kind.padEnd(5)} ${rate.toFixed(0).padStart(6)} sign-ups/s`)
    }
} finally {
  agent.destroy()
  for (const { child } of Object.values(servers)) child.kill('SIGTERM')
  await postgres.stop()
}
const bare = median(rates.bare)
const ours = median(rates.ours)
const ratio = ours / bare
console.log(
  JSON.stringify({
    bench: 'signup',
    bare: Math.round(bare),
    ours: Math.round(ours),
    ratio: Number(ratio.toFixed(2)),
    connections,
    seconds,
    rounds,
  }),
)
process.exitCode = ratio >= 0.5 ? 0 : 1

async function startServer(kind: 'bare' | 'ours'): Promise<{ child: ChildProcess; port: number }> {
  const file = path.join(import.meta.dirname, 'signup-server.ts')
  const child = spawn(process.execPath, [file, kind, postgres!.url], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })
  const port = await new Promise<number>((resolve, reject) => {
    lines.once('line', (line) => resolve(Number(line)))
    child.once('exit', () => reject(new Error(`the ${kind} server ended before it listened`)))
  })
  return { child, port }
}

/** New addresses over many connections; every answer must be the 303. */
async function load(port: number, forSeconds: number): Promise<number> {
  const started = performance.now()
  const until = started + forSeconds * 1000
  let done = 0
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (performance.now() < until) {
        await signUp(port)
        done++
      }
    }),
  )
  return done / ((performance.now() - started) / 1000)
}

function signUp(port: number): Promise<void> {
  const address = `reader${process.pid}.${sequence++}@domain${sequence % 50}.example`
  const body = `email=${address}&timezone=Europe%2FBerlin&frequency[politics]=daily&frequency[business]=weekly`
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded', 'Content-Length': Buffer.byteLength(body) }
  return new Promise((resolve, reject) => {
    const request = http.request(
      { host: '127.0.0.1', port, path: '/subscribe', method: 'POST', agent, headers },
      (response) => {
        response.resume()
        response.on('end', () =>
          response.statusCode === 303 ? resolve() : reject(new Error(`answered ${response.statusCode}`)),
        )
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}

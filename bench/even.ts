// npm run bench -- even [--each N] [--form subscribe|preferences] [--database embedded|postgres]: whether the time of an answer tells
// what is known of an address. Starts the whole program, mail included, on each database, with N addresses (default 200) of each of
// five states, and sends the form once for each address, one after another, the states in turn. Prints the median of each state and
// the p of each pair by the Mann-Whitney test. Ten pairs are compared, so a pair is told apart below p = 0.001. Exits 1 when one is, or
// when two states get different bytes.

import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { addCategory } from '../src/articles/categories.ts'
import { systemClock } from '../src/base/clock.ts'
import { readConfig } from '../src/base/config.ts'
import { createLog } from '../src/base/log.ts'
import { hashAddress } from '../src/base/tokens.ts'
import { openEmbedded, openPostgres, type Database } from '../src/db/connect.ts'
import type { Context } from '../src/db/context.ts'
import { migrate } from '../src/db/migrate.ts'
import { getPepper } from '../src/db/settings.ts'
import { suppressAddress } from '../src/subscribers/suppression.ts'
import { subscribe } from '../src/subscribers/subscribe.ts'
import { startOwnPostgres } from '../tests/support/postgres.ts'
import { freePort, startProgram } from '../tests/support/program.ts'

const { values } = parseArgs({
  options: {
    each: { type: 'string', default: '200' },
    form: { type: 'string', default: 'subscribe' },
    database: { type: 'string' },
  },
})
const each = Number(values.each)
const form = `/${values.form}`
const states = ['new', 'pending', 'active', 'unsubscribed', 'suppressed'] as const
type State = (typeof states)[number]
const addressOf = (state: State, n: number) => `${state.slice(0, 3)}${String(n).padStart(5, '0')}@example.com`
const env = {
  SIGNUPS_PER_IP: '0',
  SIGNUPS_PER_NETWORK: '0',
  SIGNUPS_PER_DOMAIN: '0',
  SIGNUPS_PER_HOUR: '0',
  LOG_LEVEL: 'warn',
}

for (const kind of ['embedded', 'postgres'] as const)
  if (values.database === undefined || values.database === kind) await measure(kind)

async function measure(kind: 'embedded' | 'postgres'): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'even-'))
  const postgres = kind === 'postgres' ? await startOwnPostgres({ isDurable: true }) : null
  if (kind === 'postgres' && !postgres) throw new Error('No Postgres of 15 or newer was found on this machine.')
  try {
    const database = postgres ? openPostgres(postgres.url, 2) : await openEmbedded(path.join(folder, 'database'))
    await prepare(database).finally(() => database.close())
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    const program = await startProgram(folder, port, {
      ...env,
      PUBLIC_URL: url,
      ...(postgres && { DATABASE_URL: postgres.url }),
    })
    try {
      report(kind, await ask(url))
      const late = program.output().match(/was late/g)?.length ?? 0
      if (late > 0) console.log(`${late} answers were late: this machine is loaded.`)
    } finally {
      await program.end('SIGTERM')
    }
  } finally {
    await postgres?.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Brings about the states, yesterday, so that today's first mail may go to each address. */
async function prepare(database: Database): Promise<void> {
  await migrate(database.db)
  const { db } = database
  const config = readConfig(env)
  const clock = { now: () => new Date(systemClock.now().getTime() - 26 * 3_600_000) }
  const ctx: Context = { db, config, clock, log: createLog('silent') }
  await addCategory(ctx, { name: 'Politics' })
  const pepper = await getPepper(db)
  for (const state of states)
    for (let n = 0; n < each; n++) {
      const email = addressOf(state, n)
      const origin = { ip: null, formUrl: '/' }
      if (state === 'new') continue
      await subscribe(ctx, { email, choices: { politics: 'daily' }, timezone: null, origin })
      if (state === 'pending') continue
      await db
        .updateTable('subscribers')
        .set({ status: state === 'unsubscribed' ? 'unsubscribed' : 'active', confirmedAt: clock.now() })
        .where('emailHash', '=', hashAddress(pepper, email))
        .execute()
      if (state === 'suppressed') await suppressAddress(ctx, { email, key: email }, 'complaint')
    }
  await db.deleteFrom('deliveries').execute()
}

async function ask(url: string): Promise<Record<State, number[]>> {
  const times = Object.fromEntries(states.map((state) => [state, [] as number[]])) as Record<State, number[]>
  const answers = new Map<string, State>()
  for (let n = -5; n < each; n++)
    for (let turn = 0; turn < states.length; turn++) {
      const state = states[(n + 5 + turn) % states.length]!
      const email = n < 0 ? `warm${n}.${turn}@example.com` : addressOf(state, n)
      const started = performance.now()
      const answer = await fetch(url + form, {
        method: 'POST',
        redirect: 'manual',
        body: new URLSearchParams({ email }),
      })
      const text = await answer.text()
      if (n < 0) continue
      times[state].push(performance.now() - started)
      if (answer.status >= 400) throw new Error(`The form answered ${answer.status}: ${text.slice(0, 200)}`)
      const shown = JSON.stringify([
        answer.status,
        [...answer.headers].filter(([name]) => !/date|etag|cookie/.test(name)),
        text,
      ])
      answers.set(createHash('sha256').update(shown.replaceAll(email, 'ADDRESS')).digest('hex'), state)
    }
  if (answers.size > 1) {
    console.log(`The answers differ: ${[...answers.values()].join(', ')}`)
    process.exitCode = 1
  }
  return times
}

function report(kind: string, times: Record<State, number[]>): void {
  for (const state of states)
    console.log(
      `${kind.padEnd(8)} ${state.padEnd(12)} median ${quantile(times[state], 0.5).toFixed(2)} ms, 95 % ${quantile(times[state], 0.95).toFixed(2)} ms`,
    )
  const pairs = states.flatMap((one, at) =>
    states.slice(at + 1).map((other) => ({ one, other, p: mannWhitney(times[one], times[other]) })),
  )
  for (const { one, other, p } of pairs) console.log(`${kind.padEnd(8)} ${one} and ${other}: p = ${p.toFixed(4)}`)
  const least = Math.min(...pairs.map(({ p }) => p))
  console.log(JSON.stringify({ bench: 'even', database: kind, form, each, leastP: Number(least.toFixed(4)) }))
  if (least < 0.001) process.exitCode = 1
}

function quantile(list: readonly number[], q: number): number {
  return list.toSorted((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * q))]!
}

/** Two-sided p by the normal approximation, which 20 and more on each side allow; no two times are equal. */
function mannWhitney(a: readonly number[], b: readonly number[]): number {
  const all = [...a.map((value) => ({ value, isA: true })), ...b.map((value) => ({ value, isA: false }))]
  const ranks = all.toSorted((x, y) => x.value - y.value)
  const sum = ranks.reduce((total, { isA }, at) => total + (isA ? at + 1 : 0), 0)
  const u = sum - (a.length * (a.length + 1)) / 2
  const z = (u - (a.length * b.length) / 2) / Math.sqrt((a.length * b.length * (a.length + b.length + 1)) / 12)
  return twoSided(Math.abs(z))
}

/** The share of a normal distribution further out than z on either side (Abramowitz and Stegun 26.2.17). */
function twoSided(z: number): number {
  const t = 1 / (1 + 0.2316419 * z)
  const tail = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429].reduce(
    (total, factor, power) => total + factor * t ** (power + 1),
    0,
  )
  return Math.min(1, (2 * tail * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI))
}

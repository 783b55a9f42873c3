// SIGTERM ends every process within 30 seconds, whatever a relay, a feed or a reader of the output does. Each case has a process and a
// folder of its own, and all run at once, because most of the time they wait.

import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { after, describe, test } from 'node:test'
import { startCaptureServer, type CaptureServer, type Step } from '../support/capture-server.ts'
import { freePort } from '../support/program.ts'
import { waitFor } from '../support/wait-for.ts'

const source = path.join(import.meta.dirname, '../../src')
const folder = mkdtempSync(path.join(os.tmpdir(), 'broadsheet-stopping-'))
const mostMs = 30_000

const environmentOf = (name: string, more: Record<string, string> = {}) => ({
  PATH: process.env['PATH']!,
  DATA_DIR: path.join(folder, name),
  ...more,
})
function run(
  words: readonly string[],
  env: Record<string, string>,
  stdout: 'pipe' | 'ignore' = 'ignore',
): ChildProcess {
  const child = spawn(process.execPath, [path.join(source, 'cli.ts'), ...words], {
    env,
    stdio: ['ignore', stdout, 'pipe'],
  })
  return child
}
async function finish(words: readonly string[], env: Record<string, string>): Promise<void> {
  const child = run(words, env)
  let errors = ''
  child.stderr!.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const [code] = (await once(child, 'exit')) as [number | null]
  assert.equal(code, 0, errors)
}
/** Ends it, and says how it went. */
async function terminate(child: ChildProcess, what: string): Promise<number | null> {
  let errors = ''
  child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  assert.equal(child.exitCode, null, `${what} had ended by itself`)
  const started = performance.now()
  const exited = once(child, 'exit') as Promise<[number | null, string | null]>
  child.kill('SIGTERM')
  const late = setTimeout(() => child.kill('SIGKILL'), mostMs)
  const [code, signal] = await exited
  clearTimeout(late)
  assert.equal(signal, null, `${what} hadn't ended after ${Math.round(performance.now() - started)} ms. ${errors}`)
  assert.doesNotMatch(errors, /^ {4}at /m, what)
  return code
}
/** Resolves when it says its first word; from then on nobody reads. */
async function firstWord(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('it ended without a word')))
  await Promise.race([once(child.stdout!, 'readable'), ended])
}

const steps = ['connect', 'ehlo', 'mail', 'rcpt', 'data', 'body', 'dot'] as const satisfies readonly Step[]
/** What a relay has seen when it leaves a mail without an answer at that step. */
const verbs: Partial<Record<Step, string>> = { mail: 'MAIL', rcpt: 'RCPT', data: 'DATA', body: 'DATA', dot: 'DATA' }

/** Relays each of which stops answering at another step, and one that says it speaks TLS and then says nothing. */
async function startMuteRelays() {
  const mute = net.createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
  await once(mute, 'listening')
  const servers = new Map<Step, CaptureServer>()
  for (const step of steps) servers.set(step, await startCaptureServer())
  const all = [...servers.values()]
  // An edition begins with a few mails, until one was taken.
  const isProven = () => all.some((one) => one.captured.length > 0)
  for (const [step, server] of servers)
    server.fault = (at) =>
      at === step && (isProven() || at === 'connect' || at === 'ehlo') ? { silent: true } : undefined
  const isStuck = (step: Step, { connections, seen }: CaptureServer) =>
    connections > 0 && (!verbs[step] || (seen.get(verbs[step]) ?? 0) > 0)
  after(async () => {
    mute.close()
    for (const server of all) await server.close()
  })
  const { port } = mute.address() as net.AddressInfo
  return {
    urls: [`smtps://127.0.0.1:${port}`, ...all.map(({ relay }) => `smtp://127.0.0.1:${relay.port}?tls=never`)],
    /** Each has a mail that it doesn't answer. */
    isEachStuck: () => [...servers].every(([step, server]) => isStuck(step, server)),
  }
}

describe('SIGTERM', { concurrency: true }, () => {
  for (const words of [['start'], ['digest', 'run', '--manual']])
    test(`ends ${words.slice(0, 2).join(' ')} although relays don't answer, at whatever step`, async () => {
      const relays = await startMuteRelays()
      const env = environmentOf(words[0]!, {
        SITE_NAME: 'Harbour News',
        SMTP_URL: relays.urls.join(' '),
        SMTP_CONNECTIONS: '16',
        PUBLIC_URL: 'http://127.0.0.1:1',
        HOST: '127.0.0.1',
        PORT: String(await freePort()),
        SECRET_KEY: 'a-secret-of-the-tests-that-is-long-enough',
        MAIL_FROM: 'news@harbour.example',
        POSTAL_ADDRESS: '1 Quay',
        LOG_LEVEL: 'fatal',
      })
      await finish(['seed', '--subscribers', '200', '--articles', '4'], env)
      if (words[0] === 'start') await finish(['digest', 'run', '--manual', '--plan-only'], env)
      const child = run(words, env)
      after(() => child.kill('SIGKILL'))
      await waitFor(relays.isEachStuck)
      await terminate(child, words.join(' '))
    })

  test('ends a command in the middle of its work', async () => {
    const seeded = environmentOf('commands', { PORT: String(await freePort()) })
    await finish(['seed', '--subscribers', '8000', '--articles', '4'], seeded)
    const file = path.join(folder, 'many.csv')
    writeFileSync(file, `email\n${Array.from({ length: 60_000 }, (_, n) => `many${n}@example.com`).join('\n')}\n`)
    const commands = [
      ['subscribers', 'export'],
      ['subscribers', 'export', '--json'],
      ['digest', 'run', '--manual', '--dry-run', '--json'],
      ['subscribers', 'import', file, '--source', 'x', '--frequency', 'daily'],
    ]
    const interrupt = async (words: readonly string[], index: number) => {
      const env = environmentOf(`commands-${index}`, { PORT: String(await freePort()) })
      cpSync(seeded['DATA_DIR']!, env['DATA_DIR']!, { recursive: true, filter: (name) => !name.endsWith('.sock') })
      const child = run(words, env, 'pipe')
      await firstWord(child)
      assert.equal(await terminate(child, words.join(' ')), 130)
    }
    const seed = async () => {
      const seeding = run(['seed', '--subscribers', '5000000'], seeded)
      await waitFor(() => existsSync(path.join(seeded['DATA_DIR']!, 'lock.sock')))
      assert.equal(await terminate(seeding, 'seed'), 130)
    }
    await Promise.all(commands.map(interrupt))
    await seed()
  })

  test('ends a command that waits for a feed', async () => {
    let asked = 0
    const site = http.createServer(() => void asked++).listen(0, '127.0.0.1')
    after(() => {
      site.close()
      site.closeAllConnections()
    })
    await once(site, 'listening')
    const host = `127.0.0.1:${(site.address() as net.AddressInfo).port}`
    const env = environmentOf('feeds', { FEED_ALLOW_HOSTS: host, PORT: String(await freePort()) })
    await finish(['category', 'add', 'Politics'], env)
    await finish(['feed', 'add', `http://${host}/feed`, '--category', 'politics'], env)
    for (const words of [
      ['feed', 'try', `http://${host}/feed`],
      ['feed', 'poll', '--all'],
    ]) {
      asked = 0
      const child = run(words, env)
      await waitFor(() => asked > 0)
      assert.equal(await terminate(child, words.join(' ')), 130)
    }
  })
})

after(() => rmSync(folder, { recursive: true, force: true }))

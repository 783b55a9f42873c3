// SIGTERM ends every process within 30 seconds, whatever a relay or a reader of the output does. Each case has a process of its own and
// all run at once: most of the time they wait.

import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
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

describe('a relay that never answers', () => {
  const steps = ['connect', 'ehlo', 'mail', 'rcpt', 'data', 'body', 'dot'] as const satisfies readonly Step[]
  const servers: CaptureServer[] = []
  /** Speaks TLS, it says, and then says nothing. */
  const mute = net.createServer((socket) => socket.on('error', () => {}))
  let site: Record<string, string>

  before(async () => {
    mute.listen(0, '127.0.0.1')
    await once(mute, 'listening')
    for (const step of steps) {
      const server = await startCaptureServer()
      // An edition begins with a few mails, until one was taken.
      const isProven = () => servers.some((one) => one.captured.length > 0)
      server.fault = (at) =>
        at === step && (isProven() || at === 'connect' || at === 'ehlo') ? { silent: true } : undefined
      servers.push(server)
    }
    const { port } = mute.address() as net.AddressInfo
    const relays = [
      `smtps://127.0.0.1:${port}`,
      ...servers.map(({ relay }) => `smtp://127.0.0.1:${relay.port}?tls=never`),
    ]
    site = {
      SITE_NAME: 'Harbour News',
      SMTP_URL: relays.join(' '),
      SMTP_CONNECTIONS: '16',
      PUBLIC_URL: 'http://127.0.0.1:1',
      HOST: '127.0.0.1',
      PORT: String(await freePort()),
      SECRET_KEY: 'a-secret-of-the-tests-that-is-long-enough',
      MAIL_FROM: 'news@harbour.example',
      POSTAL_ADDRESS: '1 Quay',
      LOG_LEVEL: 'fatal',
    }
  })
  after(async () => {
    mute.close()
    for (const server of servers) await server.close()
  })

  for (const words of [['start'], ['digest', 'run', '--manual']])
    test(`at any step doesn't keep ${words.slice(0, 2).join(' ')}`, async () => {
      const env = environmentOf(words[0]!, site)
      await finish(['seed', '--subscribers', '200', '--articles', '4'], env)
      await finish(['digest', 'run', '--manual', '--plan-only'], env)
      for (const server of servers) {
        server.connections = 0
        server.captured = []
        server.seen.clear()
      }
      const child = run(words, env)
      after(() => child.kill('SIGKILL'))
      // Each relay has a mail that it doesn't answer.
      const seen: Partial<Record<Step, string>> = {
        mail: 'MAIL',
        rcpt: 'RCPT',
        data: 'DATA',
        body: 'DATA',
        dot: 'DATA',
      }
      const isStuck = (server: CaptureServer, verb: string | undefined) =>
        server.connections > 0 && (!verb || (server.seen.get(verb) ?? 0) > 0)
      await waitFor(() => servers.every((server, index) => isStuck(server, seen[steps[index]!])))
      await terminate(child, words.join(' '))
    })
})

test('a command in the middle of its work ends when it is asked to', async () => {
  const env = environmentOf('commands', { PORT: String(await freePort()) })
  await finish(['seed', '--subscribers', '20000', '--articles', '4'], env)
  const file = path.join(folder, 'many.csv')
  writeFileSync(file, `email\n${Array.from({ length: 200_000 }, (_, n) => `many${n}@example.com`).join('\n')}\n`)
  const commands = [
    ['subscribers', 'export'],
    ['subscribers', 'export', '--json'],
    ['digest', 'run', '--manual', '--dry-run', '--json'],
    ['subscribers', 'import', file, '--source', 'x', '--frequency', 'daily'],
  ]
  for (const words of commands) {
    const child = run(words, env, 'pipe')
    await firstWord(child)
    assert.equal(await terminate(child, words.join(' ')), 130)
  }
  const seeding = run(['seed', '--subscribers', '5000000'], env)
  await waitFor(() => existsSync(path.join(env['DATA_DIR']!, 'lock.sock')))
  assert.equal(await terminate(seeding, 'seed'), 130)
})

after(() => rmSync(folder, { recursive: true, force: true }))
